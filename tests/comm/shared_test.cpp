// Ranks over memory they map together: threads play the ranks here, tests/mpi has processes.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "bench/base/bfloat16.h"
#include "bench/base/status.h"
#include "parallel/comm/shared/shared_communicator.h"
#include "parallel/comm/shared/sums.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "tests/comm/checks.h"
#include "tests/comm/elements.h"

namespace bench {
namespace {

using comm_checks::all_checks;
using comm_checks::Check;
using comm_checks::Elements;

class OverSharedMemory : public testing::TestWithParam<Check> {};

INSTANTIATE_TEST_SUITE_P(Communicators, OverSharedMemory,
                         testing::ValuesIn(all_checks().begin(), all_checks().end()),
                         [](const auto& check) { return std::string(check.param.name); });

// Through the caches and past them.
TEST_P(OverSharedMemory, EveryCheck) {
  for (const int ranks : {1, 2, 3, 4, 8}) {
    for (const int64_t past_caches_bytes : {int64_t{0}, int64_t{1} << 40}) {
      SCOPED_TRACE(ranks);
      EXPECT_NO_THROW(run_ranks(ranks, [&](Communicator& inner) {
        SharedCommunicator comm(inner, past_caches_bytes);
        GetParam().run(comm);
      }));
    }
  }
}

double value_of(int rank, int64_t i) { return static_cast<double>((i * 7 + rank * 5) % 9 - 4); }

// Long vectors take many pieces; calls of all sizes and kinds follow each other without a barrier.
TEST(SharedMemory, CallsOfAllSizesFollowEachOther) {
  for (const int ranks : {2, 3, 5, 7, 13}) {
    SCOPED_TRACE(ranks);
    run_ranks(ranks, [&](Communicator& inner) {
      SharedCommunicator comm(inner, int64_t{1} << 20);
      for (const int64_t count : {1, 1000003, 5, 300000, 1024, 1025, 70001, 2, 2}) {
        Elements mine(DType::f32, count), sum(DType::f32, count);
        for (int64_t i = 0; i < count; ++i) mine.set(i, value_of(comm.rank(), i));
        comm.all_reduce(Stream{}, mine.at(0), sum.at(0), count, DType::f32, ReduceOp::sum);
        comm.broadcast(Stream{}, mine.at(0), count, DType::f32, comm.size() - 1);
        comm_checks::expect_elements("sum", sum, [&](int64_t i) {
          double all = 0;
          for (int r = 0; r < comm.size(); ++r) all += value_of(r, i);
          return all;
        });
        comm_checks::expect_elements("broadcast", mine,
                                     [&](int64_t i) { return value_of(comm.size() - 1, i); });
      }
    });
  }
}

// 1 + 2^-9 three times, in bf16: rounded after every addition, the small parts would be lost.
TEST(SharedMemory, SumsOfBfloat16AreRoundedOnce) {
  const bfloat16 one(1.0F), small(0x1p-8F * 0.5F);
  const std::vector<bfloat16> a(9, one), b(9, small);
  const std::vector<const void*> from = {a.data(), b.data(), b.data(), b.data()};
  std::vector<bfloat16> sum(9);
  shared::reduce_all(sum.data(), from, 9, DType::bf16, ReduceOp::sum);
  for (const bfloat16 value : sum) EXPECT_EQ(static_cast<float>(value), 1.0F + 0x1p-7F);
}

TEST(SharedMemory, WhatOneRankCannotMapNobodyHas) {
  // No file can be so long.
  EXPECT_NO_THROW(run_ranks(2, [](Communicator& inner) {
    EXPECT_THROW(shared::Segment(inner, size_t{1} << 63), Unsupported);
    shared::Segment fits(inner, 4096);  // and the communicator is usable after it
    fits.data()[4095 - inner.rank()] = 1;
    inner.barrier(Stream{});
    EXPECT_EQ(fits.data()[4094 + inner.rank()], 1);
    inner.barrier(Stream{});
  }));
}

TEST(SharedMemory, CopiesPastTheCachesAreCopies) {
  for (size_t offset = 0; offset < 20; ++offset) {
    for (const size_t bytes : {0, 1, 15, 16, 63, 64, 65, 1000}) {
      std::vector<unsigned char> from(1100), to(1100, 7);
      for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<unsigned char>(i * 13 + 1);
      shared::copy_past_caches(to.data() + offset, from.data() + 3, bytes);
      std::vector<unsigned char> want(1100, 7);
      std::copy_n(from.data() + 3, bytes, want.data() + offset);
      EXPECT_EQ(to, want) << offset << ", " << bytes;
    }
  }
}

}  // namespace
}  // namespace bench
