#pragma once
// An evaluation while it is open: forward passes over a file's windows are timed, and how well the
// model predicts all of them is among the values.

#include <memory>

#include "bench/sdk/plugin.h"
#include "parallel/gpt2/evaluation.h"
#include "plugins/train/train_case.h"

namespace bench::train {

// The case as the host sees it, without `open`. Throws UsageError where there is nothing to
// evaluate or the stride does not fit.
sdk::Case describe_evaluation(const sdk::Request& request, const TrainCase& train);

// Throws UsageError for bad files.
std::unique_ptr<sdk::Instance> open_evaluation(const TrainCase& train, const sdk::Place& place);

// T is float or bfloat16.
template <class T>
class EvalInstance final : public sdk::Instance {
 public:
  EvalInstance(const TrainCase& train, const sdk::Place& place);

  void enqueue(int64_t n) override;
  // The attention is causal and the sums are right: other tokens in the second half of a window
  // leave the first half's losses as they are, and a window's mean loss is that of its tokens.
  sdk::Check check() override;
  std::map<std::string, sdk::Value> values() override;

 private:
  void read(int64_t batch);
  double exchanged(double mine);

  TrainCase train_;
  const Context& context_;
  Communicator& comm_;
  std::unique_ptr<gpt2::TokenSource> tokens_;
  gpt2::WindowPlan plan_;
  gpt2::TrainingStep<T> step_;
  std::vector<int32_t> inputs_, targets_;  // this rank's rows
  int64_t next_ = 0;
};

}  // namespace bench::train
