// What one training step promises apart from parity: gradients are derivatives of the loss, nothing
// is allocated, ranges are balanced, state comes back, work is declared.

#include <gtest/gtest.h>

#include <set>

#include "bench/base/status.h"
#include "parallel/comm/self/self_communicator.h"
#include "parallel/gpt2/initialise.h"
#include "parallel/gpt2/work.h"
#include "tests/gpt2/harness.h"

namespace bench::gpt2 {
namespace {

StepConfig toy(int tp = 1, int dp = 1) {
  return {.model = {.name = "toy", .layers = 2, .hidden = 16, .heads = 4, .seq = 5, .vocab = 29},
          .micro_batch = 1,
          .global_batch = 2 * dp,
          .tp = tp,
          .dp = dp,
          .lr = 1e-2};
}

struct One {
  explicit One(const StepConfig& c, Tracer& tracer)
      : config(c),
        step({.device = device, .tracer = tracer}, self, c,
             kernels::ops_for<double>(DeviceKind::cpu)) {
    step.init(11);
  }
  test::Batch batch(int64_t k) {
    return test::batch_of(*zipf_tokens(config.model.vocab, 5), config, k, step.data_rank());
  }
  StepConfig config;
  CpuDevice device{1};
  SelfCommunicator self;
  TrainingStep<double> step;
};

// Makes every tensor large enough for its derivative to show above rounding.
void shake(StepState<double>& st) {
  for (const Parameter& p : st.table.all()) {
    std::vector<float> noise(static_cast<size_t>(p.size()));
    normal_numbers(99, p.index, 0, noise);
    for (int64_t i = 0; i < p.true_rows() * p.cols; ++i) {
      st.weight(p.offset)[i] += 0.2 * static_cast<double>(noise[static_cast<size_t>(i)]);
    }
  }
}

TEST(Gradient, IsTheDerivativeOfTheLossForEveryTensor) {
  NullTracer tracer;
  One one(toy(), tracer);
  StepState<double>& st = one.step.state();
  shake(st);
  const test::Batch b = one.batch(0);
  one.step.compute_gradients(b.inputs.data(), b.targets.data());
  constexpr double kEps = 1e-4;
  for (const Parameter& p : st.table.all()) {
    std::vector<float> direction(static_cast<size_t>(p.true_rows() * p.cols));
    normal_numbers(7, p.index, 0, direction);
    double slope = 0, size = 0;
    for (size_t i = 0; i < direction.size(); ++i) {
      slope += st.gradient(p.offset)[i] * static_cast<double>(direction[i]);
      size += std::abs(st.gradient(p.offset)[i]);
    }
    const auto loss_at = [&](double by) {
      const std::vector<double> kept(st.weight(p.offset), st.weight(p.offset) + p.size());
      for (size_t i = 0; i < direction.size(); ++i) {
        st.weight(p.offset)[i] += by * static_cast<double>(direction[i]);
      }
      const double loss = one.step.forward_loss(b.inputs.data(), b.targets.data());
      std::copy(kept.begin(), kept.end(), st.weight(p.offset));
      return loss;
    };
    const double measured =
        (8 * (loss_at(kEps) - loss_at(-kEps)) - (loss_at(2 * kEps) - loss_at(-2 * kEps))) /
        (12 * kEps);
    EXPECT_GT(size, 1e-3) << p.name << ": a gradient of zeros would prove nothing";
    EXPECT_NEAR(measured, slope, 1e-8 * (1 + size)) << p.name;
  }
}

TEST(Gradient, PerturbingAlongItChangesTheLossByItsNorm) {
  for (const int tp : {1, 2, 4}) {
    test::on_ranks<double>(toy(tp, 2), [&](TrainingStep<double>& step) {
      step.init(11);
      const auto tokens = zipf_tokens(29, 5);
      const test::Batch b = test::batch_of(*tokens, step.config(), 0, step.data_rank());
      const StepResult at = step.compute_gradients(b.inputs.data(), b.targets.data());
      constexpr double kEps = 1e-5;
      step.perturb_along_gradient(kEps);
      const double up = step.forward_loss(b.inputs.data(), b.targets.data());
      step.perturb_along_gradient(-2 * kEps);
      const double down = step.forward_loss(b.inputs.data(), b.targets.data());
      EXPECT_NEAR((up - down) / (2 * kEps) / at.grad_norm, 1, 1e-7);
      EXPECT_NEAR((up + down) / 2, at.loss, 1e-8);
    });
  }
}

TEST(Step, StartsNearTheLogarithmOfTheVocabularyAndLearns) {
  NullTracer tracer;
  One one(toy(), tracer);
  const test::Batch b = one.batch(0);
  for (int k = 0; k < 20; ++k) one.step.step(b.inputs.data(), b.targets.data());
  const std::vector<StepResult> results = one.step.read_results();
  ASSERT_EQ(results.size(), 20U);
  EXPECT_NEAR(results[0].loss, std::log(29.0), 0.1);
  EXPECT_LT(results[19].loss, results[0].loss - 0.5);
  EXPECT_TRUE(one.step.read_results().empty());
}

TEST(Step, LossIsTheOneBeforeTheUpdate) {
  NullTracer tracer;
  One one(toy(), tracer);
  const test::Batch b = one.batch(0);
  const double before = one.step.forward_loss(b.inputs.data(), b.targets.data());
  one.step.step(b.inputs.data(), b.targets.data());
  EXPECT_EQ(one.step.read_results().at(0).loss, before);
}

TEST(Step, RestoresASavedState) {
  NullTracer tracer;
  One one(toy(), tracer);
  EXPECT_THROW(one.step.restore_state(), UsageError);
  const auto run = [&](int from) {
    for (int k = from; k < from + 3; ++k) {
      const test::Batch b = one.batch(k);
      one.step.step(b.inputs.data(), b.targets.data());
    }
    return test::gather_all(one.step, Held::weight);
  };
  one.step.save_state();  // before any update
  const auto fresh = run(0);
  one.step.restore_state();
  EXPECT_EQ(run(0), fresh);
  one.step.save_state();  // with moments
  const auto later = run(3);
  EXPECT_NE(later, fresh);
  one.step.restore_state();
  EXPECT_EQ(run(3), later);
}

class CountingDevice final : public Device {
 public:
  const DeviceInfo& info() const override { return cpu_.info(); }
  void* allocate(size_t bytes) override {
    ++allocations;
    return cpu_.allocate(bytes);
  }
  void release(void* memory) noexcept override { cpu_.release(memory); }
  void copy(Stream s, void* to, const void* from, size_t n) override { cpu_.copy(s, to, from, n); }
  void fill(Stream s, void* to, int byte, size_t n) override { cpu_.fill(s, to, byte, n); }
  void synchronize(Stream s) override { cpu_.synchronize(s); }
  Stream create_stream() override { return cpu_.create_stream(); }
  void destroy_stream(Stream s) noexcept override { cpu_.destroy_stream(s); }
  int allocations = 0;

