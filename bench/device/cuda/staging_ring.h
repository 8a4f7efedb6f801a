#pragma once
// Which part of a circular staging buffer may be written: what is copied to the device goes through
// it, so that the caller's memory is free at once and the host does not wait for the stream. Knows
// no CUDA.

#include <cstddef>
#include <deque>

#include "bench/device/device.h"

namespace bench {

class StagingRing {
 public:
  // Marks on streams.
  class Fences {
   public:
    virtual ~Fences() = default;
    virtual void* record(Stream s) = 0;
    virtual bool passed(void* fence) = 0;
    virtual void wait(void* fence) = 0;
    virtual void forget(void* fence) noexcept = 0;  // may be recorded again
  };

  // Pieces smaller than `least` are given only where no more was wanted.
  StagingRing(size_t bytes, size_t least, Fences& fences);
  ~StagingRing();
  StagingRing(const StagingRing&) = delete;
  StagingRing& operator=(const StagingRing&) = delete;

  struct Piece {
    size_t offset = 0, bytes = 0;
  };
  // 1 … wanted bytes in one piece, which nobody reads any more. Waits for the oldest reader only
  // when there is no room. Taken again unless give is called.
  Piece take(size_t wanted);
  // The piece taken last is read by what was given to the stream until now.
  void give(Stream s);

 private:
  struct Reader {
    size_t begin = 0;
    void* fence = nullptr;
  };

  size_t room();
  void retire_oldest();

  size_t bytes_, least_;
  Fences& fences_;
  std::deque<Reader> readers_;  // oldest first, in the order of the ring
  size_t head_ = 0;             // first byte behind the youngest
  Piece taken_;
};

}  // namespace bench
