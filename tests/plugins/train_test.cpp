// The training case: its trajectory, its layouts, and what its check finds.
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>

#include "parallel/comm/self/self_communicator.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "tests/plugins/opened.h"

namespace bench::plugins::test {
namespace {

Request training(std::vector<std::pair<std::string, std::string>> options, int ranks = 1,
                 const std::string& dtype = "f32") {
  options.push_back(kTinyModel);
  return {.set = "", .options = std::move(options), .ranks = ranks, .dtype = dtype};
}

// The only case of the request.
CaseCopy only_case(Plugin& plugin, const Request& request) {
  const std::vector<CaseCopy> cases = plugin.cases(request);
  EXPECT_EQ(cases.size(), 1U);
  return cases.at(0);
}

// Losses and norms of `steps` steps, the same on every rank.
Instance::Trajectory trajectory_of(const Request& request, int64_t steps) {
  Instance::Trajectory first;
  std::mutex mutex;
  run_ranks(request.ranks, [&](Communicator& comm) {
    Host host(comm);
    Plugin plugin("train", host);
    Instance open(plugin, request, only_case(plugin, request).name);
    open.enqueue(steps);
    const Instance::Trajectory mine = open.trajectory();
    const std::lock_guard lock(mutex);
    if (first.losses.empty()) first = mine;
    EXPECT_EQ(mine.losses, first.losses);
    EXPECT_EQ(mine.grad_norms, first.grad_norms);
  });
  return first;
}

TEST(Train, DeclaresItsLayoutItsTokensAndItsWork) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const CaseCopy c = only_case(plugin, training({{"tp", "2"}, {"micro-batch", "3"}}, 4));
  EXPECT_EQ(c.name, "gpt2.train.l2-h48-a4-s16-v300.tp2.dp2");
  EXPECT_EQ(c.fields.tensor_parallel, 2);
  EXPECT_EQ(c.fields.data_parallel, 2);
  EXPECT_EQ(c.fields.pipeline_parallel, 1);
  EXPECT_EQ(c.fields.flags, BENCH_CASE_COLLECTIVE | BENCH_CASE_TRAINING);
  EXPECT_EQ(c.fields.tokens, 2 * 3 * 16);
  EXPECT_EQ(c.params.at("global_batch"), "6");
  EXPECT_GT(c.fields.flops, 0);
  EXPECT_GT(c.fields.memory_bytes, 0);
}

TEST(Train, PipelineIsInNameAndLayoutAndTrainsTheSame) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const Request pipelined = training({{"pp", "2"}, {"micro-batch", "1"}, {"global-batch", "4"}}, 2);
  const CaseCopy c = only_case(plugin, pipelined);
  EXPECT_EQ(c.name, "gpt2.train.l2-h48-a4-s16-v300.tp1.pp2.dp1");
  EXPECT_EQ(c.fields.pipeline_parallel, 2);
  EXPECT_EQ(c.params.at("virtual_stages"), "1");
  const auto one = trajectory_of(training({{"micro-batch", "1"}, {"global-batch", "4"}}), 3);
  const auto two = trajectory_of(pipelined, 3);
  ASSERT_EQ(two.losses.size(), one.losses.size());
  for (size_t k = 0; k < one.losses.size(); ++k)
    EXPECT_NEAR(two.losses[k] / one.losses[k], 1, 2e-6) << "step " << k;
}

TEST(Train, ChecksPassOnAPipeline) {
  const Request request =
      training({{"pp", "2"}, {"tp", "2"}, {"sequence-parallel", "true"}, {"micro-batch", "2"}}, 4);
  run_ranks(4, [&](Communicator& comm) {
    Host host(comm);
    Plugin plugin("train", host);
    Instance open(plugin, request, only_case(plugin, request).name);
    open.enqueue(2);
    const auto found = open.check();
    EXPECT_TRUE(found.passed) << found.detail;
  });
}

TEST(Train, SequenceParallelismIsInNameAndLayoutAndSparesMemory) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const CaseCopy whole = only_case(plugin, training({{"tp", "2"}}, 2));
  const CaseCopy shared =
      only_case(plugin, training({{"tp", "2"}, {"sequence-parallel", "true"}}, 2));
  EXPECT_EQ(shared.name, "gpt2.train.l2-h48-a4-s16-v300.tp2.dp1.sp");
  EXPECT_EQ(shared.fields.sequence_parallel, 1);
  EXPECT_EQ(whole.fields.sequence_parallel, 0);
  EXPECT_LT(shared.fields.memory_bytes, whole.fields.memory_bytes);
  const CaseCopy alone = only_case(plugin, training({{"sequence-parallel", "true"}}));
  EXPECT_EQ(alone.fields.sequence_parallel, 0);
}

