#include "bench/runner/option_lists.h"

#include <gtest/gtest.h>

#include "bench/base/status.h"

namespace bench::runner {
namespace {

using Texts = std::vector<std::string>;

Texts numbers(const std::string& text) { return parse_numbers("axis", text, "here").values; }

std::string words_of(const std::string& text) {
  try {
    numbers(text);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "accepted";
}

OptionSet options(const std::vector<std::pair<std::string, std::string>>& given) {
  OptionSet set;
  for (const auto& [name, value] : given) set.set(name, value, "here");
  return set;
}

TEST(OptionLists, HoldNumbersAndRanges) {
  EXPECT_EQ(numbers("m=1024"), (Texts{"1024"}));
  EXPECT_EQ(numbers("m=1,3,17,1023"), (Texts{"1", "3", "17", "1023"}));
  EXPECT_EQ(numbers("m=1:7:2"), (Texts{"1", "3", "5", "7"}));
  EXPECT_EQ(numbers("m=1:8:3"), (Texts{"1", "4", "7"}));
  EXPECT_EQ(numbers("m=256:2048:*2"), (Texts{"256", "512", "1024", "2048"}));
  EXPECT_EQ(numbers("m=3:100:*10,7,5:5:1"), (Texts{"3", "30", "7", "5"}));
}

TEST(OptionLists, EndAtTheLargestNumber) {
  EXPECT_EQ(numbers("m=4611686018427387904:9223372036854775807:*2"),
            (Texts{"4611686018427387904"}));
  EXPECT_EQ(numbers("m=9223372036854775806:9223372036854775807:1"),
            (Texts{"9223372036854775806", "9223372036854775807"}));
  EXPECT_EQ(numbers("m=1:9223372036854775807:9223372036854775807"), (Texts{"1"}));
}

TEST(OptionLists, NameTheTextThatIsNoList) {
  for (const char* text : {"", "m", "=1", "m=", "m=0", "m=-3", "m=1.5", "m=1,", "m=4:1:1", "m=1:4",
                           "m=1:4:0", "m=1:4:*1", "m=1:4:*", "m=1:4:1:1", "m=1:4:-1", "m=a:4:1",
                           "m=1:1000000:1", "m=99999999999999999999"}) {
    EXPECT_NE(words_of(text).find("'" + std::string(text) + "'"), std::string::npos) << text;
    EXPECT_EQ(words_of(text).rfind("here: --axis wants key=LIST", 0), 0U) << text;
  }
}

TEST(OptionLists, AreExpandedToEveryCombination) {
  const std::vector<OptionSet> sets = expand(options({{"variant", "gelu=a,b"},
                                                      {"axis", "m=1,2"},
                                                      {"variant", "linear=x"},
                                                      {"seed", "7"},
                                                      {"axis", "m=2,3"}}));
  std::vector<Texts> got;
  for (const OptionSet& set : sets) {
    EXPECT_EQ(set.integer("seed", 0), 7);
    Texts texts = set.list("variant");
    for (const std::string& axis : set.list("axis")) texts.push_back(axis);
    got.push_back(texts);
  }
  EXPECT_EQ(got, (std::vector<Texts>{{"gelu=a", "linear=x", "m=1"},
                                     {"gelu=a", "linear=x", "m=2"},
                                     {"gelu=a", "linear=x", "m=3"},
                                     {"gelu=b", "linear=x", "m=1"},
                                     {"gelu=b", "linear=x", "m=2"},
                                     {"gelu=b", "linear=x", "m=3"}}));
}

TEST(OptionLists, WithoutListsAreOneSet) {
  EXPECT_EQ(expand(options({{"seed", "7"}})).size(), 1U);
  EXPECT_EQ(expand({}).size(), 1U);
}

TEST(OptionLists, RefuseMoreCombinationsThanAnybodyMeans) {
  EXPECT_EQ(expand(options({{"axis", "m=1:40:1"}, {"axis", "n=1:25:1"}})).size(), 1000U);
  EXPECT_THROW(expand(options({{"axis", "m=1:40:1"}, {"axis", "n=1:26:1"}})), UsageError);
}

}  // namespace
}  // namespace bench::runner
