#include "parallel/gpt2/optimizer.h"

#include <algorithm>
#include <cmath>

#include "parallel/gpt2/reduce.h"

namespace bench::gpt2 {
namespace {

using layout::Axis;

// Distinct parameters only: replicated tensors are in the first tensor rank's runs alone, the tied
// embedding is one tensor. The same bits on every tensor rank, because all take the same reduced
// number.
template <class T>
void start_norm(StepState<T>& st) {
  double* squared = st.scalars.data() + kNormSquared;
  st.context.device.fill(st.context.stream, squared, 0, sizeof(double));
  for (const layout::Span& run : st.table.norm_runs()) {
    st.ops.sum_of_squares(st.context,
                          {.size = run.size, .x = st.gradient(run.begin), .result = squared});
  }
  all_reduce(st.context, st.mesh, Axis::tensor, squared, 1, ReduceOp::sum);
}

template <class T>
void start_loss_copy(StepState<T>& st) {
  st.context.device.copy(st.context.stream, st.host_loss.data(), st.work.loss,
                         st.host_loss.size() * sizeof(kernels::Wide<T>));
}

// Sums in double on the host, in token order, then over the data ranks.
template <class T>
double finish_loss(StepState<T>& st) {
  Device& device = st.context.device;
  const Stream stream = st.context.stream;
  double sum = 0;
  for (const auto loss : st.host_loss) sum += static_cast<double>(loss);
  if (st.config.dp > 1) {
    double* slot = st.scalars.data() + kLossSum;
    device.copy(stream, slot, &sum, sizeof sum);
    all_reduce(st.context, st.mesh, Axis::data, slot, 1, ReduceOp::sum);
    device.copy(stream, &sum, slot, sizeof sum);
    device.synchronize(stream);
  }
  return sum / static_cast<double>(st.config.tokens_per_step());
}

}  // namespace

template <class T>
void synchronise_gradients(StepState<T>& st) {
  if (st.config.dp == 1) return;
  const Range range(st.context, "grad_sync", 0);
  const int64_t bucket =
      std::max<int64_t>(1, st.config.bucket_bytes / static_cast<int64_t>(sizeof(kernels::Wide<T>)));
  for (int64_t end = st.table.flat_size(); end > 0; end -= bucket) {
    const int64_t begin = std::max<int64_t>(0, end - bucket);
    all_reduce(st.context, st.mesh, Axis::data, st.gradient(begin), end - begin, ReduceOp::sum);
  }
}

template <class T>
StepResult read_loss_and_norm(StepState<T>& st, double* record) {
  Device& device = st.context.device;
  const Stream stream = st.context.stream;
  start_norm(st);
  start_loss_copy(st);
  double squared = 0;
  device.copy(stream, &squared, st.scalars.data() + kNormSquared, sizeof squared);
  device.synchronize(stream);
  const StepResult result{.loss = finish_loss(st), .grad_norm = std::sqrt(squared)};
  if (record != nullptr) {
    const double values[2] = {result.loss, result.grad_norm};
    device.copy(stream, record, values, sizeof values);
  }
  return result;
}

template <class T>
double read_loss(StepState<T>& st) {
  start_loss_copy(st);
  st.context.device.synchronize(st.context.stream);
  return finish_loss(st);
}

template <class T>
void apply_adamw(StepState<T>& st, double grad_norm) {
  const StepConfig& c = st.config;
  constexpr bool is_rounded = !std::is_same_v<T, kernels::Wide<T>>;
  ++st.updates;
  // torch.nn.utils.clip_grad_norm_: max_norm / (norm + 1e-6), never above one.
  const double clip = std::min(1.0, c.clip / (grad_norm + 1e-6));
  for (const ParameterTable::Run& run : st.table.optimizer_runs()) {
    const int64_t at = run.span.begin;
    st.ops.adamw(st.context, {.size = run.span.size,
                              .lr = c.lr,
                              .beta1 = c.beta1,
                              .beta2 = c.beta2,
                              .eps = c.eps,
                              .weight_decay = run.decays ? c.weight_decay : 0.0,
                              .clip = clip,
                              .step = st.updates,
                              .g = st.gradient(at),
                              .w = st.master(at),
                              .m = st.m.data() + at,
                              .v = st.v.data() + at,
                              .copy = is_rounded ? st.weight(at) : nullptr});
  }
  st.weights_written();
}

template void synchronise_gradients(StepState<float>&);
template void synchronise_gradients(StepState<double>&);
template void synchronise_gradients(StepState<bfloat16>&);
template StepResult read_loss_and_norm(StepState<float>&, double*);
template StepResult read_loss_and_norm(StepState<double>&, double*);
template StepResult read_loss_and_norm(StepState<bfloat16>&, double*);
template double read_loss(StepState<float>&);
template double read_loss(StepState<double>&);
template double read_loss(StepState<bfloat16>&);
template void apply_adamw(StepState<float>&, double);
template void apply_adamw(StepState<double>&, double);
template void apply_adamw(StepState<bfloat16>&, double);

}  // namespace bench::gpt2
