#include "bench/device/cuda/cuda_device.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/base/log.h"
#include "bench/base/status.h"
#include "bench/device/cuda/cuda_check.h"
#include "bench/device/cuda/find_gpu.h"

namespace bench {
namespace {

// Of this rank's share, what released memory may hold: ops and libraries allocate beside the pool.
constexpr uint64_t kKeptPart = 4;

constexpr size_t kSinkBytes = 256;
// For what is read with 16 bytes a thread.
constexpr size_t kReadGranularity = 256;

bool is_capturing(Stream s) {
  if (s.native == nullptr) return false;
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check_cuda(cudaStreamIsCapturing(native(s), &status), "asking whether a graph is recorded");
  return status != cudaStreamCaptureStatusNone;
}

cudaMemoryType type_of(const void* memory) {
  cudaPointerAttributes attributes;
  check_cuda(cudaPointerGetAttributes(&attributes, memory), "asking where memory is");
  return attributes.type;
}

// From memory that the device cannot read by itself into its own.
bool wants_staging(const void* to, const void* from) {
  return type_of(from) == cudaMemoryTypeUnregistered && type_of(to) == cudaMemoryTypeDevice;
}

}  // namespace

void* DriverMemory::take(uint64_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status == cudaSuccess) return memory;
  cudaGetLastError();  // not an error of the next call
  if (status != cudaErrorMemoryAllocation) throw_cuda(status, "allocating memory");
  return nullptr;
}

// Failing, too, when the process ends before the device is gone: nobody to tell.
void DriverMemory::give_back(void* memory) noexcept { cudaFree(memory); }

void DriverMemory::wait_idle() { check_cuda(cudaDeviceSynchronize(), "waiting for the device"); }

CudaDevice::CudaDevice(const GpuChoice& choice, int threads)
    : info_(read_gpu_info(choice, threads)),
      facts_(read_gpu_facts(choice)),
      pool_(driver_memory_),
      nvml_(info_.uuid) {
  if (const std::string version = nvml_.driver_version(); !version.empty())
    facts_.driver = fmt::format("{} ({})", version, facts_.driver);
  facts_.no_health_why = nvml_.why_not();
  pool_.keep_at_most(info_.memory_bytes / kKeptPart);
}

// Without checks: after an error of the device every call fails, and the process ends anyway.
CudaDevice::~CudaDevice() {
  cudaDeviceSynchronize();
  for (const cudaStream_t stream : streams_) cudaStreamDestroy(stream);
  cudaFree(evictor_);
}

void CudaDevice::share_among(int ranks) {
  info_.memory_bytes = facts_.total_memory_bytes / static_cast<uint64_t>(std::max(1, ranks));
  pool_.keep_at_most(info_.memory_bytes / kKeptPart);
}

void* CudaDevice::allocate(size_t bytes) {
  if (void* memory = pool_.allocate(bytes)) return memory;
  const GpuMemory now = memory();
  throw EnvironmentError(fmt::format(
      "GPU {} has no {} bytes of memory left: {} of {} bytes are free, this rank's cases hold {}; "
      "take a smaller model or batch",
      info_.index, bytes, now.free, now.total, now.in_use));
}

void CudaDevice::release(void* memory) noexcept {
  if (memory == nullptr || pool_.release(memory)) return;
  Log().error("memory was released that the GPU has not given, or twice");
}

// A recorded graph reads at each replay what is then at `from`: nothing may stand between.
void CudaDevice::copy(Stream s, void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  if (!is_capturing(s) && wants_staging(to, from)) {
    staging_.copy_to_device(s, to, from, bytes);
  } else {
    check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, native(s)), "copying");
  }
  finish_default(s);
}

void CudaDevice::fill(Stream s, void* to, int byte, size_t bytes) {
  if (bytes == 0) return;
  check_cuda(cudaMemsetAsync(to, byte, bytes, native(s)), "filling memory");
  finish_default(s);
}

void CudaDevice::finish_default(Stream s) {
  if (s.native == nullptr)
    check_cuda(cudaStreamSynchronize(nullptr), "waiting for the default stream");
}

void CudaDevice::synchronize(Stream s) {
  check_cuda(s.native == nullptr ? cudaDeviceSynchronize() : cudaStreamSynchronize(native(s)),
             "waiting for a stream");
}

Stream CudaDevice::create_stream() {
  if (free_streams_.empty()) {
    cudaStream_t stream = nullptr;
    check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
    streams_.push_back(stream);
    return {stream};
  }
  const cudaStream_t stream = free_streams_.back();
  free_streams_.pop_back();
  return {stream};
}

void CudaDevice::destroy_stream(Stream s) noexcept {
  if (s.native != nullptr) free_streams_.push_back(native(s));
}

void CudaDevice::open_evictor() {
  const size_t cache = std::max<size_t>(info_.last_level_cache_bytes, kReadGranularity);
  evictor_bytes_ = 2 * cache / kReadGranularity * kReadGranularity;
  check_cuda(cudaMalloc(&evictor_, evictor_bytes_ + kSinkBytes), "allocating what evicts caches");
  check_cuda(cudaMemset(evictor_, 1, evictor_bytes_ + kSinkBytes), "filling what evicts caches");
}

// On the default stream, of which no sample is a part: everything before has finished, and so has
// this on return.
void CudaDevice::evict_cache() {
  if (evictor_ == nullptr) open_evictor();
  auto* sink = reinterpret_cast<uint32_t*>(static_cast<std::byte*>(evictor_) + evictor_bytes_);
  launch_read(evictor_, evictor_bytes_, sink, facts_.multiprocessors, nullptr);
  check_cuda(cudaGetLastError(), "evicting caches");
  check_cuda(cudaDeviceSynchronize(), "evicting caches");
}

GpuMemory CudaDevice::memory() {
  size_t free = 0, total = 0;
  check_cuda(cudaMemGetInfo(&free, &total), "asking for free memory");
  return {.in_use = pool_.in_use(),
          .peak_in_use = pool_.peak_in_use(),
          .reserved = pool_.reserved(),
          .free = free,
          .total = total};
}

}  // namespace bench
