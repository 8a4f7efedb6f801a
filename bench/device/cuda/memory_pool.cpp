#include "bench/device/cuda/memory_pool.h"

#include <algorithm>
#include <exception>

namespace bench {
namespace {

constexpr uint64_t kSmallStep = 512;
constexpr uint64_t kLargeStep = uint64_t{2} << 20;  // a page of the device
constexpr uint64_t kLarge = uint64_t{1} << 20;

// A block that is kept serves a request that leaves no more than an eighth of it unused.
bool is_worth(uint64_t block, uint64_t asked) { return block - asked <= block / 8; }

}  // namespace

uint64_t MemoryPool::rounded(uint64_t bytes) {
  const uint64_t step = bytes > kLarge ? kLargeStep : kSmallStep;
  const uint64_t up = (std::max<uint64_t>(bytes, 1) + step - 1) / step * step;
  return up < bytes ? bytes : up;  // so large that it wrapped around: the source will refuse it
}

MemoryPool::~MemoryPool() {
  for (const auto& [memory, block] : blocks_) source_.give_back(memory);
}

void* MemoryPool::allocate(uint64_t bytes) {
  const uint64_t asked = rounded(bytes);
  if (void* memory = reuse(asked)) return memory;
  if (void* memory = take(asked)) return memory;
  trim();
  return take(asked);
}

void* MemoryPool::reuse(uint64_t asked) {
  const auto fits = kept_.lower_bound(asked);
  if (fits == kept_.end() || !is_worth(fits->first, asked)) return nullptr;
  if (touched_) source_.wait_idle();
  touched_ = false;
  void* memory = fits->second;
  kept_bytes_ -= fits->first;
  kept_.erase(fits);
  return begin_use(memory, blocks_.at(memory), asked);
}

void* MemoryPool::take(uint64_t asked) {
  void* memory = source_.take(asked);
  if (memory == nullptr) return nullptr;
  reserved_ += asked;
  return begin_use(memory, blocks_[memory] = {.bytes = asked, .asked = 0}, asked);
}

void* MemoryPool::begin_use(void* memory, Block& block, uint64_t asked) {
  block.asked = asked;
  in_use_ += asked;
  peak_ = std::max(peak_, in_use_);
  return memory;
}

bool MemoryPool::release(void* memory) noexcept {
  const auto found = blocks_.find(memory);
  if (found == blocks_.end() || found->second.asked == 0) return false;
  Block& block = found->second;
  in_use_ -= block.asked;
  block.asked = 0;
  kept_.emplace(block.bytes, memory);
  kept_bytes_ += block.bytes;
  touched_ = true;
  if (kept_bytes_ > most_kept_) try_to_trim();
  return true;
}

// A device that has failed does not become idle any more; what it is asked next will tell.
void MemoryPool::try_to_trim() noexcept {
  try {
    trim();
  } catch (const std::exception&) {
    most_kept_ = std::numeric_limits<uint64_t>::max();
  }
}

void MemoryPool::trim() {
  if (kept_.empty()) return;
  source_.wait_idle();
  touched_ = false;
  for (const auto& [bytes, memory] : kept_) {
    source_.give_back(memory);
    blocks_.erase(memory);
    reserved_ -= bytes;
  }
  kept_.clear();
  kept_bytes_ = 0;
}

}  // namespace bench
