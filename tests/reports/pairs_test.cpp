// Which rank, host or path a matrix of times blames.
#include "reports/derive/pairs.h"

#include <gtest/gtest.h>

#include <random>

#include "reports/derive/finish.h"
#include "tests/reports/sample.h"

namespace bench::reports {
namespace {

using Matrix = std::vector<std::vector<schema::Number>>;

// `ranks_per_host` ranks on each host "a", "b", …
std::vector<std::string> hosts_of(size_t ranks, size_t ranks_per_host) {
  std::vector<std::string> hosts;
  for (size_t r = 0; r < ranks; ++r)
    hosts.emplace_back(1, static_cast<char>('a' + r / ranks_per_host));
  return hosts;
}

// 1 us inside a host, 10 us between hosts, each off by up to `noise`, a fraction.
Matrix healthy(const std::vector<std::string>& hosts, double noise, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> off(1, 1 + noise);
  Matrix m(hosts.size(), std::vector<schema::Number>(hosts.size()));
  for (size_t i = 0; i < hosts.size(); ++i)
    for (size_t j = i + 1; j < hosts.size(); ++j)
      m[i][j] = m[j][i] = (hosts[i] == hosts[j] ? 1e-6 : 1e-5) * off(engine);
  return m;
}

void slow_down(Matrix& m, size_t i, size_t j, double factor) {
  if (i == j) return;
  m[i][j] = m[j][i] = *m[i][j] * factor;
}

std::string joined(const std::vector<std::string>& findings) {
  std::string all;
  for (const std::string& words : findings) all += words + "\n";
  return all;
}

TEST(Pairs, OfHealthyRanksBlameNobody) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    for (const size_t ranks : {3, 4, 8, 16}) {
      const auto hosts = hosts_of(ranks, 4);
      EXPECT_EQ(joined(slow_in(healthy(hosts, 0.8, seed), hosts)), "");
    }
  }
}

TEST(Pairs, NameASlowRankOnceAndNobodyElse) {
  for (const size_t ranks : {3, 4, 8, 13}) {
    for (size_t slow = 0; slow < ranks; ++slow) {
      const auto hosts = hosts_of(ranks, ranks);
      Matrix m = healthy(hosts, 0.2, 1);
      for (size_t r = 0; r < ranks; ++r) slow_down(m, slow, r, 3);
      const auto findings = slow_in(m, hosts);
      ASSERT_EQ(findings.size(), 1) << joined(findings);
      EXPECT_TRUE(findings[0].starts_with("rank " + std::to_string(slow) + " on host a is slow"))
          << findings[0];
    }
  }
}

TEST(Pairs, NameASlowPathBetweenTwoRanks) {
  const auto hosts = hosts_of(6, 6);
  Matrix m = healthy(hosts, 0.2, 1);
  slow_down(m, 1, 4, 10);
  const auto findings = slow_in(m, hosts);
  ASSERT_EQ(findings.size(), 1) << joined(findings);
  EXPECT_NE(findings[0].find("between rank 1 on host a and rank 4 on host a"), std::string::npos);
}

TEST(Pairs, NameASlowPathBetweenTwoHosts) {
  const auto hosts = hosts_of(6, 2);
  Matrix m = healthy(hosts, 0.2, 1);
  for (const size_t a : {0, 1})
    for (const size_t c : {4, 5}) slow_down(m, a, c, 10);
  const auto findings = slow_in(m, hosts);
  ASSERT_EQ(findings.size(), 1) << joined(findings);
  EXPECT_TRUE(findings[0].starts_with("the path between hosts a and c is slow")) << findings[0];
}

TEST(Pairs, NameTheLinkOfAHostRatherThanItsRanks) {
  const auto hosts = hosts_of(8, 2);
  Matrix m = healthy(hosts, 0.2, 1);
  for (const size_t b : {2, 3})
    for (const size_t other : {0, 1, 4, 5, 6, 7}) slow_down(m, b, other, 10);
  const auto findings = slow_in(m, hosts);
  ASSERT_EQ(findings.size(), 1) << joined(findings);
  EXPECT_TRUE(findings[0].starts_with("the link of host b is slow")) << findings[0];
}

TEST(Pairs, OfARankAndAPathAreBothNamed) {
  const auto hosts = hosts_of(8, 8);
  Matrix m = healthy(hosts, 0.2, 1);
  for (size_t r = 0; r < 8; ++r) slow_down(m, 5, r, 4);
  slow_down(m, 0, 2, 4);
  const auto findings = slow_in(m, hosts);
  ASSERT_EQ(findings.size(), 2) << joined(findings);
  EXPECT_TRUE(findings[0].starts_with("rank 5"));
  EXPECT_NE(findings[1].find("rank 0"), std::string::npos);
}

// A case of one round, in which each rank took so long.
schema::CaseResult round_of(const std::string& pairs, std::vector<double> seconds) {
  schema::CaseResult c = test::measured_case("collectives.pairs.8.round0", 3, {1e-6});
  c.params["pairs"] = pairs;
  c.params["bytes"] = 8.0;
  c.ranks_time_s.emplace();
  c.ranks_time_s->median = std::move(seconds);
  return c;
}

schema::Report three_ranks(double slow_s) {
  schema::Report report;
  for (int r = 0; r < 3; ++r) {
    report.environment.ranks.emplace_back();
    report.environment.ranks.back().rank = r;
    report.environment.ranks.back().host = "a";
  }
  report.cases = {round_of("0-1", {1e-6, 1.1e-6, 0}), round_of("0-2", {slow_s, 1e-6, 1e-6}),
                  round_of("1-2", {0, 1e-6, slow_s})};
  return report;
}

TEST(Pairs, OfAReportAreTheSlowerEndOfEachPair) {
  schema::Report report = three_ranks(5e-6);
  finish(report, {});
  ASSERT_EQ(report.pairs.size(), 1);
  const schema::Pairs& pairs = report.pairs.front();
  ASSERT_EQ(pairs.sizes.size(), 1);
  EXPECT_EQ(pairs.sizes[0].bytes, 8);
  EXPECT_EQ(pairs.sizes[0].seconds[1][0], 1.1e-6);
  EXPECT_EQ(pairs.sizes[0].seconds[0][2], 5e-6);
  EXPECT_EQ(pairs.sizes[0].seconds[1][1], std::nullopt);
  EXPECT_EQ(pairs.verdict, "slow");
  EXPECT_NE(joined(pairs.findings).find("rank 2 on host a is slow"), std::string::npos);
}

TEST(Pairs, SayNoneOrNothing) {
  schema::Report report = three_ranks(1e-6);
  finish(report, {});
  EXPECT_EQ(report.pairs.front().verdict, "none");
  EXPECT_TRUE(report.pairs.front().findings.empty());
  report.environment.oversubscribed = true;
  finish(report, {});
  EXPECT_EQ(report.pairs.front().verdict, "unknown");
  report.cases.clear();
  finish(report, {});
  EXPECT_TRUE(report.pairs.empty());
}

}  // namespace
}  // namespace bench::reports
