#include "parallel/gpt2/training_step.h"

#include <algorithm>

#include "bench/base/status.h"
#include "parallel/gpt2/gradient_sync.h"
#include "parallel/gpt2/pipeline.h"

namespace bench::gpt2 {
namespace {

StepConfig validated(const StepConfig& config) {
  config.validate();
  return config;
}

template <class T>
Buffer<T> zeroed(const Context& context, int64_t size) {
  Buffer<T> buffer(context.device, size);
  context.device.fill(context.stream, buffer.data(), 0, buffer.bytes());
  return buffer;
}

template <class T>
StepState<T> make_state(const Context& context, Communicator& world, const StepConfig& config,
                        const kernels::Ops<T>& ops) {
  using Wide = kernels::Wide<T>;
  constexpr bool is_rounded = !std::is_same_v<T, Wide>;
  layout::Mesh mesh(world, validated(config).mesh());
  const int tensor_rank = mesh.rank(layout::Axis::tensor);
  const int stage = mesh.rank(layout::Axis::pipeline);
  const RankShape shape = rank_shape(config, tensor_rank, stage);
  ParameterTable table(config, tensor_rank, stage);
  DataShards shards(config, table, mesh.rank(layout::Axis::data), sizeof(Wide));
  const int64_t size = table.flat_size(), owned = shards.owned_size();
  const int64_t accumulation = config.batch().accumulation(), tokens = accumulation * shape.n;
  return {.context = context,
          .config = config,
          .ops = ops,
          .mesh = std::move(mesh),
          .shape = shape,
          .training = plan_pipeline(config.pipeline(), stage, layout::Passes::training),
          .forward_only = plan_pipeline(config.pipeline(), stage, layout::Passes::forward_only),
          .table = std::move(table),
          .shards = std::move(shards),
          .weights = zeroed<Wide>(context, is_rounded ? owned : size),
          .gradients = zeroed<Wide>(context, size),
          .m = zeroed<Wide>(context, owned),
          .v = zeroed<Wide>(context, owned),
          .rounded = is_rounded ? zeroed<T>(context, size) : Buffer<T>(),
          .sums_under_way = {},
          .inputs = Buffer<int32_t>(context.device, tokens),
          .targets = Buffer<int32_t>(context.device, tokens),
          .work = Workspace<T>(context.device, shape, accumulation, config.recompute, ops),
          .scalars = zeroed<double>(context, kScalars),
          .update_number = zeroed<int64_t>(context, 1),
          .update_lr = zeroed<double>(context, 1)};
}

GraphRecorder recorder_for(GraphRecorder recorder, const Communicator& world) {
  return world.size() == 1 || world.capturable() ? std::move(recorder) : GraphRecorder();
}

}  // namespace

template <class T>
TrainingStep<T>::TrainingStep(const Context& context, Communicator& world, const StepConfig& config,
                              const kernels::Ops<T>& ops, GraphRecorder recorder)
    : state_(make_state(context, world, config, ops)),
      ring_(context.device, kScalars * kKept),
      replay_(recorder_for(std::move(recorder), world)) {}

template <class T>
void TrainingStep<T>::load_batch(const int32_t* inputs, const int32_t* targets) {
  const Context& c = state_.context;
  c.device.copy(c.stream, state_.inputs.data(), inputs, state_.inputs.bytes());
  c.device.copy(c.stream, state_.targets.data(), targets, state_.targets.bytes());
}

template <class T>
void TrainingStep<T>::all_gradients() {
  run_training(state_);
  finish_gradients(state_);
}

template <class T>
void TrainingStep<T>::whole_step() {
  all_gradients();
  const Range range(state_.context, "optimizer", state_.updates);
  add_up_losses(state_);
  add_up_squares(state_);
  apply_adamw(state_);
  share_weights(state_);
}

// What differs from step to step (tokens, the update's number, where the result goes) is outside
// of what is replayed.
template <class T>
void TrainingStep<T>::step(const int32_t* inputs, const int32_t* targets) {
  const Context& c = state_.context;
  load_batch(inputs, targets);
  count_update(state_);
  replay_.run(c, [this] { whole_step(); });
  c.device.copy(c.stream, ring_.data() + kScalars * (recorded_ % kKept), state_.scalars.data(),
                state_.scalars.bytes());
  ++recorded_;
}

template <class T>
StepResult TrainingStep<T>::compute_gradients(const int32_t* inputs, const int32_t* targets) {
  load_batch(inputs, targets);
  all_gradients();
  add_up_losses(state_);
  add_up_squares(state_);
  return read_result(state_);
}

template <class T>
void TrainingStep<T>::forward(const int32_t* inputs, const int32_t* targets) {
  load_batch(inputs, targets);
  run_forward_only(state_);
}

template <class T>
std::vector<kernels::Wide<T>> TrainingStep<T>::token_losses() {
  const Context& c = state_.context;
  const int64_t tokens = state_.shape.has_head() ? state_.inputs.size() : 0;
  std::vector<kernels::Wide<T>> losses(static_cast<size_t>(tokens));
  if (tokens > 0) {
    c.device.copy(c.stream, losses.data(), state_.work.loss, losses.size() * sizeof losses[0]);
  }
  c.device.synchronize(c.stream);
  return losses;
}

template <class T>
double TrainingStep<T>::forward_loss(const int32_t* inputs, const int32_t* targets) {
  forward(inputs, targets);
  add_up_losses(state_);
  return read_result(state_).loss;
}

template <class T>
std::vector<StepResult> TrainingStep<T>::read_results() {
  const Context& c = state_.context;
  std::vector<double> ring(static_cast<size_t>(ring_.size()));
  c.device.copy(c.stream, ring.data(), ring_.data(), ring_.bytes());
  c.device.synchronize(c.stream);
  std::vector<StepResult> results;
  for (int64_t i = std::max(read_, recorded_ - kKept); i < recorded_; ++i)
    results.push_back(result_of(ring.data() + kScalars * (i % kKept), state_.config));
  read_ = recorded_;
  return results;
}

template <class T>
void TrainingStep<T>::perturb_along_gradient(double eps) {
  const double norm = read_result(state_).grad_norm;
  if (!(norm > 0)) {
    throw UsageError("perturb_along_gradient: there is no gradient; call compute_gradients first");
  }
  add_gradient_to_weights(state_, eps / norm);
}

template class TrainingStep<float>;
template class TrainingStep<double>;
template class TrainingStep<bfloat16>;

}  // namespace bench::gpt2
