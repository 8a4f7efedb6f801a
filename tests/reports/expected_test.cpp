// What all-reduces should take: the fit, the formulas, the table of the fastest.
#include "reports/derive/expected.h"

#include <gtest/gtest.h>

#include <cmath>

#include "reports/derive/finish.h"
#include "tests/reports/sample.h"

namespace bench::reports {
namespace {

constexpr double kAlpha = 2e-6, kBeta = 1e-10, kGamma = 5e-11;

schema::CaseResult case_of(const std::string& operation, double bytes, double seconds,
                           const std::string& variant = "") {
  schema::CaseResult c = test::measured_case("collectives." + operation, 2, {seconds});
  c.params["operation"] = operation;
  c.params["bytes"] = bytes;
  if (!variant.empty()) c.params["variant"] = variant;
  return c;
}

schema::CaseResult pair_of(double bytes) {
  const double seconds = kAlpha + bytes * kBeta;
  schema::CaseResult c = case_of("exchange", bytes, seconds);
  c.params["pairs"] = std::string("0-1");
  c.ranks_time_s.emplace();
  c.ranks_time_s->median = {seconds, seconds * 0.9};
  return c;
}

schema::Report two_ranks(const std::string& other_host) {
  schema::Report report;
  for (const std::string& host : {std::string("a"), other_host}) {
    report.environment.ranks.emplace_back();
    report.environment.ranks.back().host = host;
  }
  report.cases = {pair_of(8), pair_of(4 << 20), case_of("local_reduce", 1e6, 1e6 * kGamma)};
  return report;
}

TEST(Expected, FitsWhatMessagesAndReductionsCost) {
  for (const std::string host : {"a", "b"}) {
    schema::Report report = two_ranks(host);
    finish(report, {});
    ASSERT_EQ(report.expected.size(), 1);
    const schema::Expected& e = report.expected.front();
    ASSERT_EQ(e.links.size(), 1);
    EXPECT_EQ(e.links[0].kind, host == "a" ? "intra" : "inter");
    EXPECT_NEAR(e.links[0].alpha_s, kAlpha, 1e-12);
    EXPECT_NEAR(e.links[0].beta_s_per_byte, kBeta, 1e-16);
    EXPECT_NEAR(e.gamma_s_per_byte, kGamma, 1e-16);
  }
}

TEST(Expected, SetsAVariantAgainstItsFormulaAndALibraryAgainstTheBest) {
  schema::Report report = two_ranks("a");
  const CostModel cost{.alpha_s = kAlpha, .beta_s_per_byte = kBeta, .gamma_s_per_byte = kGamma};
  const double n = 1 << 20, ring = formula_s("ring", 2, n, cost);
  report.cases.push_back(case_of("all_reduce", n, 3 * ring, "library"));
  report.cases.push_back(case_of("all_reduce", n, 2 * ring, "ring"));
  report.cases.push_back(case_of("all_reduce", n, ring, "shared"));
  report.cases.push_back(case_of("all_reduce", n, ring, "library.binomial"));
  report.cases.push_back(case_of("all_reduce", n, ring, "library.linear"));
  finish(report, {});
  const schema::Expected& e = report.expected.front();
  ASSERT_EQ(e.all_reduces.size(), 3);  // neither shared memory nor linear has a formula
  EXPECT_EQ(e.all_reduces[2].algorithm, "binomial");
  // Two ranks: ring and Rabenseifner are the same, and the best for a long vector.
  EXPECT_EQ(e.all_reduces[0].algorithm, "ring");
  EXPECT_NEAR(e.all_reduces[0].ratio, 3, 1e-6);
  EXPECT_NEAR(e.all_reduces[1].ratio, 2, 1e-6);
  ASSERT_EQ(e.best.size(), 1);
  EXPECT_EQ(e.best[0].best, "shared");
  EXPECT_EQ(e.best[0].first, "library");
  EXPECT_NEAR(e.best[0].first_over_best, 3, 1e-9);
}

TEST(Expected, IsNothingWithoutPairsOrReductions) {
  schema::Report report = two_ranks("a");
  report.cases.pop_back();
  finish(report, {});
  EXPECT_TRUE(report.expected.empty());
}

// Spot checks beside those in virtual time: powers of two, and three ranks, which fold.
TEST(Expected, FormulasAreThePublishedOnes) {
  const CostModel c{.alpha_s = 1, .beta_s_per_byte = 10, .gamma_s_per_byte = 100};
  EXPECT_DOUBLE_EQ(formula_s("ring", 4, 8, c), 6 + 2 * 0.75 * 80 + 0.75 * 800);
  EXPECT_DOUBLE_EQ(formula_s("recursive_doubling", 4, 8, c), 2 * (1 + 80 + 800));
  EXPECT_DOUBLE_EQ(formula_s("recursive_doubling", 3, 8, c), (1 + 80 + 800) + 2 * 81 + 800);
  EXPECT_DOUBLE_EQ(formula_s("rabenseifner", 4, 8, c), 4 + 2 * 0.75 * 80 + 0.75 * 800);
  EXPECT_DOUBLE_EQ(formula_s("binomial", 3, 8, c), 4 * 81 + 2 * 800);
  EXPECT_DOUBLE_EQ(formula_s("one_shot", 3, 8, c), 2 * 881);
  EXPECT_DOUBLE_EQ(formula_s("one_shot", 1, 8, c), 0);
  EXPECT_THROW(formula_s("star", 2, 8, c), std::invalid_argument);
}

// Another's plugin may name its parameters as it likes.
TEST(Expected, LeavesOutCasesThatDoNotSayHowManyBytes) {
  schema::Report report = two_ranks("a");
  for (const char* operation : {"all_reduce", "local_reduce"}) {
    report.cases.push_back(case_of(operation, 1024, 1e-3, "library"));
    report.cases.back().params.erase("bytes");
  }
  report.cases.push_back(case_of("local_reduce", 0, 1e-3));
  finish(report, {});
  ASSERT_EQ(report.expected.size(), 1);
  EXPECT_TRUE(report.expected.front().all_reduces.empty());
  EXPECT_TRUE(report.expected.front().best.empty());
  EXPECT_NEAR(report.expected.front().gamma_s_per_byte, kGamma, 1e-16);
}

}  // namespace
}  // namespace bench::reports
