// Pipeline schedules: what they do, that their messages meet, and how long they take in virtual
// time.

#include "parallel/layout/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "bench/base/status.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "parallel/comm/virtual/world.h"

namespace bench::layout {
namespace {

struct Case {
  int stages, chunks;
  int64_t micro_batches;

  PipelineShape shape() const {
    return {.stages = stages, .chunks = chunks, .micro_batches = micro_batches};
  }
};

std::vector<PipelinePlan> plans_of(const PipelineShape& shape, Passes passes) {
  std::vector<PipelinePlan> plans;
  for (int s = 0; s < shape.stages; ++s) plans.push_back(plan_pipeline(shape, s, passes));
  return plans;
}

constexpr int64_t kForwardTime = 1, kBackwardTime = 2;

algorithms::Round messages_of(const Handovers& together) {
  algorithms::Round messages;
  if (together.send) messages.send(together.send->peer, {.first = 0, .count = 1});
  if (together.receive) messages.receive(together.receive->peer, {.first = 0, .count = 1});
  return messages;
}

// What a stage does as rounds of messages of one element, its turns as additions that take their
// time.
algorithms::Schedule schedule_of(const PipelinePlan& plan) {
  for (const PipelineRound& round : plan.rounds) {
    for (const Turn& turn : round.turns) {
      const int64_t time = turn.pass == Pass::forward ? kForwardTime : kBackwardTime;
      algorithms::Round work;
      work.reduce({.first = 0, .count = time}, {.first = 0, .count = time});
      co_yield work;
    }
    algorithms::Round forward = messages_of(round.forward), backward = messages_of(round.backward);
    co_yield forward;
    co_yield backward;
  }
}

// Until the last stage is done, with messages that take no time.
double virtual_time(const PipelineShape& shape, Passes passes) {
  const std::vector<PipelinePlan> plans = plans_of(shape, passes);
  simulated::World world({.intra = {}, .inter = {}, .gamma_s_per_byte = 1}, shape.stages, 1,
                         [&](int rank) { return schedule_of(plans[static_cast<size_t>(rank)]); });
  return world.run();
}

class Plans : public testing::TestWithParam<Case> {};

TEST_P(Plans, TakeEveryMicroBatchOnceThroughEveryChunkEachWay) {
  const PipelineShape shape = GetParam().shape();
  for (const PipelinePlan& plan : plans_of(shape, Passes::training)) {
    std::set<std::tuple<Pass, int, int64_t>> seen;
    for (const PipelineRound& round : plan.rounds) {
      for (const Turn& t : round.turns) {
        EXPECT_TRUE(seen.insert({t.pass, t.chunk, t.micro}).second);
        EXPECT_TRUE(t.pass == Pass::forward || seen.contains({Pass::forward, t.chunk, t.micro}));
      }
    }
    EXPECT_EQ(seen.size(), static_cast<size_t>(2 * shape.chunks * shape.micro_batches));
  }
}

// Stands for the tensor that piece `piece` of the model reads in this pass of the micro-batch.
uint64_t label(Pass pass, int piece, int64_t micro) {
  return (static_cast<uint64_t>(micro) * 1000 + static_cast<uint64_t>(piece)) * 2 +
         (pass == Pass::backward ? 1 : 0) + 1;
}

// One stage's memory as the plan numbers it, with labels in the place of tensors.
class Memory {
 public:
  Memory(const PipelineShape& shape, int stage, const PipelinePlan& plan)
      : shape_(shape), stage_(stage), gradients_(static_cast<size_t>(plan.room.gradients)) {
    for (const int n : plan.room.entries) entries_.emplace_back(static_cast<size_t>(n));
    for (const int n : plan.room.slots) slots_.emplace_back(static_cast<size_t>(n));
  }

  void take_turn(const Turn& t) {
    const int piece = t.chunk * shape_.stages + stage_, last = shape_.stages * shape_.chunks - 1;
    uint64_t& entry = entries_.at(static_cast<size_t>(t.chunk)).at(static_cast<size_t>(t.entry));
    uint64_t& slot = slots_.at(static_cast<size_t>(t.chunk)).at(static_cast<size_t>(t.slot));
    const uint64_t input = label(Pass::forward, piece, t.micro);
    if (t.pass == Pass::forward) {
      if (piece == 0) entry = input;
      EXPECT_EQ(entry, input);
      slot = input;
      output_ = label(Pass::forward, piece + 1, t.micro);
      return;
    }
    uint64_t& gradient = gradients_.at(static_cast<size_t>(t.gradient));
    if (piece == last) gradient = label(Pass::backward, piece, t.micro);
    EXPECT_EQ(gradient, label(Pass::backward, piece, t.micro));
    EXPECT_EQ(entry, input) << "the input was overwritten before the backward pass";
    EXPECT_EQ(slot, input) << "the activations were overwritten before the backward pass";
    gradient = label(Pass::backward, piece - 1, t.micro);
  }

  void hand_over(Communicator& pipeline, const Handovers& together) {
    std::vector<Outgoing> sends;
    std::vector<Incoming> receives;
    if (together.send)
      sends.push_back({.buffer = outgoing(*together.send), .count = 1, .to = together.send->peer});
    if (const auto& h = together.receive)
      receives.push_back({.buffer = incoming(*h), .count = 1, .from = h->peer});
    pipeline.exchange({}, sends, receives, DType::u64, 0);
  }

