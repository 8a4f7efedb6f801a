#include "bench/device/cpu/cpu_device.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "bench/base/status.h"
#include "bench/device/cpu/host_facts.h"

namespace bench {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

CpuDevice::CpuDevice(int threads, uint64_t memory_bytes) {
  info_ = {.kind = DeviceKind::cpu,
           .name = cpu_model_name(),
           .index = 0,
           .uuid = {},
           .threads = threads,
           .last_level_cache_bytes = last_level_cache_bytes(),
           .memory_bytes = memory_bytes};
}

void* CpuDevice::allocate(size_t bytes) {
  // Large tensors start at a huge page: fewer page faults and TLB misses, and the same alignment
  // every run.
  const bool large = bytes >= 2 * kHugePage;
  const size_t alignment = large ? kHugePage : kCacheLine;
  const size_t rounded = (std::max(bytes, size_t{1}) + alignment - 1) / alignment * alignment;
  // A size so large that rounding it wrapped around is as impossible as one that is not there.
  void* memory = rounded < bytes ? nullptr : std::aligned_alloc(alignment, rounded);
  if (memory == nullptr)
    throw EnvironmentError(fmt::format(
        "the CPU has no {} bytes of memory left; take a smaller model or batch", bytes));
  // Advice only: a kernel without transparent huge pages works as well.
  if (large) madvise(memory, rounded, MADV_HUGEPAGE);
  return memory;
}

void CpuDevice::release(void* memory) noexcept { std::free(memory); }

void CpuDevice::copy(Stream, void* to, const void* from, size_t bytes) {
  std::memcpy(to, from, bytes);
}

void CpuDevice::fill(Stream, void* to, int byte, size_t bytes) { std::memset(to, byte, bytes); }

}  // namespace bench
