// Attention whose threads share heads: nobody can tell from the result how many there were.
#include <gtest/gtest.h>

#include <cstddef>

#include "kernels/ops.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

// Keys in six tiles of which one is cut off, and more threads than heads.
constexpr int64_t kSeq = 1001, kD = 5;

struct Results {
  std::vector<float> out, d_qkv;
};

Results attend(int64_t heads, int threads) {
  const auto ops = ops_for<float>(DeviceKind::cpu, {{"attention", "flash"}});
  const int64_t size = kSeq * heads * kD;
  const auto qkv = random_values<float>(3 * size, 1), d_out = random_values<float>(size, 2);
  Results got{std::vector<float>(size), std::vector<float>(3 * size)};
  std::vector<std::byte> saved(ops.attention_saved_bytes(1, kSeq, heads, kD));
  Cpu cpu(threads);
  ops.attention_forward(cpu.context(), {.batch = 1,
                                        .seq = kSeq,
                                        .heads = heads,
                                        .d = kD,
                                        .qkv = qkv.data(),
                                        .out = got.out.data(),
                                        .saved = saved.data()});
  ops.attention_backward(cpu.context(), {.batch = 1,
                                         .seq = kSeq,
                                         .heads = heads,
                                         .d = kD,
                                         .qkv = qkv.data(),
                                         .out = got.out.data(),
                                         .saved = saved.data(),
                                         .d_out = d_out.data(),
                                         .d_qkv = got.d_qkv.data()});
  return got;
}

TEST(FlashAttention, GivesTheSameBitsForEveryNumberOfThreads) {
  for (const int64_t heads : {1, 3}) {
    const Results want = attend(heads, 1);
    for (const int threads : {2, 3, 5}) {
      const Results got = attend(heads, threads);
      EXPECT_TRUE(same_bits<float>(got.out, want.out)) << heads << " heads, " << threads;
      EXPECT_TRUE(same_bits<float>(got.d_qkv, want.d_qkv)) << heads << " heads, " << threads;
    }
  }
}

}  // namespace
}  // namespace bench::kernels::test
