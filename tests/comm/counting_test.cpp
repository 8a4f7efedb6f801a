#include "parallel/comm/counting.h"

#include <gtest/gtest.h>

#include "parallel/comm/self/self_communicator.h"

namespace bench {
namespace {

// Looks at the counts from inside a call, and lets time pass there.
class Inspector final : public Communicator {
 public:
  Inspector(const CollectiveCounts& counts, FakeClock& clock) : counts_(counts), clock_(clock) {}
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string_view kind() const override { return "inspector"; }
  void barrier(Stream) override { look(); }
  void all_reduce(Stream, const void*, void*, int64_t, DType, ReduceOp) override { look(); }
  void reduce_scatter(Stream, const void*, void*, int64_t, DType, ReduceOp) override { look(); }
  void all_gather(Stream, const void*, void*, int64_t, DType) override { look(); }
  void broadcast(Stream, void*, int64_t, DType, int) override { look(); }
  void send(Stream, const void*, int64_t, DType, int, int) override { look(); }
  void recv(Stream, void*, int64_t, DType, int, int) override {
    look();
    throw std::runtime_error("lost");
  }
  void exchange(Stream, std::span<const Outgoing>, std::span<const Incoming>, DType, int) override {
    look();
  }
  std::unique_ptr<Communicator> split(int, int) override {
    return std::make_unique<Inspector>(counts_, clock_);
  }

  static inline std::string seen_inside;  // of the last call, whichever communicator it went to

 private:
  void look() {
    seen_inside = counts_.inside.load();
    EXPECT_EQ(counts_.entered, counts_.left + 1);
    clock_.advance_ns(10);
  }
  const CollectiveCounts& counts_;
  FakeClock& clock_;
};

class Counting : public testing::Test {
 protected:
  FakeClock clock_;
  CollectiveCounts counts_;
  Inspector inspector_{counts_, clock_};
  CountingCommunicator comm_{inspector_, counts_, clock_};
  float value_ = 0;

  void expect_counted(const char* name, int64_t calls) {
    EXPECT_EQ(Inspector::seen_inside, name);
    EXPECT_EQ(counts_.entered, calls);
    EXPECT_EQ(counts_.left, calls);
    EXPECT_EQ(counts_.inside, nullptr);
    EXPECT_EQ(comm_.nanoseconds_inside(), 10 * calls);
  }
};

TEST_F(Counting, EveryCallIsNamedAndTimed) {
  comm_.barrier(Stream{});
  expect_counted("barrier", 1);
  comm_.all_reduce(Stream{}, &value_, &value_, 1, DType::f32, ReduceOp::sum);
  expect_counted("all_reduce", 2);
  comm_.reduce_scatter(Stream{}, &value_, &value_, 1, DType::f32, ReduceOp::sum);
  expect_counted("reduce_scatter", 3);
  comm_.all_gather(Stream{}, &value_, &value_, 1, DType::f32);
  expect_counted("all_gather", 4);
  comm_.broadcast(Stream{}, &value_, 1, DType::f32, 0);
  expect_counted("broadcast", 5);
  comm_.send(Stream{}, &value_, 1, DType::f32, 0, 0);
  expect_counted("send", 6);
  comm_.all_reduce_start(Stream{}, &value_, &value_, 1, DType::f32, ReduceOp::sum);
  expect_counted("all_reduce_start", 7);
  comm_.reduce_scatter_start(Stream{}, &value_, &value_, 1, DType::f32, ReduceOp::sum);
  expect_counted("reduce_scatter_start", 8);
}

TEST_F(Counting, ACallThatThrowsIsLeft) {
  EXPECT_THROW(comm_.recv(Stream{}, &value_, 1, DType::f32, 0, 0), std::runtime_error);
  expect_counted("recv", 1);
}

TEST_F(Counting, SplitsShareTheCounts) {
  const auto part = comm_.split(0, 0);
  EXPECT_EQ(counts_.entered, 1);
  const auto nested = part->split(0, 0);
  nested->barrier(Stream{});
  EXPECT_EQ(Inspector::seen_inside, "barrier");
  EXPECT_EQ(counts_.entered, 3);
  EXPECT_EQ(counts_.left, 3);
  EXPECT_EQ(comm_.nanoseconds_inside(), 10);
}

}  // namespace
}  // namespace bench
