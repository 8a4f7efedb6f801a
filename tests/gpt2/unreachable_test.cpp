// The host never follows a pointer into the device's memory: here that memory is unmapped for all
// but the ops and the device's own copies, and a step that forgets it ends the program.

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <map>
#include <new>

#include "parallel/comm/self/self_communicator.h"
#include "tests/gpt2/harness.h"
#include "tests/gpt2/hooked.h"

namespace bench::gpt2 {
namespace {

// Pages that are shut while no call is made.
class ShutDevice final : public test::HookedDevice {
 public:
  ShutDevice() {
    test::hook = [this](const test::Call& call) {
      protect(PROT_READ | PROT_WRITE);
      call();
      protect(PROT_NONE);
    };
  }
  ~ShutDevice() override { test::hook = nullptr; }
  void* allocate(size_t bytes) override {
    void* memory = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    blocks_[memory] = bytes;
    return memory;
  }
  void release(void* memory) noexcept override {
    munmap(memory, blocks_.at(memory));
    blocks_.erase(memory);
  }

 private:
  void protect(int access) {
    for (const auto& [memory, bytes] : blocks_) EXPECT_EQ(mprotect(memory, bytes, access), 0);
  }
  std::map<void*, size_t> blocks_;
};

StepConfig toy(Recompute recompute) {
  return {.model = {.name = "toy", .layers = 2, .hidden = 16, .heads = 2, .seq = 5, .vocab = 29},
          .micro_batch = 2,
          .global_batch = 4,
          .lr = 1e-2,
          .recompute = recompute};
}

struct Result {
  test::Tensors<float> gradients, weights;
  std::vector<double> losses;
  auto operator<=>(const Result&) const = default;
};

// All that a training case does with a step.
template <class T>
Result use(Device& device, const StepConfig& config) {
  NullTracer tracer;
  SelfCommunicator self;
  TrainingStep<T> step({.device = device, .tracer = tracer}, self, config, test::hooked_ops<T>());
  step.init(3);
  step.save_state();
  const auto tokens = zipf_tokens(config.model.vocab, 5);
  const auto batch = [&](int64_t k) { return test::batch_of(*tokens, config, k, 0); };
  Result result;
  for (int k = 0; k < 3; ++k) {
    const test::Batch b = batch(k);
    step.step(b.inputs.data(), b.targets.data());
  }
  for (const StepResult& r : step.read_results()) result.losses.push_back(r.loss);
  KeptWeights<T> kept(step.state());
  const test::Batch b = batch(0);
  result.losses.push_back(step.compute_gradients(b.inputs.data(), b.targets.data()).grad_norm);
  result.gradients = test::gather_all(step, Held::gradient);
  step.perturb_along_gradient(0.1);
  result.losses.push_back(step.forward_loss(b.inputs.data(), b.targets.data()));
  kept.put_back();
  result.weights = test::gather_all(step, Held::weight);
  step.save_state();
  step.step(b.inputs.data(), b.targets.data());
  step.restore_state();
  EXPECT_EQ(test::gather_all(step, Held::weight), result.weights);
  return result;
}

template <class T>
void expect_as_on_the_host() {
  for (const Recompute r : {Recompute::none, Recompute::selective, Recompute::full}) {
    CpuDevice host(1);
    const Result want = use<T>(host, toy(r));
    ShutDevice shut;
    EXPECT_EQ(use<T>(shut, toy(r)), want) << name_of(r);
  }
}

TEST(UnreachableMemory, IsOnlyCopied) {
  expect_as_on_the_host<float>();
  expect_as_on_the_host<bfloat16>();
}

TEST(UnreachableMemory, IsShut) {
  ShutDevice shut;
  Buffer<int> one(shut, 1);
  EXPECT_DEATH(one.data()[0] = 1, "");
  const int written = 7;
  int seen = 0;
  shut.copy({}, one.data(), &written, sizeof written);
  shut.copy({}, &seen, one.data(), sizeof seen);
  EXPECT_EQ(seen, 7);
}

}  // namespace
}  // namespace bench::gpt2
