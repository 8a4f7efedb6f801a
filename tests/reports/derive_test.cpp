#include <gtest/gtest.h>

#include "reports/derive/ceilings.h"
#include "reports/derive/finish.h"
#include "reports/derive/oversubscribed.h"
#include "reports/derive/rates.h"
#include "tests/reports/sample.h"

namespace bench {
namespace {

using reports::ByRound;
using schema::CaseResult;
using schema::Report;

TEST(Rates, AreWorkOverTheMedian) {
  CaseResult c = test::measured_case("x", 2, {0.5});
  c.work = {.flops = 1e12, .bytes = 2e9, .tokens = 100};
  c.message_bytes = 1e9;
  c.bus_factor = 1.5;
  const schema::Rates r = reports::derive_rates(c);
  EXPECT_DOUBLE_EQ(*r.tflops_per_rank, 2);
  EXPECT_DOUBLE_EQ(*r.gbytes_per_s, 4);
  EXPECT_DOUBLE_EQ(*r.tokens_per_s, 200);
  EXPECT_DOUBLE_EQ(*r.algbw_gbytes_per_s, 2);
  EXPECT_DOUBLE_EQ(*r.busbw_gbytes_per_s, 3);
}

TEST(Rates, AreEmptyWithoutTimeOrWork) {
  const schema::Rates idle = reports::derive_rates(test::measured_case("x", 1, {0.5}));
  EXPECT_FALSE(idle.tflops_per_rank || idle.gbytes_per_s || idle.busbw_gbytes_per_s);
  CaseResult skipped;
  skipped.work.flops = 1e12;
  EXPECT_FALSE(reports::derive_rates(skipped).tflops_per_rank);
}

TEST(Ceilings, TakeTheBestCaseOfEachRound) {
  Report r;
  r.cases.push_back(test::ceiling_case("gemm", 1, 1e9, {0.1, 0.2}));
  r.cases.push_back(test::ceiling_case("gemm", 1, 1e9, {0.2, 0.1}));
  const ByRound expected = {{0, 1e10}, {1, 1e10}};
  EXPECT_EQ(reports::gemm_rates(r, 1, "f32"), expected);
  EXPECT_TRUE(reports::gemm_rates(r, 2, "f32").empty());
  EXPECT_TRUE(reports::gemm_rates(r, 1, "bf16").empty());
}

TEST(Ceilings, HoldAnOpAgainstTheStreamOfItsPattern) {
  Report r;
  r.cases.push_back(test::ceiling_case("copy", 1, 1e9, {0.1}));
  r.cases.back().params["pattern"] = std::string("1r1w");
  r.cases.push_back(test::ceiling_case("copy", 1, 1e9, {0.05}));
  r.cases.back().params["pattern"] = std::string("1r0w");
  EXPECT_EQ(reports::copy_rates(r, 1, "f32", "1r1w"), (ByRound{{0, 1e10}}));
  EXPECT_EQ(reports::copy_rates(r, 1, "f32", ""), (ByRound{{0, 2e10}}));
  EXPECT_EQ(reports::copy_rates(r, 1, "bf16", "3r1w"), (ByRound{{0, 2e10}}));
  EXPECT_EQ(reports::stream_pattern(r, 1, "f32", "1r1w"), "1r1w");
  EXPECT_EQ(reports::stream_pattern(r, 1, "f32", "3r1w"), "");
}

// A read is no limit for what also writes.
TEST(Ceilings, TakeTheCopyWhereNoStreamHasThePattern) {
  Report r;
  for (const auto& [pattern, seconds] : {std::pair{"copy", 0.1}, {"read", 0.05}}) {
    r.cases.push_back(test::ceiling_case("copy", 1, 1e9, {seconds}));
    r.cases.back().params["pattern"] = std::string(pattern);
  }
  EXPECT_EQ(reports::copy_rates(r, 1, "f32", "3r1w"), (ByRound{{0, 1e10}}));
  EXPECT_EQ(reports::stream_pattern(r, 1, "f32", "3r1w"), "copy");
  EXPECT_EQ(reports::copy_rates(r, 1, "f32", "read"), (ByRound{{0, 2e10}}));
}

// The machine slows to half between rounds; the op keeps its share, and medians of times would not
// show it.
TEST(OfCeiling, IsFormedInsideRounds) {
  Report r;
  r.cases.push_back(test::ceiling_case("gemm", 1, 1e9, {0.1, 0.2, 0.4}));
  CaseResult op = test::measured_case("op", 1, {0.2, 0.4, 0.8});
  op.work.flops = 1e9;
  op.rounds.erase(op.rounds.begin());
  r.cases.push_back(op);
  reports::finish(r, {});
  EXPECT_DOUBLE_EQ(*r.cases[1].of_ceiling.gemm, 0.5);
  EXPECT_FALSE(r.cases[1].of_ceiling.copy);
}

TEST(OfCeiling, SaysWhenTheCeilingMoved) {
  Report steady, moving;
  steady.cases = {test::ceiling_case("gemm", 1, 1e9, {0.1, 0.109})};
  moving.cases = {test::ceiling_case("gemm", 1, 1e9, {0.1, 0.111})};
  reports::finish(steady, {});
  reports::finish(moving, {});
  reports::finish(moving, {});
  EXPECT_FALSE(steady.ceilings[0].unsteady);
  EXPECT_TRUE(moving.ceilings[0].unsteady);
  EXPECT_TRUE(steady.cases[0].flags.empty());
  EXPECT_EQ(moving.cases[0].flags, std::vector<std::string>{"unsteady"});
}

TEST(OfCeiling, IsEmptyForACaseThatIsNotMeasured) {
  Report r;
  r.cases = {test::ceiling_case("gemm", 1, 1e9, {0.1}), test::measured_case("op", 1, {0.1})};
  r.cases[1].work.flops = 1e9;
  r.cases[1].outcome = schema::Outcome::wrong;
  reports::finish(r, {});
  EXPECT_FALSE(r.cases[1].of_ceiling.gemm);
}

TEST(Ceilings, AreListedPerRankWithItsOwnTime) {
  Report r;
  r.cases = {test::ceiling_case("gemm", 2, 1e9, {0.1})};
  r.cases[0].ranks_time_s->median = {0.05, 0.1};
  const std::vector<schema::Ceiling> found = reports::derive_ceilings(r);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_DOUBLE_EQ(*found[0].gemm_flops_per_s, 2e10);
  EXPECT_DOUBLE_EQ(*found[1].gemm_flops_per_s, 1e10);
  EXPECT_FALSE(found[0].copy_bytes_per_s);
  EXPECT_EQ(found[1].active_ranks, 2);
}

TEST(Oversubscribed, CountsRanksAgainstWhatTheyMayUse) {
  schema::Environment e = test::sample_report().environment;
  EXPECT_FALSE(reports::oversubscribed(e, 2));
  e.oversubscribed = true;
  e.hosts[0].cores = 1;
  EXPECT_TRUE(reports::oversubscribed(e, 2));
  EXPECT_FALSE(reports::oversubscribed(e, 1));
}

TEST(Oversubscribed, KnowsAffinityAndQuota) {
  schema::Environment e = test::sample_report().environment;
  e.oversubscribed = true;
  e.ranks[0].affinity = e.ranks[1].affinity = "3";
  EXPECT_TRUE(reports::oversubscribed(e, 2));
  e.ranks[0].affinity = "0-3";
  e.hosts[0].cpu_quota = 1.5;
  EXPECT_TRUE(reports::oversubscribed(e, 2));
}

TEST(Oversubscribed, ReadsCpuLists) {
  EXPECT_EQ(reports::cpus_in("0-3,8"), 5);
  EXPECT_EQ(reports::cpus_in("7"), 1);
  EXPECT_EQ(reports::cpus_in("3-1"), 0);
  EXPECT_EQ(reports::cpus_in("all"), 0);
}

}  // namespace
}  // namespace bench
