// Every case of every set, run through the calls of the ABI at sizes that take a moment.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "parallel/comm/self/self_communicator.h"
#include "parallel/comm/staged/staged_communicator.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "tests/comm/remote_device.h"
#include "tests/plugins/opened.h"

namespace bench::plugins::test {
namespace {

struct Set {
  const char *plugin, *set;
  int ranks;
  const char* dtype = "f32";
};

class Cases : public testing::TestWithParam<Set> {
 protected:
  static Request request() {
    return {.set = GetParam().set,
            .options = {kTinyModel, {"micro-batch", "2"}},
            .ranks = GetParam().ranks,
            .dtype = GetParam().dtype};
  }
  // `body` on every rank, with the plugin and the host of that rank.
  static void on_ranks(const std::function<void(Plugin&, Host&)>& body) {
    run_ranks(GetParam().ranks, [&](Communicator& comm) {
      Host host(comm);
      {
        Plugin plugin(GetParam().plugin, host);
        body(plugin, host);
      }
      EXPECT_TRUE(host.held().empty());
      EXPECT_EQ(host.splits_held(), 0);
      EXPECT_EQ(host.ranges_open(), 0);
    });
  }
};

bool is_quick(const CaseCopy& c) { return c.fields.memory_bytes < 16e6 && c.fields.flops < 1e9; }

TEST_P(Cases, HaveDottedNamesThatOccurOnceInAMode) {
  on_ranks([](Plugin& plugin, Host&) {
    std::set<std::pair<std::string, bench_mode>> names;
    for (const CaseCopy& c : plugin.cases(request())) {
      EXPECT_TRUE(names.insert({c.name, c.fields.mode}).second) << c.name;
      EXPECT_TRUE(std::all_of(c.name.begin(), c.name.end(), [](unsigned char ch) {
        return std::isalnum(ch) != 0 || ch == '.' || ch == '_' || ch == '-';
      })) << c.name;
    }
    EXPECT_FALSE(names.empty());
  });
}

TEST_P(Cases, DeclareWorkThatTheyDo) {
  on_ranks([](Plugin& plugin, Host&) {
    for (const CaseCopy& c : plugin.cases(request())) {
      EXPECT_EQ(c.fields.size, sizeof(bench_case));
      EXPECT_GT(c.fields.flops + c.fields.bytes + c.fields.message_bytes, 0) << c.name;
      EXPECT_GE(c.fields.memory_bytes, 0) << c.name;
      const bool communicates = (c.fields.flags & BENCH_CASE_COLLECTIVE) != 0;
      EXPECT_EQ(c.fields.message_bytes > 0 && !communicates, false) << c.name;
    }
  });
}

TEST_P(Cases, PassTheirCheckBeforeAndAfterAReset) {
  on_ranks([](Plugin& plugin, Host&) {
    for (const CaseCopy& c : plugin.cases(request())) {
      if (!c.available || !is_quick(c)) continue;
      Instance open(plugin, request(), c);
      open.enqueue(1);
      auto found = open.check();
      EXPECT_TRUE(found.passed) << c.name << ": " << found.error << " " << found.detail;
      open.enqueue(3);
      found = open.check();
      EXPECT_TRUE(found.passed) << c.name << ": " << found.error << " " << found.detail;
      open.reset();
      open.enqueue(2);
      found = open.check();
      EXPECT_TRUE(found.passed) << c.name << ": " << found.error << " " << found.detail;
      EXPECT_LE(found.error, found.tolerance) << c.name;
    }
  });
}

TEST_P(Cases, AllocateNothingWhileEnqueued) {
  on_ranks([](Plugin& plugin, Host& host) {
    for (const CaseCopy& c : plugin.cases(request())) {
      if (!c.available || !is_quick(c)) continue;
      Instance open(plugin, request(), c);
      const int64_t before = host.allocations();
      EXPECT_GT(before, 0);
      open.enqueue(2);
      EXPECT_EQ(host.allocations(), before) << c.name;
    }
  });
}

INSTANTIATE_TEST_SUITE_P(
    Plugins, Cases,
    testing::Values(Set{"template", "", 1}, Set{"template", "", 2}, Set{"kernels", "", 1},
                    Set{"kernels", "smoke", 1}, Set{"kernels", "ceilings", 1},
                    Set{"kernels", "", 1, "bf16"}, Set{"kernels", "ceilings", 1, "bf16"},
                    Set{"collectives", "", 1}, Set{"collectives", "", 2}, Set{"collectives", "", 3},
                    Set{"collectives", "smoke", 4}, Set{"collectives", "pairs", 2},
                    Set{"collectives", "pairs", 5}, Set{"collectives", "links", 2},
                    Set{"train", "", 1}, Set{"train", "", 2}, Set{"train", "", 4}),
    [](const auto& param) {
      const Set& s = param.param;
      return std::string(s.plugin) + (s.set[0] != '\0' ? "_" : "") + s.set + "_" +
             std::to_string(s.ranks) +
             (s.dtype == std::string("f32") ? "" : std::string("_") + s.dtype);
    });

// What a host of ABI 1.0 does not write is zero: the hot case.
TEST(Hosts, OfTheFirstMinorVersionOpenHotCases) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("template", host);
  const Request request{.set = "", .options = {}};
  const std::string name = plugin.cases(request).front().name;
  void* instance = plugin.open(request, name, BENCH_MODE_COLD, offsetof(bench_open_args, mode));
  EXPECT_EQ(plugin.table().enqueue(instance, 1), BENCH_OK);
  plugin.table().close(instance);
}

TEST(Sets, OfOpsAreOfTheTypeThatWasAskedFor) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("kernels", host);
  for (const char* dtype : {"f32", "bf16"}) {
    const bench_dtype wanted = dtype == std::string("f32") ? BENCH_DTYPE_F32 : BENCH_DTYPE_BF16;
    const auto cases =
        plugin.cases({.set = "", .options = {kTinyModel}, .ranks = 1, .dtype = dtype});
    EXPECT_FALSE(cases.empty());
    for (const CaseCopy& c : cases) EXPECT_EQ(c.fields.dtype, wanted) << c.name;
  }
}