TEST(Train, DescribesTheModelWithAllKeysOfTheInterface) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const Request request = training({{"micro-batch", "2"}});
  Instance open(plugin, request, only_case(plugin, request).name);
  const auto [name, numbers] = open.describe();
  EXPECT_EQ(name, "l2-h48-a4-s16-v300");
  const std::map<std::string, double> wanted = {
      {"layers", 2},  {"hidden", 48},        {"heads", 4},       {"seq", 16},
      {"vocab", 300}, {"padded_vocab", 384}, {"micro_batch", 2}, {"global_batch", 2}};
  for (const auto& [key, value] : wanted) EXPECT_EQ(numbers.at(key), value) << key;
  // 12 l h^2 + 13 l h + (V + s) h + 2 h
  EXPECT_EQ(numbers.at("parameters"), 12 * 2 * 48 * 48 + 13 * 2 * 48 + (300 + 16) * 48 + 2 * 48);
}

TEST(Train, StartsNearTheLossOfGuessingAndLearns) {
  const auto t = trajectory_of(training({{"lr", "1e-2"}, {"micro-batch", "4"}}), 20);
  ASSERT_EQ(t.losses.size(), 20U);
  EXPECT_NEAR(t.losses.front(), std::log(300.0), 0.3);
  EXPECT_LT(t.losses.back(), t.losses.front() - 0.3);
}

TEST(Train, GoesOnWithTheNextTokensFromOneEnqueueToTheNextAndFromTheFirstAfterAReset) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const Request request = training({{"micro-batch", "2"}, {"lr", "1e-3"}});
  const std::string name = only_case(plugin, request).name;
  Instance at_once(plugin, request, name), in_parts(plugin, request, name);
  at_once.enqueue(3);
  in_parts.enqueue(1);
  in_parts.enqueue(2);
  const auto whole = at_once.trajectory();
  EXPECT_EQ(in_parts.trajectory().losses, whole.losses);
  EXPECT_NE(whole.losses[0], whole.losses[1]);
  at_once.reset();
  EXPECT_TRUE(at_once.trajectory().losses.empty());
  at_once.enqueue(3);
  EXPECT_EQ(at_once.trajectory().losses, whole.losses);
  EXPECT_EQ(at_once.trajectory().grad_norms, whole.grad_norms);
}

TEST(Train, ComputesTheSameInEveryLayout) {
  const auto alone = trajectory_of(training({{"global-batch", "4"}, {"micro-batch", "4"}}), 4);
  for (const auto& [tp, dp] : {std::pair{1, 2}, {2, 1}, {2, 2}, {1, 4}, {4, 1}}) {
    const auto split = trajectory_of(training({{"global-batch", "4"},
                                               {"micro-batch", "1"},
                                               {"tp", std::to_string(tp)},
                                               {"dp", std::to_string(dp)}},
                                              tp * dp),
                                     4);
    ASSERT_EQ(split.losses.size(), alone.losses.size());
    for (size_t k = 0; k < alone.losses.size(); ++k) {
      EXPECT_NEAR(split.losses[k], alone.losses[k], 1e-4) << "tp " << tp << ", dp " << dp;
      EXPECT_NEAR(split.grad_norms[k], alone.grad_norms[k], 1e-3 * alone.grad_norms[k]);
    }
  }
}

TEST(Train, ChecksThatLeaveTheRunAsItWas) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const Request request = training({{"micro-batch", "2"}});
  const std::string name = only_case(plugin, request).name;
  Instance checked(plugin, request, name), unchecked(plugin, request, name);
  checked.enqueue(2);
  EXPECT_TRUE(checked.check().passed);
  checked.enqueue(2);
  unchecked.enqueue(4);
  EXPECT_EQ(checked.trajectory().losses, unchecked.trajectory().losses);
}

TEST(Train, IsWrongWhenTheLossLeavesTheNumbers) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const Request request = training({{"lr", "1e30"}, {"micro-batch", "2"}});
  Instance open(plugin, request, only_case(plugin, request).name);
  open.enqueue(4);
  const auto found = open.check();
  EXPECT_FALSE(found.passed);
  EXPECT_NE(found.detail.find("not finite at step"), std::string::npos) << found.detail;
}

