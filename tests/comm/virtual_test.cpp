// Virtual time against the published formulas, and payload against the exact sum.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "parallel/comm/virtual/all_reduce.h"

namespace bench::simulated {
namespace {

constexpr double kAlpha = 3e-6, kBeta = 2e-10, kGamma = 7e-11;
constexpr Link kLink{.alpha_s = kAlpha, .beta_s_per_byte = kBeta};

Cluster flat(int ranks) {
  return {.ranks = ranks,
          .network = {
              .ranks_per_host = ranks, .intra = kLink, .inter = kLink, .gamma_s_per_byte = kGamma}};
}

double seconds(const Cluster& cluster, const char* name, int64_t count) {
  return all_reduce_s(cluster, algorithms::all_reduce_named(name), count, 4);
}

void expect_close(double got, double want) {
  EXPECT_NEAR(got / want, 1.0, 1e-9) << got << " against " << want;
}

// Thakur, Rabenseifner, Gropp 2005: exact for powers of two and vectors that divide.
TEST(VirtualTime, EqualsTheFormulasWhereTheyAreExact) {
  for (const int p : {2, 4, 8, 64, 1024}) {
    const double lg = std::log2(p), share = static_cast<double>(p - 1) / p;
    for (const int64_t count : {int64_t{1} << 10, int64_t{1} << 20}) {
      const double n = 4.0 * static_cast<double>(count);
      const double both_ways = 2 * share * n * kBeta + share * n * kGamma;
      expect_close(seconds(flat(p), "ring", count), 2 * (p - 1) * kAlpha + both_ways);
      expect_close(seconds(flat(p), "recursive_doubling", count),
                   lg * (kAlpha + n * kBeta + n * kGamma));
      expect_close(seconds(flat(p), "rabenseifner", count), 2 * lg * kAlpha + both_ways);
      expect_close(seconds(flat(p), "binomial", count),
                   2 * lg * (kAlpha + n * kBeta) + lg * n * kGamma);
      expect_close(seconds(flat(p), "one_shot", count),
                   (p - 1) * (kAlpha + n * kBeta + n * kGamma));
    }
  }
}

// Three ranks of which the first two pair up: one message in, the core's exchange, one out.
TEST(VirtualTime, OfFoldedRanksIsTwoMessagesMore) {
  const double n = 4000;
  expect_close(seconds(flat(3), "recursive_doubling", 1000),
               3 * (kAlpha + n * kBeta) + 2 * n * kGamma);
}

// About 2 lg p alpha + 2 n beta + n gamma where pieces are many: not exact, but near.
TEST(VirtualTime, OfTwoTreesIsNearItsBound) {
  const int64_t count = int64_t{1} << 26;
  const double n = 4.0 * static_cast<double>(count);
  const double bound = 2 * n * kBeta + n * kGamma;
  const double got = seconds(flat(64), "double_tree", count);
  EXPECT_GT(got, bound);
  EXPECT_LT(got, 2.5 * bound);
}

// Rails use every rank's link between hosts; a flat ring of slow links is held up by each.
TEST(VirtualTime, TwoLevelsPayWhereHostsAreFarApart) {
  Cluster cluster = flat(64);
  cluster.network.ranks_per_host = 8;
  cluster.network.inter = {.alpha_s = 2e-5, .beta_s_per_byte = 1e-9};
  const int64_t count = 1 << 16;
  const double rail = seconds(cluster, "two_level_rail", count);
  EXPECT_LT(rail, seconds(cluster, "ring", count));
  EXPECT_LT(rail, seconds(cluster, "recursive_doubling", count));
  EXPECT_LT(rail, seconds(cluster, "two_level_leader", count));
  // Of a vector that is nearly nothing, few messages matter.
  EXPECT_LT(seconds(cluster, "two_level_leader", 4), seconds(cluster, "two_level_rail", 4));
}

TEST(VirtualTime, IsTheSameWithPayloadWhichIsSummedExactly) {
  constexpr int kRanks = 64;
  constexpr int64_t kCount = 1003;
  Cluster cluster = flat(kRanks);
  cluster.network.ranks_per_host = 8;
  const algorithms::Hosts hosts = hosts_of(cluster);
  for (const algorithms::AllReduce& algorithm : algorithms::all_reduces()) {
    SCOPED_TRACE(algorithm.name);
    const auto call = [&](int rank) {
      return algorithms::Call{
          .rank = rank, .ranks = kRanks, .count = kCount, .segment = 100, .hosts = &hosts};
    };
    std::vector<std::vector<float>> results, scratch;
    std::vector<algorithms::Memory> memory;
    for (int r = 0; r < kRanks; ++r) {
      results.emplace_back(kCount);
      for (int64_t i = 0; i < kCount; ++i)
        results.back()[static_cast<size_t>(i)] = static_cast<float>((i * 7 + r * 13) % 61 - 30);
      scratch.emplace_back(static_cast<size_t>(algorithm.scratch(call(r))) + 1);
    }
    std::vector<float> sum(kCount);
    for (const auto& mine : results)
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += mine[i];
    for (size_t r = 0; r < kRanks; ++r)
      memory.push_back(
          {.result = results[r].data(), .scratch = scratch[r].data(), .dtype = DType::f32});
    const auto schedule = [&](int rank) { return algorithm.schedule(call(rank)); };
    World without(cluster.network, kRanks, 4, schedule), with(cluster.network, kRanks, 4, schedule);
    with.carry(memory, ReduceOp::sum);
    EXPECT_EQ(with.run(), without.run());
    for (const auto& result : results) EXPECT_EQ(result, sum);
  }
}

algorithms::Schedule two_that_only_send(int rank) {
  algorithms::Round round;
  round.send(1 - rank, {.area = algorithms::Area::result, .first = 0, .count = 1});
  co_yield round;
}

TEST(VirtualTime, SaysWhoWaitsForEver) {
  World world(flat(2).network, 2, 4, two_that_only_send);
  EXPECT_THROW(world.run(), std::logic_error);
}

}  // namespace
}  // namespace bench::simulated
