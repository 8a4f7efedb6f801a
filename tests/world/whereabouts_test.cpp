#include "bench/world/whereabouts.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

// Rank r of four that all wait in the seventh collective of the second case.
std::vector<RankView> four_waiting() {
  std::vector<RankView> ranks;
  for (int r = 0; r < 4; ++r)
    ranks.push_back({.rank = r,
                     .host = "node" + std::to_string(r),
                     .where = {.place = 2,
                               .case_name = "train.step",
                               .phase = "samples",
                               .entered = 7,
                               .left = 6,
                               .inside = "all_reduce"},
                     .silent_s = 0.1,
                     .connected = true});
  return ranks;
}

std::vector<int> numbers(const std::vector<Laggard>& laggards) {
  std::vector<int> found;
  for (const Laggard& l : laggards) found.push_back(l.rank);
  return found;
}

TEST(WhoIsLate, TheRankThatShowsNoSignOfLife) {
  auto ranks = four_waiting();
  ranks[2].silent_s = 6.24;
  const auto late = who_is_late(ranks);
  ASSERT_EQ(numbers(late), std::vector<int>{2});
  EXPECT_EQ(late[0].host, "node2");
  EXPECT_EQ(late[0].why, "no sign of life for 6.2 s");
  EXPECT_EQ(late[0].last_range, "train.step / samples");
}

TEST(WhoIsLate, SilenceCountsMoreThanCollectives) {
  auto ranks = four_waiting();
  ranks[1].where.entered = 3;
  ranks[3].silent_s = 2;
  EXPECT_EQ(numbers(who_is_late(ranks)), std::vector<int>{3});
}

TEST(WhoIsLate, TheRankThatHasNotEnteredTheCollective) {
  auto ranks = four_waiting();
  ranks[1].where = {.place = 2,
                    .case_name = "train.step",
                    .phase = "verify",
                    .entered = 6,
                    .left = 6,
                    .inside = ""};
  const auto late = who_is_late(ranks);
  ASSERT_EQ(numbers(late), std::vector<int>{1});
  EXPECT_EQ(late[0].why, "not in collective #7 all_reduce that others wait in");
  EXPECT_EQ(late[0].last_range, "train.step / verify");
}

TEST(WhoIsLate, SeveralRanks) {
  auto ranks = four_waiting();
  ranks[0].where.entered = 5;
  ranks[3].where.entered = 6;
  EXPECT_EQ(numbers(who_is_late(ranks)), (std::vector<int>{0, 3}));
}

TEST(WhoIsLate, ARankStillAtAnEarlierCaseHoweverManyCollectivesItHadThere) {
  auto ranks = four_waiting();
  ranks[3].where = {.place = 1,
                    .case_name = "all_reduce.64MiB",
                    .phase = "",
                    .entered = 900,
                    .left = 900,
                    .inside = ""};
  const auto late = who_is_late(ranks);
  ASSERT_EQ(numbers(late), std::vector<int>{3});
  EXPECT_EQ(late[0].last_range, "all_reduce.64MiB");
}

TEST(WhoIsLate, ARankThatLeftWhatOthersAreStillIn) {
  auto ranks = four_waiting();
  ranks[2].where.left = 7;
  ranks[2].where.inside = "";
  const auto late = who_is_late(ranks);
  ASSERT_EQ(numbers(late), std::vector<int>{2});
  EXPECT_EQ(late[0].why, "has left collective #7 that others are still in");
}

TEST(WhoIsLate, AllWhenNobodyIsBehind) {
  auto ranks = four_waiting();
  EXPECT_EQ(who_is_late(ranks).size(), 4U);
  for (RankView& r : ranks) r.where.inside = "";
  EXPECT_EQ(who_is_late(ranks).size(), 4U);
  EXPECT_EQ(who_is_late(ranks)[0].why, "still working, like all others");
}

TEST(WhoIsLate, ARankNeverHeardOfIsJudgedByItsCountsOnly) {
  auto ranks = four_waiting();
  ranks[2] = {
      .rank = 2, .host = "node2", .where = {.place = 2}, .silent_s = 99, .connected = false};
  const auto late = who_is_late(ranks);
  ASSERT_EQ(numbers(late), std::vector<int>{2});
  EXPECT_EQ(late[0].why.find("no sign of life"), std::string::npos);
}

TEST(WhoIsLate, NobodyOfNobody) { EXPECT_TRUE(who_is_late({}).empty()); }

TEST(Whereabouts, SurviveTheWire) {
  const Whereabouts w = four_waiting()[0].where;
  const Whereabouts back = from_line(to_line(w));
  EXPECT_EQ(back.place, 2);
  EXPECT_EQ(back.case_name, "train.step");
  EXPECT_EQ(back.phase, "samples");
  EXPECT_EQ(back.entered, 7);
  EXPECT_EQ(back.left, 6);
  EXPECT_EQ(back.inside, "all_reduce");
  EXPECT_EQ(from_line("garbage").entered, 0);
  EXPECT_EQ(from_line("").case_name, "");
}

}  // namespace
}  // namespace bench
