#pragma once
// Copies from ordinary host memory to the device through pinned memory.

#include <cuda_runtime_api.h>

#include <memory>
#include <vector>

#include "bench/device/cuda/staging_ring.h"

namespace bench {

class Staging final : public StagingRing::Fences {
 public:
  Staging() = default;
  ~Staging() override;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // In stream order. `from` may be written again on return. Waits only for copies further back than
  // the pinned memory is large. Not while the stream is captured.
  void copy_to_device(Stream s, void* to, const void* from, size_t bytes);

 private:
  void* record(Stream s) override;
  bool passed(void* fence) override;
  void wait(void* fence) override;
  void forget(void* fence) noexcept override;

  void open();

  std::byte* pinned_ = nullptr;  // from the first copy on
  std::vector<cudaEvent_t> free_events_;
  std::unique_ptr<StagingRing> ring_;
};

}  // namespace bench
