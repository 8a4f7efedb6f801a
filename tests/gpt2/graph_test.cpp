// Steps as one recorded graph, without a GPU: a tape keeps the calls of ops with their arguments as
// they were when recorded, as a graph does. What changes from step to step has to lie in memory.

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "parallel/comm/self/self_communicator.h"
#include "tests/gpt2/harness.h"
#include "tests/gpt2/hooked.h"

namespace bench::gpt2 {
namespace {

using Calls = std::vector<test::Call>;

struct Recordings {
  int made = 0;
  bool stale = false;  // the next launch finds its memory gone

  GraphRecorder recorder() {
    return [this](const Context&, const std::function<void()>& work) {
      Calls calls;
      test::hook = [&](const test::Call& call) { calls.push_back(call); };
      work();
      test::hook = nullptr;
      ++made;
      return std::make_unique<Taped>(*this, std::move(calls));
    };
  }

  struct Taped final : Graph {
    Taped(Recordings& r, Calls c) : recordings(r), calls(std::move(c)) {}
    bool launch(Stream) override {
      if (std::exchange(recordings.stale, false)) return false;
      for (const auto& one : calls) one();
      return true;
    }
    Recordings& recordings;
    Calls calls;
  };
};

class TimingTracer final : public Tracer {
 public:
  void push(Stream, const char*, int64_t) override {}
  void pop(Stream) override {}
  bool recording() const override { return timing; }
  bool timing = false;
};

StepConfig toy(int dp = 1) {
  return {.model = {.name = "toy", .layers = 2, .hidden = 16, .heads = 2, .seq = 5, .vocab = 29},
          .micro_batch = 2,
          .global_batch = 4 * dp,
          .dp = dp,
          .lr = 1e-2,
          .clip = 0.5};
}

template <class T>
struct Taught {
  explicit Taught(GraphRecorder recorder, StepConfig config = toy())
      : step({.device = device, .tracer = tracer}, self, config, test::hooked_ops<T>(),
             std::move(recorder)) {
    step.init(3);
  }
  void train(int from, int to) {
    for (int k = from; k < to; ++k) {
      const test::Batch b = test::batch_of(*tokens, step.config(), k, 0);
      step.step(b.inputs.data(), b.targets.data());
    }
  }
  test::HookedDevice device;
  TimingTracer tracer;
  SelfCommunicator self;
  TrainingStep<T> step;
  std::unique_ptr<TokenSource> tokens = zipf_tokens(29, 5);
};

template <class T>
void expect_the_same(Taught<T>& got, Taught<T>& want) {
  EXPECT_EQ(test::gather_all(got.step, Held::weight), test::gather_all(want.step, Held::weight));
  const auto a = got.step.read_results(), b = want.step.read_results();
  ASSERT_EQ(a.size(), b.size());
  for (size_t k = 0; k < a.size(); ++k) {
    EXPECT_EQ(a[k].loss, b[k].loss) << "step " << k;
    EXPECT_EQ(a[k].grad_norm, b[k].grad_norm) << "step " << k;
  }
}

template <class T>
void expect_replay_changes_no_bit() {
  for (const Recompute recompute : {Recompute::none, Recompute::full}) {
    StepConfig config = toy();
    config.recompute = recompute;
    Recordings recordings;
    Taught<T> replayed(recordings.recorder(), config), plain({}, config);
    replayed.train(0, 5);
    plain.train(0, 5);
    expect_the_same(replayed, plain);
    EXPECT_EQ(replayed.step.replayed_steps(), 4);
    EXPECT_EQ(plain.step.replayed_steps(), 0);
    EXPECT_EQ(recordings.made, 1);
  }
}

TEST(Graph, ReplayChangesNoBit) {
  expect_replay_changes_no_bit<float>();
  expect_replay_changes_no_bit<double>();
  expect_replay_changes_no_bit<bfloat16>();
}

TEST(Graph, ReplaysAfterTheStateWasPutBackAndAfterOtherWork) {
  Recordings recordings;
  Taught<float> replayed(recordings.recorder()), plain({});
  for (Taught<float>* t : {&replayed, &plain}) {
    t->step.save_state();
    t->train(0, 3);
    const test::Batch b = test::batch_of(*t->tokens, t->step.config(), 9, 0);
    t->step.compute_gradients(b.inputs.data(), b.targets.data());
    t->step.perturb_along_gradient(0.1);
    t->step.restore_state();
    t->train(0, 3);
  }
  expect_the_same(replayed, plain);
  EXPECT_EQ(recordings.made, 1);
}

TEST(Graph, IsRecordedAgainWhenItsMemoryIsGone) {
  Recordings recordings;
  Taught<float> replayed(recordings.recorder()), plain({});
  replayed.train(0, 3);
  recordings.stale = true;
  replayed.train(3, 5);
  plain.train(0, 5);
  expect_the_same(replayed, plain);
  EXPECT_EQ(recordings.made, 2);
  EXPECT_EQ(replayed.step.replayed_steps(), 4);
}

TEST(Graph, RangesThatAreTimedAreRunOneByOne) {
  Recordings recordings;
  Taught<float> t(recordings.recorder());
  t.train(0, 2);
  t.tracer.timing = true;
  t.train(2, 4);
  EXPECT_EQ(t.step.replayed_steps(), 1);
  t.tracer.timing = false;
  t.train(4, 5);
  EXPECT_EQ(t.step.replayed_steps(), 2);
  EXPECT_EQ(recordings.made, 1);
}

TEST(Graph, IsGivenUpWhereTheStreamCannotBeRecorded) {
  int asked = 0;
  const auto refuses = [&](const Context&, const std::function<void()>&) {
    ++asked;
    return std::unique_ptr<Graph>();
  };
  Taught<float> refused(refuses), plain({});
  refused.train(0, 4);
  plain.train(0, 4);
  expect_the_same(refused, plain);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(refused.step.replayed_steps(), 0);
}

TEST(Graph, IsNotForRanksWhoseCommunicatorCannotBeRecorded) {
  run_ranks(2, [](Communicator& world) {
    ASSERT_FALSE(world.capturable());
    test::HookedDevice device;
    NullTracer tracer;
    Recordings recordings;
    TrainingStep<float> step({.device = device, .tracer = tracer}, world, toy(2),
                             test::hooked_ops<float>(), recordings.recorder());
    step.init(3);
    const auto tokens = zipf_tokens(29, 5);
    for (int k = 0; k < 3; ++k) {
      const test::Batch b = test::batch_of(*tokens, toy(2), k, step.data_rank());
      step.step(b.inputs.data(), b.targets.data());
    }
    EXPECT_EQ(recordings.made, 0);
  });
}

TEST(Step, DoesNotWaitForTheDevice) {
  Recordings recordings;
  for (const auto& recorder : {GraphRecorder(), recordings.recorder()}) {
    Taught<float> t(recorder);
    const int before = t.device.waits;
    t.train(0, 3);
    EXPECT_EQ(t.device.waits, before);
    t.step.read_results();
    EXPECT_EQ(t.device.waits, before + 1);
  }
}

}  // namespace
}  // namespace bench::gpt2
