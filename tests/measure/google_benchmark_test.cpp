// Run twice by CTest: as it is, and with BENCHMARK_* variables that would hide cases or write
// files.

#include "bench/measure/google_benchmark.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

namespace bench::measure {
namespace {

schema::CaseResult measured(const std::string& name,
                            const std::vector<std::vector<double>>& rounds) {
  schema::CaseResult result;
  result.name = name;
  result.outcome = schema::Outcome::measured;
  result.device = "cpu";
  result.dtype = "f32";
  result.ranks = 2;
  for (size_t i = 0; i < rounds.size(); ++i) {
    result.samples_s.insert(result.samples_s.end(), rounds[i].begin(), rounds[i].end());
    result.rounds.push_back({.index = static_cast<int>(i),
                             .median_s = rounds[i][rounds[i].size() / 2],
                             .n = static_cast<int64_t>(rounds[i].size())});
  }
  return result;
}

std::vector<schema::BenchmarkEntry> replay_one(const schema::CaseResult& result) {
  return replay(std::span(&result, 1));
}

TEST(GoogleBenchmark, gives_an_entry_a_round_and_the_aggregates) {
  const auto entries =
      replay_one(measured("gpt2.layer.mlp.fc1.fwd", {{1e-6, 2e-6, 6e-6}, {4e-6, 4e-6}, {8e-6}}));
  ASSERT_EQ(entries.size(), 7u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(entries[i].name, "gpt2.layer.mlp.fc1.fwd");
    EXPECT_EQ(entries[i].run_name, "gpt2.layer.mlp.fc1.fwd");
    EXPECT_EQ(entries[i].run_type, "iteration");
    EXPECT_EQ(entries[i].repetitions, 3);
    EXPECT_EQ(entries[i].repetition_index, static_cast<int64_t>(i));
    EXPECT_EQ(entries[i].threads, 1);
    EXPECT_EQ(entries[i].time_unit, "ns");
    EXPECT_EQ(entries[i].label, "cpu f32, 2 ranks");
  }
  EXPECT_EQ(entries[0].iterations, 3);
  EXPECT_NEAR(entries[0].real_time, 3000, 1e-6);
  EXPECT_NEAR(entries[0].counters.at("median_ns"), 2000, 1e-6);
  EXPECT_NEAR(entries[1].real_time, 4000, 1e-6);
  EXPECT_NEAR(entries[2].real_time, 8000, 1e-6);
}

TEST(GoogleBenchmark, aggregates_are_over_the_rounds) {
  const auto entries = replay_one(measured("copy", {{3e-6}, {4e-6}, {8e-6}}));
  ASSERT_EQ(entries.size(), 7u);
  const auto expect_aggregate = [&](size_t at, const char* name, double value, const char* unit) {
    EXPECT_EQ(entries[at].name, std::string("copy_") + name);
    EXPECT_EQ(entries[at].run_name, "copy");
    EXPECT_EQ(entries[at].run_type, "aggregate");
    EXPECT_EQ(entries[at].aggregate_name, name);
    EXPECT_EQ(entries[at].aggregate_unit, unit);
    EXPECT_EQ(entries[at].iterations, 3);
    EXPECT_NEAR(entries[at].real_time, value, 1e-6);
  };
  const double deviation = std::sqrt(7e6);
  expect_aggregate(3, "mean", 5000, "time");
  expect_aggregate(4, "median", 4000, "time");
  expect_aggregate(5, "stddev", deviation, "time");
  expect_aggregate(6, "cv", deviation / 5000, "percentage");
}

TEST(GoogleBenchmark, keeps_names_whatever_they_hold_and_their_order) {
  const std::vector<schema::CaseResult> cases = {
      measured("z.last", {{1e-3}}), measured("a/b:1", {{2e-3}}), measured("m.same", {{3e-3}}),
      measured("m.same", {{4e-3}})};
  const auto entries = replay(cases);
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[0].name, "z.last");
  EXPECT_EQ(entries[1].name, "a/b:1");
  EXPECT_EQ(entries[3].name, "m.same");
  EXPECT_NEAR(entries[3].real_time, 4e6, 1e-3);
}

TEST(GoogleBenchmark, can_be_asked_again) {
  for (int i = 0; i < 2; ++i) {
    const auto entries = replay_one(measured("again", {{1e-3}}));
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(entries[0].name, "again");
  }
}

TEST(GoogleBenchmark, cases_without_times_give_nothing) {
  schema::CaseResult skipped = measured("skipped", {{1e-3}});
  skipped.outcome = schema::Outcome::skipped;
  EXPECT_TRUE(replay_one(skipped).empty());
  EXPECT_TRUE(replay({}).empty());
  EXPECT_TRUE(replay_one(measured("no.rounds", {})).empty());
}

TEST(GoogleBenchmark, a_round_whose_samples_were_not_kept_has_its_median) {
  schema::CaseResult result = measured("thin", {{1e-6, 2e-6, 6e-6}});
  result.samples_s.clear();
  const auto entries = replay_one(result);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].iterations, 3);
  EXPECT_NEAR(entries[0].real_time, 2000, 1e-6);
}

TEST(GoogleBenchmark, writes_no_file_of_its_own) {
  replay_one(measured("quiet", {{1e-3}}));
  const char* inherited = std::getenv("BENCHMARK_OUT");
  EXPECT_FALSE(inherited != nullptr && std::filesystem::exists(inherited));
}

TEST(GoogleBenchmark, context_describes_the_machine) {
  const schema::BenchmarkContext found = context("bench");
  EXPECT_EQ(found.executable, "bench");
  EXPECT_GT(found.num_cpus, 0);
  EXPECT_FALSE(found.host_name.empty());
  // 2026-01-31T12:00:00+01:00
  ASSERT_EQ(found.date.size(), 25u);
  EXPECT_EQ(found.date[10], 'T');
  EXPECT_EQ(found.date[22], ':');
}

}  // namespace
}  // namespace bench::measure
