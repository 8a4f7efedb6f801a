// Two ranks as threads of one process: a oneDNN primitive whose scratchpad they share gives, about
// once in a thousand runs, wrong numbers without an error. Hence many runs, started together.
#include <gtest/gtest.h>

#include <barrier>
#include <thread>

#include "kernels/ops.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

constexpr int kRuns = 4000;
constexpr int64_t kRows = 127, kIn = 129, kOut = 65;

TEST(TwoThreads, DoNotDisturbEachOthersProducts) {
  const auto ops = ops_for<float>(DeviceKind::cpu);
  const auto x = random_values<float>(kRows * kIn, 1), w = random_values<float>(kOut * kIn, 2);
  const auto product = [&](const Context& context, std::vector<float>& y) {
    ops.linear_forward(context, {.n = kRows,
                                 .in = kIn,
                                 .out = kOut,
                                 .x = x.data(),
                                 .w = w.data(),
                                 .bias = nullptr,
                                 .y = y.data()});
  };
  Cpu alone(1);
  std::vector<float> want(kRows * kOut);
  product(alone.context(), want);

  std::barrier start(2);
  int different[2] = {0, 0};
  const auto repeat = [&](int* count) {
    Cpu device(1);
    std::vector<float> got(kRows * kOut);
    start.arrive_and_wait();
    for (int i = 0; i < kRuns; ++i) {
      product(device.context(), got);
      *count += same_bits<float>(got, want) ? 0 : 1;
    }
  };
  std::thread other(repeat, &different[0]);
  repeat(&different[1]);
  other.join();
  EXPECT_EQ(different[0] + different[1], 0) << "of " << 2 * kRuns << " products";
}

}  // namespace
}  // namespace bench::kernels::test
