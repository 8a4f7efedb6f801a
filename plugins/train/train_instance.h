#pragma once
// One open training case: the step, its tokens, and the check of its gradient.

#include <memory>
#include <vector>

#include "parallel/gpt2/tokens.h"
#include "parallel/gpt2/training_step.h"
#include "parallel/gpt2/write_weights.h"
#include "plugins/train/train_case.h"

namespace bench::train {

// Opens the case in its element type. Collective over place.comm.
std::unique_ptr<sdk::TrainingInstance> open_training(const TrainCase& train,
                                                     const sdk::Place& place);

// T is float or bfloat16.
template <class T>
class TrainInstance final : public sdk::TrainingInstance {
 public:
  TrainInstance(const TrainCase& train, const sdk::Place& place);

  void enqueue(int64_t n) override;
  sdk::Check check() override;
  void reset() override;
  std::map<std::string, sdk::Value> values() override;
  Description describe() const override;
  const std::vector<Step>& trajectory() override;

 private:
  void read_tokens(int64_t step);
  void take_results();
  std::vector<uint64_t> gathered(uint64_t mine);
  std::string why_replicas_differ();
  template <class Element>
  std::string why_differ(const std::vector<Element>& weights);
  double slope_along_gradient(gpt2::KeptWeights<T>& kept, double length);
  sdk::Check check_gradient();

  TrainCase train_;
  const Context& context_;
  Communicator& comm_;
  std::unique_ptr<gpt2::TokenSource> tokens_;
  gpt2::TrainingStep<T> step_;
  std::vector<int32_t> inputs_, targets_;  // this rank's rows
  int64_t steps_ = 0;                      // since open or reset
  std::vector<Step> results_;
  std::unique_ptr<gpt2::WeightsFile> save_to_;  // of one rank, until they are written
};

}  // namespace bench::train
