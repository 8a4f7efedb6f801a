#include "bench/device/cuda/staging_ring.h"

#include <algorithm>

namespace bench {
namespace {

constexpr size_t kAlignment = 256;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

StagingRing::StagingRing(size_t bytes, size_t least, Fences& fences)
    : bytes_(bytes / kAlignment * kAlignment), least_(least), fences_(fences) {}

StagingRing::~StagingRing() {
  for (const Reader& reader : readers_) fences_.forget(reader.fence);
}

// Bytes in one piece from head_ on. At the end of the buffer head_ goes to its begin.
size_t StagingRing::room() {
  if (readers_.empty()) {
    head_ = 0;
    return bytes_;
  }
  const size_t tail = readers_.front().begin;
  return (head_ > tail ? bytes_ : tail) - head_;  // head_ == tail: full
}

StagingRing::Piece StagingRing::take(size_t wanted) {
  const size_t enough = std::min({wanted, least_, bytes_});
  while (!readers_.empty() && fences_.passed(readers_.front().fence)) retire_oldest();
  for (;;) {
    if (const size_t here = room(); here >= enough)
      return taken_ = {.offset = head_, .bytes = std::min(wanted, here)};
    if (head_ > readers_.front().begin) {
      head_ = 0;  // the rest up to the end is too short
      continue;
    }
    fences_.wait(readers_.front().fence);
    retire_oldest();
  }
}

void StagingRing::retire_oldest() {
  fences_.forget(readers_.front().fence);
  readers_.pop_front();
}

void StagingRing::give(Stream s) {
  readers_.push_back({.begin = taken_.offset, .fence = fences_.record(s)});
  head_ = std::min(bytes_, taken_.offset + aligned(taken_.bytes));
}

}  // namespace bench
