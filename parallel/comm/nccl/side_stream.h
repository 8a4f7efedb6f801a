#pragma once
// A second stream for work that overlaps with a first: it begins where the first stands, and the
// first waits for it later. Only NCCL's module includes this.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <map>
#include <vector>

namespace bench::nccl {

// Throws std::runtime_error with CUDA's words.
void check_cuda(cudaError_t status, const char* doing);

class SideStream {
 public:
  SideStream() = default;
  ~SideStream();
  SideStream(const SideStream&) = delete;
  SideStream& operator=(const SideStream&) = delete;

  // The stream, on which what follows waits for all that `from` was given so far.
  cudaStream_t begin(cudaStream_t from);
  // A name (> 0) for what the stream was given so far.
  uint64_t mark();
  // What `to` is given from now on waits for it. Once a mark; others are passed over.
  void join(cudaStream_t to, uint64_t mark);

 private:
  cudaEvent_t spare_event();

  // Made with the first call, which is not timed.
  cudaStream_t stream_ = nullptr;
  cudaEvent_t begun_ = nullptr;
  uint64_t last_mark_ = 0;
  std::map<uint64_t, cudaEvent_t> marks_;
  std::vector<cudaEvent_t> spare_;
};

}  // namespace bench::nccl