// A rank whose reduced gradient differs in one place drifts from its replica; both must say so.
TEST(Train, IsWrongWhenReplicasDiffer) {
  const Request request = training({{"micro-batch", "2"}, {"lr", "1e-2"}}, 2);
  run_ranks(2, [&](Communicator& comm) {
    Host host(comm);
    Plugin plugin("train", host);
    Instance open(plugin, request, only_case(plugin, request).name);
    if (comm.rank() == 1)
      host.after_all_reduce = [](float* result, uint64_t count) {
        if (count > 100) result[count / 2] += 0.5F;
      };
    open.enqueue(1);
    host.after_all_reduce = nullptr;
    const auto found = open.check();
    EXPECT_FALSE(found.passed);
    EXPECT_NE(found.detail.find("different weights"), std::string::npos) << found.detail;
  });
}

TEST(Train, RecomputesToTheSameBits) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const auto kept = trajectory_of(training({}), 3);
  const CaseCopy all = only_case(plugin, training({}));
  EXPECT_EQ(all.params.at("recompute"), "none");
  for (const char* mode : {"selective", "full"}) {
    const Request request = training({{"recompute", mode}});
    const auto again = trajectory_of(request, 3);
    EXPECT_EQ(again.losses, kept.losses) << mode;
    EXPECT_EQ(again.grad_norms, kept.grad_norms) << mode;
    const CaseCopy some = only_case(plugin, request);
    EXPECT_EQ(some.params.at("recompute"), mode);
    EXPECT_LT(some.fields.memory_bytes, all.fields.memory_bytes) << mode;
    EXPECT_GT(some.fields.flops, all.fields.flops) << mode;
  }
}

// Activations are rounded, so losses differ by a few of their roundings at most.
TEST(Train, InBfloat16FollowsFloat) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const CaseCopy wide = only_case(plugin, training({})),
                 narrow = only_case(plugin, training({}, 1, "bf16"));
  EXPECT_EQ(narrow.name, wide.name);
  EXPECT_EQ(narrow.fields.dtype, BENCH_DTYPE_BF16);
  EXPECT_EQ(narrow.fields.flops, wide.fields.flops);
  for (const auto& [tp, dp] : {std::pair{1, 1}, {2, 2}}) {
    const std::vector<std::pair<std::string, std::string>> options = {
        {"global-batch", "4"}, {"tp", std::to_string(tp)}, {"lr", "1e-3"}};
    const auto exact = trajectory_of(training(options, tp * dp), 5),
               rounded = trajectory_of(training(options, tp * dp, "bf16"), 5);
    for (size_t k = 0; k < exact.losses.size(); ++k) {
      EXPECT_NE(rounded.losses[k], exact.losses[k]);
      EXPECT_NEAR(rounded.losses[k] / exact.losses[k], 1, 2e-3) << "step " << k;
      EXPECT_NEAR(rounded.grad_norms[k] / exact.grad_norms[k], 1, 2e-2) << "step " << k;
    }
  }
}

TEST(Train, ChecksItsGradientInBfloat16) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const Request request = training({{"micro-batch", "2"}}, 1, "bf16");
  const std::string name = only_case(plugin, request).name;
  Instance checked(plugin, request, name), unchecked(plugin, request, name);
  checked.enqueue(2);
  const auto found = checked.check();
  EXPECT_TRUE(found.passed) << found.detail;
  checked.enqueue(2);
  unchecked.enqueue(4);
  EXPECT_EQ(checked.trajectory().losses, unchecked.trajectory().losses);
}

void expect_declared_memory(const std::string& dtype, const std::string& recompute) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("train", host);
  const Request request = training({{"micro-batch", "2"}, {"recompute", recompute}}, 1, dtype);
  const CaseCopy declared = only_case(plugin, request);
  Instance open(plugin, request, declared.name);
  size_t held = 0;
  for (const Host::Block& block : host.held()) held += block.bytes;
  const std::map<std::string, double> values = open.values();
  EXPECT_GT(values.at("memory.parameters"), 0);
  EXPECT_LE(values.at("memory.parameters") + values.at("memory.workspace"),
            static_cast<double>(held));
  // On top of what the device holds: the weights as they were at open, and those prepared for
  // products.
  const double bytes_a_parameter = dtype == "f32" ? 16 : 18;
  const double weights = values.at("memory.parameters") * 4 / bytes_a_parameter;
  EXPECT_NEAR(declared.fields.memory_bytes,
              static_cast<double>(held) + weights + values.at("memory.prepared"),
              0.01 * declared.fields.memory_bytes)
      << dtype << ", recompute " << recompute;
}

TEST(Train, DeclaresTheMemoryItHolds) {
  for (const char* dtype : {"f32", "bf16"}) {
    for (const char* recompute : {"none", "selective", "full"})
      expect_declared_memory(dtype, recompute);
  }
}

}  // namespace
}  // namespace bench::plugins::test
