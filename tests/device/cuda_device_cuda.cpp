#include <cuda_runtime_api.h>

#include "kernels/cuda/check.h"
#include "tests/device/cuda_device.h"

namespace bench::test {
namespace {

using kernels::cuda::check;

cudaStream_t native(Stream s) { return static_cast<cudaStream_t>(s.native); }

class CudaDevice final : public Device {
 public:
  CudaDevice() { info_.kind = DeviceKind::cuda; }
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
  void synchronize(Stream s) override { check(cudaStreamSynchronize(native(s)), "waiting"); }
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

std::unique_ptr<Device> open_cuda_device(std::string& why_not) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return std::make_unique<CudaDevice>();
  why_not = status == cudaSuccess ? "there is no GPU" : cudaGetErrorString(status);
  return nullptr;
}

}  // namespace bench::test
