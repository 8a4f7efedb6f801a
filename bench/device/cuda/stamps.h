#pragma once
// When streams passed by marks on them.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <vector>

#include "bench/device/device.h"

namespace bench {

class Stamps {
 public:
  Stamps() = default;
  ~Stamps();
  Stamps(const Stamps&) = delete;
  Stamps& operator=(const Stamps&) = delete;

  // As GpuDevice::stamp and read_stamps.
  void add(Stream s) noexcept;
  std::vector<int64_t> read();

 private:
  cudaError_t record(Stream s);

  std::vector<cudaEvent_t> events_;  // made as they are needed, used again
  size_t used_ = 0;
  cudaError_t failure_ = cudaSuccess;  // the first
};

}  // namespace bench
