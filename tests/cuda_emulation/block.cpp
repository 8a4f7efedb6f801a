#include "tests/cuda_emulation/block.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace bench::emulation {

Block& block() {
  static Block the_block;
  return the_block;
}

void Block::enter() {
  Block& b = block();
  try {
    b.kernel_();
  } catch (...) {
    b.failure_ = std::current_exception();
  }
  b.fibers_[static_cast<size_t>(b.current_)].done = true;
  b.give_way(true);
}

void Block::start(Fiber& fiber) {
  fiber.done = false;
  if (fiber.stack == nullptr) fiber.stack.reset(new std::byte[kStackBytes]);
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = kStackBytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, enter, 0);
}

void Block::take_turns(size_t warp, int times) {
  for (int i = 0; i < times * kWarp && failure_ == nullptr; ++i) {
    current_ = static_cast<int>(warp) * kWarp + i % kWarp;
    Fiber& fiber = fibers_[static_cast<size_t>(current_)];
    if (!fiber.done) swapcontext(&scheduler_, &fiber.context);
  }
}

void Block::run(int threads, size_t shared_bytes, const std::function<void()>& kernel) {
  constexpr size_t kAlignment = 1024;
  constexpr int kMostIdleRounds = 100;
  kernel_ = kernel;
  failure_ = nullptr;
  shared_bytes_ = shared_bytes;
  memory_.assign(shared_bytes + kAlignment, std::byte{0xff});
  const auto begin = reinterpret_cast<uintptr_t>(memory_.data());
  shared_ = memory_.data() + (kAlignment - begin % kAlignment) % kAlignment;
  fibers_.resize(static_cast<size_t>(threads));
  warps_.assign(fibers_.size() / kWarp, {});
  barriers_ = {};
  for (Fiber& fiber : fibers_) start(fiber);

  std::vector<size_t> order(warps_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  int idle = 0;
  while (std::any_of(fibers_.begin(), fibers_.end(), [](const Fiber& f) { return !f.done; })) {
    const uint64_t before = progress_;
    std::shuffle(order.begin(), order.end(), random_);
    for (const size_t warp : order) take_turns(warp, 1 + static_cast<int>(random_() % 50));
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    idle = progress_ == before ? idle + 1 : 0;
    if (idle > kMostIdleRounds) throw std::logic_error("threads wait for what never comes");
  }
}

void Block::give_way(bool got_on) {
  progress_ += got_on ? 1 : 0;
  swapcontext(&fibers_[static_cast<size_t>(current_)].context, &scheduler_);
}

bool Block::arrive(Barrier& barrier, int threads, const std::function<void()>& last) {
  const uint64_t phase = barrier.phase;
  if (++barrier.waiting == threads) {
    last();
    barrier.waiting = 0;
    ++barrier.phase;
    ++progress_;
    return true;
  }
  while (barrier.phase == phase) give_way();
  return false;
}

void Block::meet(int barrier, int threads) {
  arrive(barriers_.at(static_cast<size_t>(barrier)), threads, [] {});
}

void Block::exchange(void* input,
                     const std::function<void(const std::array<void*, kWarp>&)>& combine) {
  Warp& warp = warps_[static_cast<size_t>(current_ / kWarp)];
  warp.inputs[static_cast<size_t>(current_ % kWarp)] = input;
  arrive(warp.barrier, kWarp, [&] { combine(warp.inputs); });
}

std::byte* Block::shared(uint32_t address, size_t bytes) {
  if (address + bytes > shared_bytes_) throw std::out_of_range("past the end of shared memory");
  return shared_ + address;
}

uint32_t Block::address_of(const void* shared) const {
  return static_cast<uint32_t>(static_cast<const std::byte*>(shared) - shared_);
}

}  // namespace bench::emulation
