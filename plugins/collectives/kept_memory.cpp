#include "plugins/collectives/kept_memory.h"

#include "bench/base/status.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <limits>

namespace bench::collectives {

#if defined(__GLIBC__)
namespace {

constexpr int kMostMaps = 65536;          // DEFAULT_MMAP_MAX
constexpr int kMapThreshold = 32 << 20;   // DEFAULT_MMAP_THRESHOLD_MAX of 64-bit machines
constexpr int kTrimThreshold = 64 << 20;  // twice that, as the adaptation sets it

}  // namespace

KeptMemory::KeptMemory() {
  if (mallopt(M_MMAP_MAX, 0) != 1 ||
      mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max()) != 1)
    throw Unsupported("this C library's allocator cannot be told to keep memory");
}

KeptMemory::~KeptMemory() {
  mallopt(M_MMAP_MAX, kMostMaps);
  mallopt(M_MMAP_THRESHOLD, kMapThreshold);
  mallopt(M_TRIM_THRESHOLD, kTrimThreshold);
  malloc_trim(0);
}
#else
KeptMemory::KeptMemory() { throw Unsupported("only glibc's allocator can be told to keep memory"); }
KeptMemory::~KeptMemory() = default;
#endif

}  // namespace bench::collectives
