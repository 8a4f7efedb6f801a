#include "parallel/gpt2/optimizer.h"

#include <cmath>

#include "parallel/gpt2/reduce.h"

namespace bench::gpt2 {
namespace {

using layout::Axis;

template <class T>
double* zeroed_scalar(StepState<T>& st, Scalar which) {
  double* scalar = st.scalars.data() + which;
  st.context.device.fill(st.context.stream, scalar, 0, sizeof(double));
  return scalar;
}

// Of a run of the flat buffers what this rank owns: f(part, its piece of the run).
template <class T, class F>
void each_owned(const StepState<T>& st, const layout::Span& run, F f) {
  for (const OwnedPart& part : st.shards.owned()) {
    const layout::Span piece = layout::overlap(part.span, run);
    if (piece.size > 0) f(part, piece);
  }
}

}  // namespace

template <class T>
void add_up_losses(StepState<T>& st) {
  double* sum = zeroed_scalar(st, kLossSum);
  const int64_t tokens = st.config.batch().accumulation() * st.shape.n;
  if (st.shape.has_head())
    st.ops.sum(st.context, {.size = tokens, .x = st.work.loss, .result = sum});
  all_reduce(st.context, st.mesh, Axis::data, sum, 1, ReduceOp::sum);
  all_reduce(st.context, st.mesh, Axis::pipeline, sum, 1, ReduceOp::sum);
}

// Distinct parameters only: replicated tensors are in the first tensor rank's runs alone, the tied
// embedding in the first stage's. The same bits on every rank, because all take the same reduced
// number.
template <class T>
void add_up_squares(StepState<T>& st) {
  double* squared = zeroed_scalar(st, kNormSquared);
  for (const layout::Span& run : st.table.norm_runs()) {
    each_owned(st, run, [&](const OwnedPart& part, const layout::Span& piece) {
      const int64_t at = part.gradient + piece.begin - part.span.begin;
      st.ops.sum_of_squares(st.context,
                            {.size = piece.size, .x = st.gradient(at), .result = squared});
    });
  }
  if (st.shards.is_spread()) all_reduce(st.context, st.mesh, Axis::data, squared, 1, ReduceOp::sum);
  all_reduce(st.context, st.mesh, Axis::tensor, squared, 1, ReduceOp::sum);
  all_reduce(st.context, st.mesh, Axis::pipeline, squared, 1, ReduceOp::sum);
}

StepResult result_of(const double* scalars, const StepConfig& config) {
  return {.loss = scalars[kLossSum] / static_cast<double>(config.tokens_per_step()),
          .grad_norm = std::sqrt(scalars[kNormSquared])};
}

template <class T>
StepResult read_result(StepState<T>& st) {
  double scalars[kScalars];
  st.context.device.copy(st.context.stream, scalars, st.scalars.data(), sizeof scalars);
  st.context.device.synchronize(st.context.stream);
  return result_of(scalars, st.config);
}

template <class T>
void count_update(StepState<T>& st) {
  ++st.updates;
  st.context.device.copy(st.context.stream, st.update_number.data(), &st.updates,
                         sizeof st.updates);
  st.lr = st.config.schedule.at(st.config.lr, st.updates);
  st.context.device.copy(st.context.stream, st.update_lr.data(), &st.lr, sizeof st.lr);
}

template <class T>
void apply_adamw(StepState<T>& st) {
  const StepConfig& c = st.config;
  constexpr bool is_rounded = !std::is_same_v<T, kernels::Wide<T>>;
  for (const ParameterTable::Run& run : st.table.optimizer_runs()) {
    each_owned(st, run.span, [&](const OwnedPart& part, const layout::Span& piece) {
      const int64_t inside = piece.begin - part.span.begin;
      st.ops.adamw(st.context, {.size = piece.size,
                                .lr = c.lr,
                                .beta1 = c.beta1,
                                .beta2 = c.beta2,
                                .eps = c.eps,
                                .weight_decay = run.decays ? c.weight_decay : 0.0,
                                .clip = c.clip,
                                .squared_norm = st.scalars.data() + kNormSquared,
                                .step_at = st.update_number.data(),
                                .lr_at = st.update_lr.data(),
                                .g = st.gradient(part.gradient + inside),
                                .w = st.master(part) + inside,
                                .m = st.m.data() + part.state + inside,
                                .v = st.v.data() + part.state + inside,
                                .copy = is_rounded ? st.weight(piece.begin) : nullptr});
    });
  }
  st.weights_written();
}

template void add_up_losses(StepState<float>&);
template void add_up_losses(StepState<double>&);
template void add_up_losses(StepState<bfloat16>&);
template void add_up_squares(StepState<float>&);
template void add_up_squares(StepState<double>&);
template void add_up_squares(StepState<bfloat16>&);
template StepResult read_result(StepState<float>&);
template StepResult read_result(StepState<double>&);
template StepResult read_result(StepState<bfloat16>&);
template void count_update(StepState<float>&);
template void count_update(StepState<double>&);
template void count_update(StepState<bfloat16>&);
template void apply_adamw(StepState<float>&);
template void apply_adamw(StepState<double>&);
template void apply_adamw(StepState<bfloat16>&);

}  // namespace bench::gpt2
