#pragma once
// Memory that the ranks of one host map together.

#include <cstddef>
#include <string>

#include "parallel/comm/communicator.h"

namespace bench::shared {

class Segment {
 public:
  // Zeroed. Collective over `comm`, whose first rank makes it; the others open it by way of /proc,
  // so that it leaves no name behind, whatever happens to the ranks. Throws Unsupported on every
  // rank, with the first reason, where one cannot map it: another host, another user, /proc hidden.
  Segment(Communicator& comm, size_t bytes);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  unsigned char* data() const { return static_cast<unsigned char*>(memory_); }
  size_t bytes() const { return bytes_; }

 private:
  void* memory_ = nullptr;
  size_t bytes_;
};

}  // namespace bench::shared
