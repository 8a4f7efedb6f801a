#include "parallel/comm/agreement.h"

#include <gtest/gtest.h>

#include <vector>

#include "bench/base/status.h"
#include "parallel/comm/threads/threads_communicator.h"

namespace bench {
namespace {

// What every rank was told, when rank r holds hashes[r].
std::vector<std::string> words_for(const std::vector<uint64_t>& hashes) {
  std::vector<std::string> told(hashes.size());
  run_ranks(static_cast<int>(hashes.size()), [&](Communicator& comm) {
    const auto me = static_cast<size_t>(comm.rank());
    try {
      agree(comm, "the plan", hashes[me]);
    } catch (const AgreedError& e) {
      told[me] = e.what();
    }
  });
  return told;
}

TEST(Agree, SaysNothingWhenAllHoldTheSame) {
  for (const std::string& words : words_for({5, 5, 5, 5})) EXPECT_EQ(words, "");
}

TEST(Agree, NamesTheMinorityOnEveryRankAlike) {
  const std::vector<std::string> told = words_for({9, 5, 5, 8, 5});
  EXPECT_NE(told[0].find("the plan: ranks 0, 3 differ"), std::string::npos) << told[0];
  for (const std::string& words : told) EXPECT_EQ(words, told[0]);
}

TEST(Agree, TakesRankZeroForRightBetweenTwo) {
  EXPECT_NE(words_for({1, 2})[0].find("rank 1 differs"), std::string::npos);
  EXPECT_NE(words_for({2, 1})[0].find("rank 1 differs"), std::string::npos);
}

TEST(AllReady, GoesOnOnlyWhereNoRankHasAReasonNotTo) {
  const auto told_with = [](const std::vector<std::string>& reasons) {
    std::vector<std::string> told(reasons.size(), "went on");
    run_ranks(static_cast<int>(reasons.size()), [&](Communicator& comm) {
      const auto me = static_cast<size_t>(comm.rank());
      try {
        all_ready(comm, "starting NCCL", reasons[me]);
      } catch (const AgreedError& e) {
        told[me] = e.what();
      }
    });
    return told;
  };
  EXPECT_EQ(told_with({"", "", ""}), std::vector<std::string>(3, "went on"));
  EXPECT_EQ(told_with({"", "no GPU", "no driver"}),
            std::vector<std::string>(3, "starting NCCL: rank 1 cannot: no GPU"));
}

}  // namespace
}  // namespace bench
