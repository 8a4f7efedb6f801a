// Training steps on a GPU: those of the formulas, the same bits twice, whether replayed or not,
// whatever is recomputed. Without a GPU the program says so and ends with 77.

#include <gtest/gtest.h>

#include <cstdio>
#include <future>

#include "kernels/graph.h"
#include "tests/device/cuda_device.h"
#include "tests/gpt2/device_check.h"

namespace bench::gpt2 {
namespace {

using test::device_config;
using test::Trajectory;

constexpr int kSteps = 10;

Device* gpu = nullptr;

StepConfig odd_config() { return device_config(33, 131); }

// Computed beside what runs on the GPU, from main on.
template <class T>
struct Formulas {
  static std::shared_future<Trajectory<T>> start(const StepConfig& config) {
    return std::async(std::launch::async, test::by_formulas<T>, config, kSteps).share();
  }
  std::shared_future<Trajectory<T>> even = start(device_config()), odd = start(odd_config());
};

template <class T>
const Formulas<T>& formulas() {
  static const Formulas<T> started;
  return started;
}

// A stream for as long as a run takes.
class OnGpu {
 public:
  OnGpu() : stream_(gpu->create_stream()) {}
  ~OnGpu() {
    gpu->synchronize(stream_);
    gpu->destroy_stream(stream_);
  }
  OnGpu(const OnGpu&) = delete;
  Context context(bool deterministic = true) {
    return {.device = *gpu, .tracer = tracer_, .stream = stream_, .deterministic = deterministic};
  }

