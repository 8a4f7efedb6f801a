#include <cuda_runtime_api.h>

#include "kernels/cuda/check.h"
#include "tests/kernels/cuda_device.h"

namespace bench::kernels::test {
namespace {
using cuda::check;

cudaStream_t native(Stream s) { return static_cast<cudaStream_t>(s.native); }

class CudaTestDevice final : public Device {
 public:
  CudaTestDevice() {
    check(cudaSetDevice(0), "taking device 0");
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, 0), "asking what device 0 is");
    info_ = {.kind = DeviceKind::cuda,
             .name = properties.name,
             .index = 0,
             .uuid = {},
             .threads = 1,
             .last_level_cache_bytes = static_cast<uint64_t>(properties.l2CacheSize),
             .memory_bytes = properties.totalGlobalMem};
  }
  const DeviceInfo& info() const override { return info_; }

  void* allocate(size_t bytes) override {
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes), "allocating");
    return memory;
  }
  void release(void* memory) noexcept override { cudaFree(memory); }
  void copy(Stream s, void* to, const void* from, size_t bytes) override {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, native(s)), "copying");
  }
  void fill(Stream s, void* to, int byte, size_t bytes) override {
    check(cudaMemsetAsync(to, byte, bytes, native(s)), "filling");
  }
  void synchronize(Stream s) override {
    check(cudaStreamSynchronize(native(s)), "waiting for a stream");
  }
  Stream create_stream() override {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
    return {stream};
  }
  void destroy_stream(Stream s) noexcept override { cudaStreamDestroy(native(s)); }

 private:
  DeviceInfo info_;
};

}  // namespace

std::string why_no_cuda() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) return cudaGetErrorString(status);
  return count > 0 ? "" : "no CUDA device is there";
}

std::unique_ptr<Device> make_cuda_device() { return std::make_unique<CudaTestDevice>(); }

}  // namespace bench::kernels::test
