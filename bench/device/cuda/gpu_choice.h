#pragma once
// Which of a host's GPUs a rank takes.

#include <string>

namespace bench {

struct GpuChoice {
  int index = 0;
  int ranks = 1;      // of this host on that GPU, as far as the launcher's numbers tell
  std::string words;  // "GPU 1 of 8 by local rank 1", for the report
};

// By local rank, in turn where there are more ranks than GPUs. A launcher that shows each rank one
// GPU and one GPU for all look alike from here: index 0, and whether it is shared is told by its
// uuid on the other ranks. visible >= 1.
GpuChoice choose_gpu(int visible, int local_rank, int local_size);

}  // namespace bench
