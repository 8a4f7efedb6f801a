// Typed access to a request's options.
#include "bench/sdk/request.h"

#include <gtest/gtest.h>

#include "bench/base/status.h"

namespace bench::sdk {
namespace {

Request request_with(std::vector<bench_param> options) {
  const bench_request given{.size = sizeof(bench_request),
                            .suite = "s",
                            .set = nullptr,
                            .device = "cpu",
                            .dtype = "f32",
                            .ranks = 3,
                            .threads = 2,
                            .seed = 5,
                            .last_level_cache_bytes = 64,
                            .options = options.data(),
                            .option_count = static_cast<uint32_t>(options.size())};
  return Request(given);
}

template <class F>
std::string usage_words(F&& call) {
  try {
    call();
  } catch (const UsageError& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Request, CopiesItsFieldsAndTakesAMissingTextAsEmpty) {
  const Request r = request_with({});
  EXPECT_EQ(r.suite, "s");
  EXPECT_EQ(r.set, "");
  EXPECT_EQ(r.ranks, 3);
  EXPECT_EQ(r.seed, 5U);
}

TEST(Request, GivesAnOptionInItsTypeOrTheDefault) {
  const Request r = request_with({{.key = "n", .text = "-12"},
                                  {.key = "x", .text = "2.5e-3"},
                                  {.key = "on", .text = "true"},
                                  {.key = "off", .text = "false"}});
  EXPECT_EQ(r.integer("n", 1), -12);
  EXPECT_EQ(r.integer("m", 1), 1);
  EXPECT_EQ(r.real("x", 0), 2.5e-3);
  EXPECT_EQ(r.real("n", 0), -12.0);
  EXPECT_TRUE(r.flag("on"));
  EXPECT_FALSE(r.flag("off"));
  EXPECT_FALSE(r.flag("absent"));
  EXPECT_EQ(r.text("x", ""), "2.5e-3");
}

TEST(Request, TakesASwitchInWords) {
  const Request r = request_with(
      {{.key = "a", .text = "on"}, {.key = "b", .text = "off"}, {.key = "c", .text = "true"}});
  EXPECT_TRUE(r.is_on("a", false));
  EXPECT_FALSE(r.is_on("b", true));
  EXPECT_TRUE(r.is_on("absent", true));
  EXPECT_FALSE(r.is_on("absent", false));
  EXPECT_EQ(usage_words([&] { r.is_on("c", true); }), "--c wants on or off, not 'true'");
}

TEST(Request, NamesTheOptionAndTheTextThatDoNotFit) {
  const Request r = request_with({{.key = "n", .text = "12x"},
                                  {.key = "x", .text = "two"},
                                  {.key = "empty", .text = ""},
                                  {.key = "on", .text = "yes"},
                                  {.key = "big", .text = "99999999999999999999"}});
  EXPECT_EQ(usage_words([&] { r.integer("n", 1); }), "--n wants a whole number, not '12x'");
  EXPECT_EQ(usage_words([&] { r.real("x", 1); }), "--x wants a number, not 'two'");
  EXPECT_EQ(usage_words([&] { r.integer("empty", 1); }), "--empty wants a whole number, not ''");
  EXPECT_EQ(usage_words([&] { r.flag("on"); }), "--on wants true or false, not 'yes'");
  EXPECT_NE(usage_words([&] { r.integer("big", 1); }), "accepted");
}

TEST(Request, KeepsAllValuesOfAnOptionGivenSeveralTimes) {
  const Request r =
      request_with({{.key = "variant", .text = "a=1"}, {.key = "variant", .text = "b=2"}});
  EXPECT_EQ(r.list("variant"), (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_EQ(r.list("absent"), std::vector<std::string>{});
}

TEST(Request, FindsAnAxisByItsKey) {
  const Request r = request_with({{.key = "axis", .text = "m=1024"},
                                  {.key = "axis", .text = "mm=7"},
                                  {.key = "axis", .text = "bad=x"},
                                  {.key = "variant", .text = "n=3"}});
  EXPECT_EQ(r.axis("m", 1), 1024);
  EXPECT_EQ(r.axis("mm", 1), 7);
  EXPECT_EQ(r.axis("n", 5), 5);
  EXPECT_TRUE(r.has_axis("m"));
  EXPECT_FALSE(r.has_axis("n"));
  EXPECT_EQ(usage_words([&] { r.axis("bad", 1); }), "--axis bad wants a whole number, not 'x'");
}

// A host of an older minor version knows fewer members: what it did not write is zero.
TEST(Request, TakesFromAShorterStructWhatItHas) {
  bench_request given{.size = offsetof(bench_request, seed),
                      .suite = "s",
                      .set = "t",
                      .device = "cpu",
                      .dtype = "f32",
                      .ranks = 2,
                      .threads = 1,
                      .seed = 9,
                      .last_level_cache_bytes = 1,
                      .options = nullptr,
                      .option_count = 1000};
  const Request r(given);
  EXPECT_EQ(r.ranks, 2);
  EXPECT_EQ(r.seed, 0U);
  EXPECT_FALSE(r.has("model"));
}

}  // namespace
}  // namespace bench::sdk
