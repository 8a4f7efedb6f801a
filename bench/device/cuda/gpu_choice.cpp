#include "bench/device/cuda/gpu_choice.h"

#include <fmt/format.h>

#include <algorithm>

namespace bench {

GpuChoice choose_gpu(int visible, int local_rank, int local_size) {
  const int ranks = std::max(local_size, local_rank + 1);  // a launcher may not count
  if (visible == 1) return {.index = 0, .ranks = 1, .words = "the one GPU that this rank sees"};
  GpuChoice choice{.index = local_rank % visible, .ranks = 0, .words = {}};
  choice.ranks = (ranks - choice.index + visible - 1) / visible;
  choice.words = fmt::format("GPU {} of {} by local rank {}", choice.index, visible, local_rank);
  if (ranks > visible)
    choice.words += fmt::format(", in turn: {} ranks of this host share {} GPUs", ranks, visible);
  return choice;
}

}  // namespace bench