 private:
  CpuDevice cpu_{1};
};

TEST(Step, AllocatesNoDeviceMemory) {
  CountingDevice device;
  NullTracer tracer;
  SelfCommunicator self;
  const StepConfig config = toy();
  TrainingStep<float> step({.device = device, .tracer = tracer}, self, config,
                           kernels::ops_for<float>(DeviceKind::cpu));
  step.init(1);
  const auto tokens = zipf_tokens(config.model.vocab, 5);
  const test::Batch b = test::batch_of(*tokens, config, 0, 0);
  const int before = device.allocations;
  EXPECT_GT(before, 0);
  step.step(b.inputs.data(), b.targets.data());
  EXPECT_EQ(device.allocations, before);
}

class RecordingTracer final : public Tracer {
 public:
  void push(Stream, const char* name, int64_t payload) override {
    open.emplace_back(name);
    seen.insert({name, payload});
  }
  void pop(Stream) override { open.pop_back(); }
  std::vector<std::string> open;
  std::set<std::pair<std::string, int64_t>> seen;
};

TEST(Step, MarksItsPhasesAndLayers) {
  run_ranks(4, [&](Communicator& world) {
    CpuDevice device(1);
    RecordingTracer tracer;
    const StepConfig config = toy(2, 2);
    TrainingStep<float> step({.device = device, .tracer = tracer}, world, config,
                             kernels::ops_for<float>(DeviceKind::cpu));
    step.init(1);
    EXPECT_TRUE(tracer.seen.empty());
    const auto tokens = zipf_tokens(config.model.vocab, 5);
    const test::Batch b = test::batch_of(*tokens, config, 0, step.data_rank());
    step.step(b.inputs.data(), b.targets.data());
    EXPECT_TRUE(tracer.open.empty());
    std::set<std::string> names;
    for (const auto& [name, payload] : tracer.seen) names.insert(name);
    EXPECT_EQ(names, (std::set<std::string>{"forward", "backward", "grad_sync", "optimizer",
                                            "layer", "head", "tp.all_reduce", "tp.wait",
                                            "dp.all_reduce", "dp.wait"}));
    EXPECT_TRUE(tracer.seen.count({"layer", 0}) == 1 && tracer.seen.count({"layer", 1}) == 1);
    EXPECT_EQ(tracer.seen.count({"layer", 2}), 0U);
  });
}

// Enqueued after the product, the reduction would have nothing to run beside.
struct Order {
  std::vector<std::string> events;
  kernels::OpFunction<kernels::LinearWeightGrad<float>> product = nullptr;
};
thread_local Order order;  // of a rank

class OrderTracer final : public Tracer {
 public:
  void push(Stream, const char* name, int64_t) override { order.events.emplace_back(name); }
  void pop(Stream) override {}
};

TEST(Step, ReductionsOfInputGradientsStartBeforeTheWeightGradients) {
  StepConfig config = toy(2, 1);
  run_ranks(2, [&](Communicator& world) {
    CpuDevice device(1);
    OrderTracer tracer;
    auto ops = kernels::ops_for<float>(DeviceKind::cpu);
    order = {.events = {}, .product = ops.linear_weight_grad};
    ops.linear_weight_grad = [](const Context& c, const kernels::LinearWeightGrad<float>& a) {
      order.events.emplace_back("weight_grad");
      order.product(c, a);
    };
    TrainingStep<float> step({.device = device, .tracer = tracer}, world, config, ops);
    step.init(1);
    const auto tokens = zipf_tokens(config.model.vocab, 5);
    const test::Batch b = test::batch_of(*tokens, config, 0, step.data_rank());
    step.step(b.inputs.data(), b.targets.data());
    const std::vector<std::string>& events = order.events;
    int64_t waits = 0;
    for (size_t i = 2; i < events.size(); ++i) {
      if (events[i] != "tp.wait") continue;
      ++waits;
      EXPECT_EQ(events[i - 1], "weight_grad") << "event " << i;
      EXPECT_EQ(events[i - 2], "tp.all_reduce") << "event " << i;
    }
    // Of the head, and of QKV and the first layer of the MLP.
    EXPECT_EQ(waits, config.batch().accumulation() * (1 + 2 * config.model.layers));
  });
}

TEST(Work, OnOneRankIsThePublishedCausalFormula) {
  StepConfig c = toy();
  c.model = model::parse_model("gpt2-124m");
  c.micro_batch = 2;
  c.global_batch = 8;
  const double model = model::step_flops(c.model, 8, c.padded_vocab()).model_causal;
  EXPECT_NEAR(executed_flops(c) / model, 1, 1e-12);
  c.tp = 4;
  c.dp = 2;
  const double padded = model::step_flops(c.model, 8, c.padded_vocab()).model_causal;
  EXPECT_NEAR(executed_flops(c) * 8 / padded, 1, 1e-12);
}

TEST(Table, ShardsHoldEveryParameterOnce) {
  for (const int tp : {1, 2, 4}) {
    const StepConfig c = toy(tp);
    int64_t elements = 0;
    for (int rank = 0; rank < tp; ++rank) {
      const ParameterTable table(c, rank);
      for (const Parameter& p : table.all()) {
        if (rank == 0 || p.sharding != Sharding::replicated) elements += p.true_rows() * p.cols;
        EXPECT_EQ(p.offset % 16, 0) << p.name;
      }
    }
    EXPECT_EQ(elements, model::parameter_count(c.model)) << "tp " << tp;
  }
}

TEST(Config, NamesTheNumbersThatDoNotFit) {
  const auto words = [](auto change) {
    StepConfig c = toy(2, 2);
    change(c);
    try {
      c.validate();
    } catch (const UsageError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const auto expect = [](const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << '"' << text << "\" lacks " << part;
  };
  EXPECT_EQ(words([](StepConfig&) {}), "");
  expect(words([](StepConfig& c) { c.tp = 3; }), "4 heads are not divisible by 3");
  expect(words([](StepConfig& c) { c.model.hidden = 18; }),
         "hidden 18 is not divisible by 4 heads");
  expect(words([](StepConfig& c) { c.global_batch = 5; }), "global batch 5");
  expect(words([](StepConfig& c) { c.micro_batch = 3; }), "micro-batch 3 x 2");
  expect(words([](StepConfig& c) { c.lr = -1; }), "learning rate -1");
  expect(words([](StepConfig& c) { c.pp = 3; }), "2 layers do not divide into 3 pipeline stages");
  expect(words([](StepConfig& c) { c.virtual_stages = 2; }), "more than one pipeline stage");
  expect(words([](StepConfig& c) {
           c.model.layers = 4;
           c.pp = c.virtual_stages = 2;
           c.global_batch = 6;
         }),
         "3 micro-batches are no multiple of 2 stages");
  expect(words([](StepConfig& c) {
           c.sequence_parallel = true;
           c.tp = 4;
           c.model.seq = 5;
         }),
         "5 tokens are not divisible by 4 tensor-parallel ranks");
  expect(words([](StepConfig& c) { c.zero = 2; }), "zero 2");
  expect(words([](StepConfig& c) { c.dropout = 0.1; }), "dropout 0.1");
}

TEST(Config, RefusesAnotherNumberOfRanks) {
  NullTracer tracer;
  EXPECT_THROW(One(toy(2, 1), tracer), UsageError);
}

}  // namespace
}  // namespace bench::gpt2