// An axis takes the model's place where an op has it, and makes no part of the model's step.
TEST(Sets, OfOpsTakeTheirSizesFromTheAxes) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("kernels", host);
  const auto cases = plugin.cases(
      {.set = "", .options = {kTinyModel, {"axis", "m=48"}, {"axis", "n=80"}, {"axis", "k=24"}}});
  int linear = 0;
  for (const CaseCopy& c : cases) {
    EXPECT_FALSE(c.params.contains("per_step")) << c.name;
    if (c.params.at("op") != "linear") continue;
    ++linear;
    EXPECT_EQ(c.params.at("m"), "48") << c.name;
    EXPECT_EQ(c.params.at("n"), "80") << c.name;
    EXPECT_EQ(c.params.at("k"), "24") << c.name;
  }
  EXPECT_EQ(linear, 6);  // three passes, hot and cold
}

// However many rows a case wants to be larger than the caches.
TEST(Sets, OfOpsEmbedWholeSequences) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("kernels", host);
  int embeddings = 0;
  for (const CaseCopy& c : plugin.cases({.set = "", .options = {kTinyModel}})) {
    if (c.params.at("op") != "embedding") continue;
    ++embeddings;
    EXPECT_EQ(std::stoll(c.params.at("m")) % kTinySequence, 0) << c.name << c.params.at("m");
  }
  EXPECT_EQ(embeddings, 4);  // two passes, hot and cold
}

TEST(Sets, OfCeilingsHoldProductsAndStreams) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("kernels", host);
  int products = 0, streams = 0;
  for (const CaseCopy& c : plugin.cases({.set = "ceilings", .options = {}})) {
    products += c.fields.ceiling == BENCH_CEILING_GEMM ? 1 : 0;
    streams += c.fields.ceiling == BENCH_CEILING_COPY ? 1 : 0;
  }
  EXPECT_GE(products, 6);
  EXPECT_GE(streams, 2);
}

// As on a GPU: the host cannot read the memory, and work waits in the stream.
TEST(Collectives, AreCheckedWhereTheHostCannotReadTheBuffers) {
  run_ranks(2, [](Communicator& comm) {
    comm_checks::RemoteDevice device;
    StagedCommunicator staged(comm, device);
    Host host(staged, device);
    Plugin plugin("collectives", host);
    const Request request{.set = "", .options = {}, .ranks = 2};
    for (const CaseCopy& c : plugin.cases(request)) {
      if (!is_quick(c)) continue;
      Instance open(plugin, request, c);
      const bool has_it = c.params.at("operation") == "broadcast" && comm.rank() == 0;
      EXPECT_EQ(open.check().passed, has_it) << c.name;
      open.enqueue(2);
      EXPECT_TRUE(open.check().passed) << c.name;
    }
  });
}

TEST(Sets, OfCollectivesSayHowBusBandwidthIsCounted) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("collectives", host);
  for (const CaseCopy& c : plugin.cases({.set = "smoke", .options = {}, .ranks = 4}))
    EXPECT_DOUBLE_EQ(c.fields.bus_factor, 1.5) << c.name;
}

}  // namespace
}  // namespace bench::plugins::test
