#include "parallel/gpt2/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/base/status.h"
#include "parallel/gpt2/reduce.h"

namespace bench::gpt2 {
namespace {

using layout::Axis;

constexpr int kSums = 2;  // losses, targets

// Of the rows of this rank in a batch, on the stage that has the losses.
template <class T>
void add_batch(TrainingStep<T>& step, const WindowPlan& plan, int64_t batch, double* sums) {
  const std::vector<kernels::Wide<T>> losses = step.token_losses();
  const layout::Span rows = step.batch_rows();
  for (int64_t r = 0; r < rows.size && !losses.empty(); ++r) {
    const int64_t window = batch * step.config().global_batch + rows.begin + r;
    if (window >= plan.windows()) return;
    const layout::Span scored = plan.scored(window);
    for (int64_t i = scored.begin; i < scored.end(); ++i)
      sums[0] += static_cast<double>(losses[static_cast<size_t>(r * plan.seq + i)]);
    sums[1] += static_cast<double>(scored.size);
  }
}

}  // namespace

void WindowPlan::validate() const {
  if (stride < 1 || stride > seq)
    throw UsageError(fmt::format("stride {}: windows of {} tokens can be 1 to {} tokens apart",
                                 stride, seq, seq));
  if (tokens < 2) throw UsageError(fmt::format("{} token leaves nothing to predict", tokens));
}

int64_t WindowPlan::windows() const {
  const int64_t targets = tokens - 1;
  return targets <= seq ? 1 : 1 + (targets - seq + stride - 1) / stride;
}

layout::Span WindowPlan::scored(int64_t window) const {
  const int64_t begin = window == 0 ? 0 : seq - stride;
  const int64_t end = std::min(seq, tokens - 1 - first_token(window));
  return {.begin = begin, .size = end - begin};
}

void read_windows(const TokenSource& source, const WindowPlan& plan, const layout::BatchPlan& batch,
                  int64_t index, int data_rank, std::span<int32_t> inputs,
                  std::span<int32_t> targets) {
  const layout::Span rows = batch.rows_of_rank(data_rank);
  const auto seq = static_cast<size_t>(plan.seq);
  for (int64_t r = 0; r < rows.size; ++r) {
    const int64_t first = plan.first_token(index * batch.global_batch + rows.begin + r);
    const size_t at = static_cast<size_t>(r) * seq;
    source.read(first, inputs.subspan(at, seq));
    source.read(first + 1, targets.subspan(at, seq));
  }
}

double EvaluationResult::perplexity() const { return std::exp(loss); }

template <class T>
EvaluationResult evaluate(TrainingStep<T>& step, const TokenSource& source,
                          const WindowPlan& plan) {
  plan.validate();
  const StepConfig& config = step.config();
  const auto tokens = static_cast<size_t>(step.batch_rows().size * plan.seq);
  std::vector<int32_t> inputs(tokens), targets(tokens);
  double sums[kSums] = {};
  const int64_t batches = (plan.windows() + config.global_batch - 1) / config.global_batch;
  for (int64_t b = 0; b < batches; ++b) {
    read_windows(source, plan, config.batch(), b, step.data_rank(), inputs, targets);
    step.forward(inputs.data(), targets.data());
    add_batch(step, plan, b, sums);
  }
  StepState<T>& st = step.state();
  Buffer<double> shared(st.context.device, kSums);
  st.context.device.copy(st.context.stream, shared.data(), sums, sizeof sums);
  for (const Axis axis : {Axis::data, Axis::pipeline})
    all_reduce(st.context, st.mesh, axis, shared.data(), kSums, ReduceOp::sum);
  st.context.device.copy(st.context.stream, sums, shared.data(), sizeof sums);
  st.context.device.synchronize(st.context.stream);
  return {.loss = sums[0] / sums[1], .targets = std::llround(sums[1])};
}

template EvaluationResult evaluate(TrainingStep<float>&, const TokenSource&, const WindowPlan&);
template EvaluationResult evaluate(TrainingStep<double>&, const TokenSource&, const WindowPlan&);
template EvaluationResult evaluate(TrainingStep<bfloat16>&, const TokenSource&, const WindowPlan&);

}  // namespace bench::gpt2
