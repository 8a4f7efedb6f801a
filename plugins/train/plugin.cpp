// Full GPT-2 training steps: forward, backward, gradient reduction, clip, AdamW, on real or seeded
// tokens.
#include "bench/sdk/plugin.h"

#include "plugins/train/eval_instance.h"
#include "plugins/train/train_case.h"
#include "plugins/train/train_instance.h"

namespace bench::train {
namespace {

class TrainPlugin final : public sdk::Plugin {
 public:
  std::vector<sdk::Case> cases(const sdk::Request& request) override {
    const TrainCase train = read_train_case(request);
    if (request.set != "eval" && request.has("stride"))
      throw UsageError("--stride is for --suite eval: training takes each token once");
    if (request.set == "eval") return {evaluation(request, train)};
    sdk::Case made = describe_case(train);
    made.open = [train](const sdk::Place& place) { return open_training(train, place); };
    return {made};
  }

 private:
  static sdk::Case evaluation(const sdk::Request& request, const TrainCase& train) {
    sdk::Case made = describe_evaluation(request, train);
    made.open = [train](const sdk::Place& place) { return open_evaluation(train, place); };
    return made;
  }
};

}  // namespace
}  // namespace bench::train

BENCH_PLUGIN(bench::train::TrainPlugin, "train", "1",
             "full GPT-2 training steps, tensor x data parallel")
