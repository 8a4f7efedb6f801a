#pragma once
// How well a model predicts a file of tokens: windows of the model's length, each `stride` tokens
// after the last, of which all but the first one score their last `stride` targets alone, so that
// every target is scored once and most with a long context (Shoeybi 2019, section 5.3, evaluates
// WikiText103 so).

#include "parallel/gpt2/tokens.h"
#include "parallel/gpt2/training_step.h"

namespace bench::gpt2 {

struct WindowPlan {
  int64_t tokens = 0;  // of the file
  int64_t seq = 0;
  int64_t stride = 0;

  // Throws UsageError where the stride is not in [1, seq], or there is nothing to predict.
  void validate() const;
  int64_t windows() const;
  int64_t first_token(int64_t window) const { return window * stride; }
  // Which of a window's targets count, of those that the file has.
  layout::Span scored(int64_t window) const;
};

// This rank's rows of the batch-th batch of windows, as TrainingStep::forward takes them. Rows past
// the last window hold some tokens.
void read_windows(const TokenSource& source, const WindowPlan& plan, const layout::BatchPlan& batch,
                  int64_t index, int data_rank, std::span<int32_t> inputs,
                  std::span<int32_t> targets);

struct EvaluationResult {
  double loss = 0;      // mean over scored targets, in nats
  int64_t targets = 0;  // scored
  double perplexity() const;
};

// Over all windows. Collective over all ranks; the same on each.
template <class T>
EvaluationResult evaluate(TrainingStep<T>& step, const TokenSource& source, const WindowPlan& plan);

}  // namespace bench::gpt2
