#pragma once
// A world of threads that play ranks, for tests of what works on any world.

#include <stdexcept>

#include "bench/world/world.h"

namespace bench {

class ThreadsWorld final : public World {
 public:
  explicit ThreadsWorld(Communicator& comm) : comm_(comm) {}
  int rank() const override { return comm_.rank(); }
  int size() const override { return comm_.size(); }
  int local_rank() const override { return comm_.rank(); }
  int local_size() const override { return comm_.size(); }
  Communicator& comm() override { return comm_; }
  std::unique_ptr<Communicator> group(int ranks) override {
    auto part = comm_.split(rank() < ranks ? 0 : 1, 0);
    return rank() < ranks ? std::move(part) : nullptr;
  }
  int park() override {
    int32_t code = 0;
    comm_.recv(Stream{}, &code, 1, DType::i32, 0, 0);
    return code;
  }
  void release(int first, int last, int code) override {
    const int32_t value = code;
    for (int r = first; r < last; ++r) comm_.send(Stream{}, &value, 1, DType::i32, r, 0);
  }
  std::string library() const override { return "threads"; }
  void abort(int) noexcept override { std::terminate(); }

 private:
  Communicator& comm_;
};

}  // namespace bench