 private:
  NullTracer tracer_;
  Stream stream_;
};

template <class T>
kernels::Ops<T> ops() {
  return kernels::ops_for<T>(DeviceKind::cuda);
}

template <class T>
Trajectory<T> on_gpu(const StepConfig& config, const GraphRecorder& recorder = {}) {
  OnGpu place;
  return test::train_alone<T>(place.context(), config, ops<T>(), kSteps, recorder);
}

template <class T>
class OnCuda : public testing::Test {};
using Types = testing::Types<float, bfloat16>;
TYPED_TEST_SUITE(OnCuda, Types);

TYPED_TEST(OnCuda, IsTheStepOfTheFormulas) {
  test::expect_close(on_gpu<TypeParam>(device_config()), formulas<TypeParam>().even.get());
}

TYPED_TEST(OnCuda, IsTheStepOfTheFormulasInOddSizes) {
  test::expect_close(on_gpu<TypeParam>(odd_config()), formulas<TypeParam>().odd.get());
}

TYPED_TEST(OnCuda, WithoutDeterminismIsAsClose) {
  OnGpu place;
  const auto fast =
      test::train_alone<TypeParam>(place.context(false), device_config(), ops<TypeParam>(), kSteps);
  test::expect_close(fast, formulas<TypeParam>().even.get());
}

TYPED_TEST(OnCuda, WithGeluOnItsOwnIsAsClose) {
  kernels::Ops<TypeParam> apart = ops<TypeParam>();
  apart.linear_fuses_gelu = false;
  OnGpu place;
  const auto unfused =
      test::train_alone<TypeParam>(place.context(), device_config(), apart, kSteps);
  test::expect_close(unfused, formulas<TypeParam>().even.get());
}

TYPED_TEST(OnCuda, TheSameRunTwiceIsBitIdentical) {
  test::expect_same_bits(on_gpu<TypeParam>(device_config()), on_gpu<TypeParam>(device_config()));
}

TYPED_TEST(OnCuda, ReplayChangesNoBit) {
  const auto replayed = on_gpu<TypeParam>(device_config(), kernels::graph_recorder());
  test::expect_same_bits(replayed, on_gpu<TypeParam>(device_config()));
}

TYPED_TEST(OnCuda, RecomputationChangesNoBit) {
  const auto kept = on_gpu<TypeParam>(device_config());
  for (const Recompute recompute : {Recompute::selective, Recompute::full}) {
    StepConfig config = device_config();
    config.recompute = recompute;
    SCOPED_TRACE(name_of(recompute));
    test::expect_same_bits(on_gpu<TypeParam>(config), kept);
    test::expect_same_bits(on_gpu<TypeParam>(config, kernels::graph_recorder()), kept);
  }
}

// A second step on the same stream makes the scratch memory grow that the first one's graph knows.
TYPED_TEST(OnCuda, IsReplayedAfterALargerStepHasRunBeside) {
  OnGpu place;
  SelfCommunicator self;
  const StepConfig config = device_config();
  StepConfig larger = device_config(256, 1000);
  larger.micro_batch = larger.global_batch = 8;
  const auto tokens = zipf_tokens(config.model.vocab, 7);
  const auto run = [&](bool beside) {
    TrainingStep<TypeParam> step(place.context(), self, config, ops<TypeParam>(),
                                 kernels::graph_recorder());
    step.init(3);
    for (int k = 0; k < 6; ++k) {
      const test::Batch b = test::batch_of(*tokens, config, k, 0);
      step.step(b.inputs.data(), b.targets.data());
      if (beside && k == 2)
        test::train_alone<TypeParam>(place.context(), larger, ops<TypeParam>(), 1);
    }
    return test::gather_all(step, Held::weight);
  };
  EXPECT_EQ(run(true), run(false));
}

TYPED_TEST(OnCuda, StateComesBack) {
  OnGpu place;
  SelfCommunicator self;
  TrainingStep<TypeParam> step(place.context(), self, device_config(), ops<TypeParam>(),
                               kernels::graph_recorder());
  step.init(3);
  const auto tokens = zipf_tokens(device_config().model.vocab, 7);
  const auto run = [&](int from) {
    for (int k = from; k < from + 3; ++k) {
      const test::Batch b = test::batch_of(*tokens, device_config(), k, 0);
      step.step(b.inputs.data(), b.targets.data());
    }
    return test::gather_all(step, Held::weight);
  };
  step.save_state();
  const auto fresh = run(0);
  step.restore_state();
  EXPECT_EQ(run(0), fresh);
  step.save_state();  // with moments
  const auto later = run(3);
  EXPECT_NE(later, fresh);
  step.restore_state();
  EXPECT_EQ(run(3), later);
}

// Far enough for the change to be above the rounding of a mean of losses, near enough for the
// curvature to be below the tolerance.
template <class T>
constexpr double kLength = 5e-3;
template <>
constexpr double kLength<bfloat16> = 1e-2;
template <class T>
constexpr double kSlopeTolerance = 1e-2;
template <>
constexpr double kSlopeTolerance<bfloat16> = 5e-2;

TYPED_TEST(OnCuda, PerturbingAlongTheGradientChangesTheLossByItsNorm) {
  OnGpu place;
  SelfCommunicator self;
  TrainingStep<TypeParam> step(place.context(), self, device_config(), ops<TypeParam>());
  step.init(3);
  const auto tokens = zipf_tokens(device_config().model.vocab, 7);
  const test::Batch b = test::batch_of(*tokens, device_config(), 0, 0);
  const StepResult at = step.compute_gradients(b.inputs.data(), b.targets.data());
  constexpr double kBy = kLength<TypeParam>;
  step.perturb_along_gradient(kBy);
  const double up = step.forward_loss(b.inputs.data(), b.targets.data());
  step.perturb_along_gradient(-2 * kBy);
  const double down = step.forward_loss(b.inputs.data(), b.targets.data());
  EXPECT_NEAR((up - down) / (2 * kBy) / at.grad_norm, 1, kSlopeTolerance<TypeParam>);
}

}  // namespace
}  // namespace bench::gpt2

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::string why_not;
  const auto device = bench::test::open_cuda_device(why_not);
  if (device == nullptr) {
    std::printf("skipped: %s\n", why_not.c_str());
    return 77;
  }
  bench::gpt2::gpu = device.get();
  bench::gpt2::formulas<float>();
  bench::gpt2::formulas<bench::bfloat16>();
  return RUN_ALL_TESTS();
}
