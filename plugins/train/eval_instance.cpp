#include "plugins/train/eval_instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/base/status.h"
#include "parallel/gpt2/work.h"

namespace bench::train {
namespace {

// Of a loss of a token, which both passes compute in the same way but for what lies behind it.
constexpr double kCausalTolerance = 0;

}  // namespace

sdk::Case describe_evaluation(const sdk::Request& request, const TrainCase& train) {
  const gpt2::StepConfig& c = train.config;
  if (train.data.empty())
    throw UsageError(
        "an evaluation needs tokens: --data FILE (text, uint16 .bin, Megatron-LM's .bin and .idx)");
  if (train.graphs == Graphs::always)
    throw UsageError("--graph on: an evaluation is not replayed; leave the option out");
  // The file is not looked at before the case is opened; any size will do here.
  gpt2::WindowPlan{.tokens = 2, .seq = c.model.seq, .stride = train.stride}.validate();
  sdk::Case made = describe_case(train);
  made.name = request.ranks == 1 ? fmt::format("gpt2.eval.{}", c.model.name)
                                 : fmt::format("gpt2.eval.{}.{}", c.model.name,
                                               made.name.substr(made.name.rfind("tp")));
  made.number_params.emplace_back("stride", static_cast<double>(train.stride));
  std::erase_if(made.number_params, [](const auto& p) { return p.first == "lr"; });
  std::erase_if(made.text_params, [](const auto& p) { return p.first == "mode"; });
  std::erase_if(made.text_params, [](const auto& p) { return p.first == "graph"; });
  made.text_params.emplace_back("mode", "forward");
  gpt2::StepConfig once = c;
  once.recompute = gpt2::Recompute::none;
  made.flops = gpt2::executed_flops(once) / 3;  // of a step a forward pass is a third
  made.training = false;
  return made;
}

template <class T>
EvalInstance<T>::EvalInstance(const TrainCase& train, const sdk::Place& place)
    : train_(train),
      context_(place.context),
      comm_(place.comm),
      tokens_(gpt2::open_tokens(train.data, train.config.model.vocab)),
      plan_{.tokens = tokens_->size(), .seq = train.config.model.seq, .stride = train.stride},
      step_(place.context, place.comm, train.config, kernels::ops_for<T>(kDevice, train.variants)) {
  plan_.validate();
  if (train.weights.empty()) {
    step_.init(train.seed);
  } else {
    step_.load(gpt2::Safetensors(train.weights));
  }
  const auto tokens = static_cast<size_t>(step_.batch_rows().size * plan_.seq);
  inputs_.resize(tokens);
  targets_.resize(tokens);
  read(0);
}

template <class T>
void EvalInstance<T>::read(int64_t batch) {
  gpt2::read_windows(*tokens_, plan_, train_.config.batch(), batch, step_.data_rank(), inputs_,
                     targets_);
}

template <class T>
void EvalInstance<T>::enqueue(int64_t n) {
  const int64_t global = train_.config.global_batch;
  const int64_t batches = (plan_.windows() + global - 1) / global;
  for (int64_t i = 0; i < n; ++i) {
    read(next_++ % batches);
    step_.forward(inputs_.data(), targets_.data());
  }
}

// The largest of all ranks.
template <class T>
double EvalInstance<T>::exchanged(double mine) {
  Buffer<double> one(context_.device, 1);
  context_.device.copy(context_.stream, one.data(), &mine, sizeof mine);
  comm_.all_reduce(context_.stream, one.data(), one.data(), 1, DType::f64, ReduceOp::max);
  context_.device.copy(context_.stream, &mine, one.data(), sizeof mine);
  context_.device.synchronize(context_.stream);
  return mine;
}

template <class T>
sdk::Check EvalInstance<T>::check() {
  read(0);
  const double mean = step_.forward_loss(inputs_.data(), targets_.data());
  const auto before = step_.token_losses();
  const int64_t half = plan_.seq / 2, rows = step_.batch_rows().size;
  const auto vocab = static_cast<int32_t>(tokens_->vocab());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = half; i < plan_.seq; ++i) {
      int32_t& token = inputs_[static_cast<size_t>(r * plan_.seq + i)];
      token = (token + 1) % vocab;
    }
  step_.forward(inputs_.data(), targets_.data());
  const auto after = step_.token_losses();
  double leak = 0, sum = 0, moved = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    const double change = std::abs(static_cast<double>(after[i]) - static_cast<double>(before[i]));
    sum += static_cast<double>(before[i]);
    double& kind = static_cast<int64_t>(i) % plan_.seq < half ? leak : moved;
    kind = std::isfinite(change) ? std::max(kind, change) : INFINITY;
  }
  leak = exchanged(leak);
  moved = exchanged(moved);
  if (leak > kCausalTolerance)
    return {.passed = false,
            .error = leak,
            .tolerance = kCausalTolerance,
            .detail = "the loss of a token depends on tokens that come after it"};
  if (moved == 0) return {.passed = false, .detail = "the losses do not depend on the tokens"};
  // Data ranks have a part of the mean each.
  if (train_.config.dp > 1 || before.empty())
    return {.passed = true, .error = leak, .tolerance = 0};
  const double own = sum / static_cast<double>(before.size());
  return {.passed = std::abs(own - mean) <= 1e-5 * std::abs(mean),
          .error = std::abs(own / mean - 1),
          .tolerance = 1e-5,
          .detail = "the mean loss is not that of the tokens"};
}

template <class T>
std::map<std::string, sdk::Value> EvalInstance<T>::values() {
  const gpt2::EvaluationResult result = gpt2::evaluate(step_, *tokens_, plan_);
  return {{"eval.loss", {result.loss, "nats"}},
          {"eval.perplexity", {result.perplexity(), ""}},
          {"eval.targets", {static_cast<double>(result.targets), "tokens"}},
          {"eval.windows", {static_cast<double>(plan_.windows()), "windows"}}};
}

template class EvalInstance<float>;
template class EvalInstance<bfloat16>;

std::unique_ptr<sdk::Instance> open_evaluation(const TrainCase& train, const sdk::Place& place) {
  if (train.dtype == DType::bf16) return std::make_unique<EvalInstance<bfloat16>>(train, place);
  return std::make_unique<EvalInstance<float>>(train, place);
}

}  // namespace bench::train
