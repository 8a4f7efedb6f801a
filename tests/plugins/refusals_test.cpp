// What makes no sense is refused as a usage error, with words that say what and where.
#include <gtest/gtest.h>

#include "parallel/comm/self/self_communicator.h"
#include "tests/plugins/opened.h"

namespace bench::plugins::test {
namespace {

struct Asked {
  const char* plugin;
  Request request;
  std::vector<std::string> says;
};

Refusal refusal_of(const Asked& asked) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin(asked.plugin, host);
  try {
    plugin.cases(asked.request);
  } catch (const Refusal& refusal) {
    return refusal;
  }
  return {.status = BENCH_OK, .words = "accepted"};
}

void expect_invalid(const std::vector<Asked>& all) {
  for (const Asked& asked : all) {
    const Refusal got = refusal_of(asked);
    EXPECT_EQ(got.status, BENCH_INVALID) << asked.plugin << ": " << got.words;
    for (const std::string& text : asked.says)
      EXPECT_NE(got.words.find(text), std::string::npos) << got.words << " lacks " << text;
  }
}

Request training(std::pair<std::string, std::string> option, int ranks = 1) {
  return {.set = "", .options = {kTinyModel, std::move(option)}, .ranks = ranks};
}

TEST(Refusals, OfSetsAndModelsThatDoNotExist) {
  expect_invalid({
      {"kernels", {.set = "nosuch", .options = {}}, {"nosuch", "ceilings", "smoke"}},
      {"collectives", {.set = "nosuch", .options = {}}, {"nosuch", "smoke"}},
      {"kernels", {.set = "", .options = {{"model", "gpt9"}}}, {"gpt9"}},
      {"train", {.set = "", .options = {{"model", "gpt9"}}}, {"gpt9"}},
  });
}

TEST(Refusals, OfOptionsThatAreNotWhatTheyShouldBe) {
  expect_invalid({
      {"kernels", {.set = "", .options = {{"micro-batch", "two"}}}, {"micro-batch", "two"}},
      {"kernels", {.set = "", .options = {{"variant", "loops"}}}, {"op=name", "loops"}},
      {"kernels", {.set = "", .options = {{"axis", "m=0"}}}, {"axis m=0"}},
      {"kernels", {.set = "", .options = {{"variant", "linear=magic"}}}, {"magic", "onednn"}},
      {"train", training({"lr", "fast"}), {"lr", "fast"}},
  });
}

TEST(Refusals, OfLayoutsThatDoNotFit) {
  Request heads = training({"tp", "3"}, 3);
  expect_invalid({
      {"train", heads, {"4 heads", "3 tensor-parallel ranks"}},
      {"train", training({"tp", "2"}, 3), {"3 ranks", "--tp 2"}},
      {"train", training({"dp", "2"}, 5), {"5 ranks", "--dp 2"}},
      {"train", training({"dp", "8"}, 4), {"4 ranks", "--dp 8"}},
      {"train", training({"pp", "2"}, 3), {"3 ranks", "--pp 2"}},
      {"train", training({"virtual-stages", "2"}), {"virtual-stages"}},
  });
}

TEST(Refusals, OfWhatTheTrainingStepDoesNotHave) {
  expect_invalid({
      {"train", training({"dropout", "0.1"}), {"dropout"}},
      {"train", training({"recompute", "some"}), {"recompute", "some"}},
      {"train", training({"graph", "on"}), {"graph"}},
      {"train", training({"zero", "2"}), {"zero 2"}},
  });
}

TEST(Refusals, OfTokensAndWeightsThatAreNotThereComeAtOpen) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  for (const char* option : {"data", "weights"}) {
    const Request request = training({option, "/nonexistent/file.bin"});
    const std::vector<CaseCopy> cases = plugin.cases(request);
    ASSERT_EQ(cases.size(), 1U);
    try {
      Instance open(plugin, request, cases[0].name);
      ADD_FAILURE() << option << " was opened";
    } catch (const Refusal& refusal) {
      EXPECT_EQ(refusal.status, BENCH_INVALID);
      EXPECT_NE(refusal.words.find("/nonexistent/file.bin"), std::string::npos) << refusal.words;
    }
    EXPECT_TRUE(host.held().empty());
  }
}

TEST(Refusals, OfACaseThatTheRequestDoesNotName) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("template", host);
  try {
    plugin.open({.set = "", .options = {}}, "template.nosuch");
    ADD_FAILURE() << "it was opened";
  } catch (const Refusal& refusal) {
    EXPECT_EQ(refusal.status, BENCH_INVALID);
    EXPECT_NE(refusal.words.find("template.nosuch"), std::string::npos);
  }
}

}  // namespace
}  // namespace bench::plugins::test
