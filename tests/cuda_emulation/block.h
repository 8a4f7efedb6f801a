#pragma once
// A thread block on the CPU: its threads are fibers that take turns and wait for each other where
// CUDA's threads do. Who comes next is drawn by lot, so that what lacks a barrier goes wrong.

#include <ucontext.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace bench::emulation {

inline constexpr int kWarp = 32;

class Block {
 public:
  // Runs `kernel` by so many threads, whole warps. Shared memory is full of NaN at the start.
  // Throws what a thread throws, and std::logic_error where none gets on.
  void run(int threads, size_t shared_bytes, const std::function<void()>& kernel);

  // For the thread that is running:
  int thread() const { return current_; }
  int threads() const { return static_cast<int>(fibers_.size()); }
  std::mt19937& random() { return random_; }
  // Lets others come before; `got_on` is whether it did anything since it last gave way.
  void give_way(bool got_on = false);
  // Until `threads` of the block are at this barrier.
  void meet(int barrier, int threads);
  // Until all 32 lanes of the warp have come. The last runs combine(inputs of all lanes).
  void exchange(void* input, const std::function<void(const std::array<void*, kWarp>&)>& combine);

  // Shared memory, by offset, which is what a 32-bit address is here. Throws std::out_of_range.
  std::byte* shared(uint32_t address, size_t bytes);
  uint32_t address_of(const void* shared) const;

 private:
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<std::byte[]> stack;
    bool done = false;
  };
  struct Barrier {
    int waiting = 0;
    uint64_t phase = 0;
  };
  struct Warp {
    std::array<void*, kWarp> inputs;
    Barrier barrier;
  };

  static void enter();
  void start(Fiber& fiber);
  void take_turns(size_t warp, int times);
  // Whether the caller was the last.
  bool arrive(Barrier& barrier, int threads, const std::function<void()>& last);

  static constexpr size_t kStackBytes = 128 << 10;

  std::vector<Fiber> fibers_;
  std::vector<Warp> warps_;
  std::array<Barrier, 16> barriers_;
  std::vector<std::byte> memory_;
  std::byte* shared_ = nullptr;
  size_t shared_bytes_ = 0;
  std::function<void()> kernel_;
  std::exception_ptr failure_;
  ucontext_t scheduler_;
  std::mt19937 random_{1};
  int current_ = 0;
  uint64_t progress_ = 0;
};

// The one whose threads are running.
Block& block();

}  // namespace bench::emulation