 private:
  const uint64_t* outgoing(const Handover& h) {
    return h.pass == Pass::forward ? &output_ : &gradients_.at(static_cast<size_t>(h.buffer));
  }
  uint64_t* incoming(const Handover& h) {
    auto& places = h.pass == Pass::forward ? entries_.at(static_cast<size_t>(h.chunk)) : gradients_;
    return &places.at(static_cast<size_t>(h.buffer));
  }

  PipelineShape shape_;
  int stage_;
  std::vector<std::vector<uint64_t>> entries_, slots_;
  std::vector<uint64_t> gradients_;
  uint64_t output_ = 0;
};

TEST_P(Plans, HandOverWhatTheNeighbourReadsAndOverwriteNothing) {
  const PipelineShape shape = GetParam().shape();
  run_ranks(shape.stages, [&](Communicator& pipeline) {
    const int stage = pipeline.rank();
    const PipelinePlan plan = plan_pipeline(shape, stage, Passes::training);
    Memory memory(shape, stage, plan);
    for (const PipelineRound& round : plan.rounds) {
      for (const Turn& turn : round.turns) memory.take_turn(turn);
      memory.hand_over(pipeline, round.forward);
      memory.hand_over(pipeline, round.backward);
    }
  });
}

TEST_P(Plans, ForwardOnlyFitsIntoTheRoomOfTraining) {
  const PipelineShape shape = GetParam().shape();
  for (int s = 0; s < shape.stages; ++s) {
    const PipelineRoom room = plan_pipeline(shape, s, Passes::training).room;
    const PipelineRoom forward = plan_pipeline(shape, s, Passes::forward_only).room;
    for (size_t c = 0; c < room.slots.size(); ++c) {
      EXPECT_LE(forward.slots[c], room.slots[c]);
      EXPECT_LE(forward.entries[c], room.entries[c]);
    }
  }
}

// Work of a stage without waiting; a chunk's turn takes the same whatever their number.
int64_t work(const PipelineShape& p) {
  return p.micro_batches * p.chunks * (kForwardTime + kBackwardTime);
}

// Narayanan 2021, section 2.2: (stages - 1) / (chunks * micro-batches) of the work.
TEST_P(Plans, WaitAsLongAsTheFormulaSays) {
  const PipelineShape shape = GetParam().shape();
  const double bubble = (shape.stages - 1) * (kForwardTime + kBackwardTime);
  EXPECT_EQ(virtual_time(shape, Passes::training), static_cast<double>(work(shape)) + bubble);
}

TEST_P(Plans, ForwardOnlyWaitsForTheFirstMicroBatchAlone) {
  const PipelineShape shape = GetParam().shape();
  EXPECT_EQ(virtual_time(shape, Passes::forward_only),
            shape.micro_batches * shape.chunks + shape.stages - 1);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Plans,
                         testing::Values(Case{1, 1, 1}, Case{1, 1, 4}, Case{2, 1, 1}, Case{2, 1, 2},
                                         Case{2, 1, 7}, Case{3, 1, 5}, Case{4, 1, 2}, Case{4, 1, 4},
                                         Case{4, 1, 13}, Case{2, 2, 2}, Case{2, 2, 8},
                                         Case{2, 3, 6}, Case{3, 2, 9}, Case{4, 2, 4},
                                         Case{4, 2, 16}, Case{4, 3, 12}, Case{8, 4, 32}),
                         [](const auto& param) {
                           const Case& c = param.param;
                           return "stages" + std::to_string(c.stages) + "chunks" +
                                  std::to_string(c.chunks) + "micro" +
                                  std::to_string(c.micro_batches);
                         });

TEST(Plan, OneForwardOneBackwardKeepsAsManyMicroBatchesAsStagesFollow) {
  for (int s = 0; s < 4; ++s) {
    const PipelineRoom room =
        plan_pipeline({.stages = 4, .chunks = 1, .micro_batches = 16}, s, Passes::training).room;
    EXPECT_EQ(room.slots, (std::vector<int>{4 - s}));
    EXPECT_LE(room.entries[0], 5 - s);
    EXPECT_LE(room.gradients, 2);
  }
}

TEST(Plan, OfOneStageIsForwardAndBackwardInTurns) {
  const PipelinePlan plan =
      plan_pipeline({.stages = 1, .chunks = 1, .micro_batches = 3}, 0, Passes::training);
  ASSERT_EQ(plan.rounds.size(), 6U);
  for (size_t i = 0; i < plan.rounds.size(); ++i) {
    const PipelineRound& round = plan.rounds[i];
    ASSERT_EQ(round.turns.size(), 1U);
    EXPECT_EQ(round.turns[0].pass, i % 2 == 0 ? Pass::forward : Pass::backward);
    EXPECT_EQ(round.turns[0].micro, static_cast<int64_t>(i / 2));
    EXPECT_TRUE(round.forward.empty());
    EXPECT_TRUE(round.backward.empty());
  }
  EXPECT_EQ(plan.room.slots, (std::vector<int>{1}));
  EXPECT_EQ(plan.room.entries, (std::vector<int>{1}));
  EXPECT_EQ(plan.room.gradients, 1);
}

TEST(Plan, RefusesWhatTheInterleavedScheduleCannotDealOut) {
  EXPECT_THROW(plan_pipeline({.stages = 4, .chunks = 2, .micro_batches = 6}, 0, Passes::training),
               UsageError);
  EXPECT_THROW(plan_pipeline({.stages = 1, .chunks = 2, .micro_batches = 6}, 0, Passes::training),
               UsageError);
  EXPECT_THROW(plan_pipeline({.stages = 0, .chunks = 1, .micro_batches = 1}, 0, Passes::training),
               UsageError);
}

}  // namespace
}  // namespace bench::layout
