#include "parallel/comm/decide.h"

#include <gtest/gtest.h>

#include <vector>

#include "bench/base/status.h"

namespace bench {
namespace {

using Texts = std::vector<std::string>;

const Texts kThreeGpus = {"GPU-a", "GPU-b", "GPU-c"}, kTwoOfThree = {"GPU-a", "GPU-b", "GPU-a"};
const Texts kNothingAgainst(3);

// What --comm nccl is refused with, or "".
std::string refusal(const Texts& uuids, const Texts& why_not) {
  try {
    decide_comm(CommChoice::nccl, uuids, why_not);
  } catch (const AgreedError& e) {
    EXPECT_EQ(e.code(), ExitCode::kEnvironment);
    return e.what();
  }
  return {};
}

TEST(DecideComm, ReadsTheOptionAndNothingElse) {
  EXPECT_EQ(parse_comm_choice("auto"), CommChoice::automatic);
  EXPECT_EQ(parse_comm_choice("nccl"), CommChoice::nccl);
  EXPECT_EQ(parse_comm_choice("staged"), CommChoice::staged);
  EXPECT_EQ(parse_comm_choice("mpi"), CommChoice::mpi);
  EXPECT_EQ(parse_comm_choice("shared"), CommChoice::shared);
  EXPECT_THROW(parse_comm_choice("tcp"), UsageError);
  EXPECT_THROW(parse_comm_choice(""), UsageError);
}

TEST(DecideComm, AutoTakesNcclWhereEveryRankHasAGpu) {
  const CommDecision decided = decide_comm(CommChoice::automatic, kThreeGpus, kNothingAgainst);
  EXPECT_TRUE(decided.nccl);
  EXPECT_EQ(decided.reason, "every rank has a GPU of its own");
}

TEST(DecideComm, AutoStagesForRanksThatShareAGpuAndNamesThem) {
  const CommDecision decided = decide_comm(CommChoice::automatic, kTwoOfThree, kNothingAgainst);
  EXPECT_FALSE(decided.nccl);
  EXPECT_NE(decided.reason.find("ranks 0, 2 share one GPU (GPU-a)"), std::string::npos)
      << decided.reason;
}

TEST(DecideComm, AutoStagesWhereOneRankHasNoNccl) {
  const Texts why_not = {"", "libnccl.so.2 is not there", ""};
  const CommDecision decided = decide_comm(CommChoice::automatic, kThreeGpus, why_not);
  EXPECT_FALSE(decided.nccl);
  EXPECT_EQ(decided.reason, "rank 1: libnccl.so.2 is not there");
}

TEST(DecideComm, GpusThatCannotBeToldApartCountAsShared) {
  EXPECT_NE(shared_gpu(Texts{"", ""}), "");
  EXPECT_EQ(shared_gpu(Texts{""}), "");
}

TEST(DecideComm, NcclIsNeverReplacedWhereItIsAskedFor) {
  EXPECT_EQ(refusal(kThreeGpus, kNothingAgainst), "");
  EXPECT_NE(refusal(kTwoOfThree, kNothingAgainst).find("ranks 0, 2 share"), std::string::npos);
  EXPECT_NE(refusal(kThreeGpus, {"", "", "too old"}).find("rank 2: too old"), std::string::npos);
}

TEST(DecideComm, StagingIsAlwaysPossible) {
  EXPECT_FALSE(decide_comm(CommChoice::staged, kThreeGpus, kNothingAgainst).nccl);
  EXPECT_FALSE(decide_comm(CommChoice::staged, kTwoOfThree, kNothingAgainst).nccl);
}

TEST(DecideComm, ARankAloneUsesNcclOnlyWhenAsked) {
  EXPECT_FALSE(decide_comm(CommChoice::automatic, Texts{"GPU-a"}, Texts(1)).nccl);
  EXPECT_TRUE(decide_comm(CommChoice::nccl, Texts{"GPU-a"}, Texts(1)).nccl);
  EXPECT_THROW(decide_comm(CommChoice::nccl, Texts{"GPU-a"}, Texts{"no GPU"}), AgreedError);
}

}  // namespace
}  // namespace bench
