#include <cub/device/device_radix_sort.cuh>

#include "kernels/cuda/check.h"
#include "kernels/cuda/sort.h"

namespace bench::kernels::cuda {
namespace {

// Without work it says how many bytes it needs.
void run(const KeySort& s, void* work, size_t& work_bytes, cudaStream_t stream) {
  check(cub::DeviceRadixSort::SortPairs(work, work_bytes, s.keys, s.sorted_keys, s.values,
                                        s.sorted_values, s.size, 0, s.bits, stream),
        "sorting keys");
}

}  // namespace

size_t sort_work_bytes(const KeySort& sort) {
  size_t bytes = 0;
  run(sort, nullptr, bytes, nullptr);
  return bytes;
}

void sort_keys(const Context& context, const KeySort& sort, std::byte* work, size_t work_bytes) {
  run(sort, work, work_bytes, stream_of(context));
}

}  // namespace bench::kernels::cuda
