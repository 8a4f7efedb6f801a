#include "plugins/train/train_instance.h"

#include <fmt/format.h>

#include <cmath>

#include "bench/base/hash.h"
#include "kernels/graph.h"
#include "kernels/rounding.h"
#include "parallel/gpt2/memory.h"

namespace bench::train {
namespace {

// The gradient's check moves the weights by this much of length along g / |g|, and by half of it:
// far enough that the change of a loss is not rounding, near enough that extrapolating the two
// takes care of the loss's curvature.
template <class T>
constexpr double kStepLength = 1e-2;
template <>
constexpr double kStepLength<bfloat16> = 5e-2;

constexpr double kTolerance = 0.05;

// Of the loss, relative: what rounding alone may do to the difference of two losses.
template <class T>
double loss_noise(int64_t /*tokens*/) {
  return 2e-6;
}
// A token's loss comes from logits that are stored in eight bits; the errors of many tokens average
// out.
template <>
double loss_noise<bfloat16>(int64_t tokens) {
  return kernels::kRounding<bfloat16> / (4 * std::sqrt(static_cast<double>(tokens)));
}

template <class Element>
uint64_t hash_of(const Element* weights, int64_t size) {
  return hash_bytes(
      {reinterpret_cast<const char*>(weights), static_cast<size_t>(size) * sizeof(Element)});
}

GraphRecorder recorder_for(const TrainCase& train, const Communicator& comm) {
  if (train.graphs == Graphs::never) return {};
  if (train.graphs == Graphs::always && comm.size() > 1 && !comm.capturable())
    throw Unsupported(
        fmt::format("--graph on: collectives over {} cannot be recorded", comm.kind()));
  GraphRecorder recorder = kernels::graph_recorder();
  if (train.graphs == Graphs::always || !recorder) return recorder;
  // What cannot be recorded after all runs plainly: nothing of it has run yet.
  return [recorder](const Context& context, const std::function<void()>& work) {
    try {
      return recorder(context, work);
    } catch (const std::exception&) {
      return std::unique_ptr<Graph>();
    }
  };
}

}  // namespace

template <class T>
TrainInstance<T>::TrainInstance(const TrainCase& train, const sdk::Place& place)
    : train_(train),
      context_(place.context),
      comm_(place.comm),
      tokens_(train.data.empty() ? gpt2::zipf_tokens(train.config.model.vocab, train.seed)
                                 : gpt2::open_tokens(train.data, train.config.model.vocab)),
      step_(place.context, place.comm, train.config, kernels::ops_for<T>(kDevice, train.variants),
            recorder_for(train, place.comm)) {
  if (train.weights.empty()) {
    step_.init(train.seed);
  } else {
    step_.load(gpt2::Safetensors(train.weights));
  }
  step_.save_state();
  if (!train.save_weights.empty() && comm_.rank() == 0)
    save_to_ = std::make_unique<gpt2::WeightsFile>(train.save_weights);
  const auto tokens = static_cast<size_t>(step_.batch_rows().size * train.config.model.seq);
  inputs_.resize(tokens);
  targets_.resize(tokens);
}

template <class T>
void TrainInstance<T>::read_tokens(int64_t step) {
  gpt2::read_batch(*tokens_, train_.config.batch(), train_.config.model.seq, step,
                   step_.data_rank(), inputs_, targets_);
}

template <class T>
void TrainInstance<T>::enqueue(int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    read_tokens(steps_++);
    step_.step(inputs_.data(), targets_.data());
    // The step keeps so many results; a longer run is drained before the oldest go.
    if (steps_ % gpt2::TrainingStep<T>::kKept == 0) take_results();
  }
}

template <class T>
void TrainInstance<T>::take_results() {
  for (const gpt2::StepResult& r : step_.read_results())
    results_.push_back({.loss = r.loss, .grad_norm = r.grad_norm});
}

template <class T>
const std::vector<sdk::TrainingInstance::Step>& TrainInstance<T>::trajectory() {
  take_results();
  return results_;
}

template <class T>
void TrainInstance<T>::reset() {
  step_.restore_state();
  take_results();
  results_.clear();
  steps_ = 0;
}

// A number of every rank, by way of the device: that is where a communicator takes it from.
template <class T>
std::vector<uint64_t> TrainInstance<T>::gathered(uint64_t mine) {
  Device& device = context_.device;
  const Stream stream = context_.stream;
  Buffer<uint64_t> one(device, 1), each(device, comm_.size());
  std::vector<uint64_t> all(static_cast<size_t>(comm_.size()));
  device.copy(stream, one.data(), &mine, one.bytes());
  comm_.all_gather(stream, one.data(), each.data(), 1, DType::u64);
  device.copy(stream, all.data(), each.data(), each.bytes());
  device.synchronize(stream);
  return all;
}

// Why ranks that must hold the same weights, to the bit, do not; or empty.
template <class T>
std::string TrainInstance<T>::why_replicas_differ() {
  const gpt2::StepConfig& c = train_.config;
  if (c.dp * c.pp == 1) return {};
  gpt2::StepState<T>& state = step_.state();
  // The optimizer's where every rank has all of them, else what the ops read.
  return state.has_part_of_masters() ? why_differ(gpt2::copy_of_rounded(state))
                                     : why_differ(gpt2::copy_of_weights(state));
}

template <class T>
template <class Element>
std::string TrainInstance<T>::why_differ(const std::vector<Element>& weights) {
  const gpt2::StepConfig& c = train_.config;
  const gpt2::StepState<T>& state = step_.state();
  const std::vector<uint64_t> all = gathered(hash_of(weights.data(), std::ssize(weights)));
  const bool at_an_end = state.shape.has_embedding() || state.shape.has_head();
  const std::vector<uint64_t> tied =
      gathered(at_an_end ? hash_of(weights.data() + state.table.token_embedding(),
                                   state.shape.vocab.rows * state.shape.h)
                         : 0);
  const auto of_a_stage = static_cast<size_t>(c.tp * c.dp), tp = static_cast<size_t>(c.tp);
  for (size_t r = 0; r < all.size(); ++r) {
    // Tensor ranks are neighbours: the r-th of a stage and its r mod tp hold the same shard.
    if (all[r] != all[r / of_a_stage * of_a_stage + r % tp])
      return fmt::format("data-parallel ranks hold different weights: world rank {}", r);
  }
  for (size_t r = 0; r < of_a_stage; ++r)
    if (tied[r] != tied[all.size() - of_a_stage + r])
      return "the first and the last pipeline stage hold different token embeddings";
  return {};
}

// Central difference of the loss along g / |g|, from the kept weights, which are put back to the
// bit.
template <class T>
double TrainInstance<T>::slope_along_gradient(gpt2::KeptWeights<T>& kept, double length) {
  step_.perturb_along_gradient(length);
  const double up = step_.forward_loss(inputs_.data(), targets_.data());
  step_.perturb_along_gradient(-2 * length);
  const double down = step_.forward_loss(inputs_.data(), targets_.data());
  kept.put_back();
  return (up - down) / (2 * length);
}

// The loss must change along the gradient as fast as the gradient's norm says: holds the backward
// pass, every reduction in it and the norm against the forward pass. The weights are put back.
template <class T>
sdk::Check TrainInstance<T>::check_gradient() {
  read_tokens(0);
  const gpt2::StepResult here = step_.compute_gradients(inputs_.data(), targets_.data());
  if (here.grad_norm < 1e-4)
    return {.passed = true, .error = 0, .tolerance = kTolerance, .detail = {}};
  gpt2::KeptWeights<T> kept(step_.state());
  const double wide = slope_along_gradient(kept, kStepLength<T>),
               narrow = slope_along_gradient(kept, kStepLength<T> / 2);
  const double slope =
      (4 * narrow - wide) / 3;  // Richardson: the error is of fourth order in the step
  const double loss = loss_noise<T>(train_.config.tokens_per_step()) * std::abs(here.loss);
  const double noise = 3 * loss / kStepLength<T>;
  const double error = std::max(0.0, std::abs(slope - here.grad_norm) - noise) / here.grad_norm;
  // NaN compares false: not passed.
  const bool passed = error <= kTolerance;
  return {.passed = passed,
          .error = error,
          .tolerance = kTolerance,
          .detail = passed
                        ? ""
                        : fmt::format(
                              "the loss changes by {:.6g} along the gradient, whose norm is {:.6g}",
                              slope, here.grad_norm)};
}

template <class T>
sdk::Check TrainInstance<T>::check() {
  take_results();
  for (size_t k = 0; k < results_.size(); ++k)
    if (!std::isfinite(results_[k].loss) || !std::isfinite(results_[k].grad_norm))
      return {.passed = false,
              .error = NAN,
              .tolerance = kTolerance,
              .detail = fmt::format("loss or gradient norm is not finite at step {}", k + 1)};
  if (const std::string why = why_replicas_differ(); !why.empty())
    return {.passed = false, .error = NAN, .tolerance = 0, .detail = why};
  return check_gradient();
}

template <class T>
std::map<std::string, sdk::Value> TrainInstance<T>::values() {
  const auto prepared =
      gpt2::stage_memory(train_.config, step_.state().ops, step_.stage()).prepared;
  std::map<std::string, sdk::Value> values = {
      {"memory.parameters", {static_cast<double>(step_.parameter_bytes()), "bytes"}},
      {"memory.prepared", {static_cast<double>(prepared), "bytes"}},
      {"memory.workspace", {static_cast<double>(step_.workspace_bytes()), "bytes"}}};
  if (!train_.save_weights.empty()) {
    gpt2::write_weights(step_.state(), save_to_.get());
    values["weights.optimizer_steps"] = {static_cast<double>(step_.state().updates), "steps"};
  }
  if (train_.graphs != Graphs::never)
    values["graph.replays"] = {static_cast<double>(step_.replayed_steps()), "steps"};
  return values;
}

template <class T>
sdk::TrainingInstance::Description TrainInstance<T>::describe() const {
  const gpt2::StepConfig& c = train_.config;
  return {.model = c.model.name,
          .numbers = {{"layers", static_cast<double>(c.model.layers)},
                      {"hidden", static_cast<double>(c.model.hidden)},
                      {"heads", static_cast<double>(c.model.heads)},
                      {"seq", static_cast<double>(c.model.seq)},
                      {"vocab", static_cast<double>(c.model.vocab)},
                      {"padded_vocab", static_cast<double>(c.padded_vocab())},
                      {"micro_batch", static_cast<double>(c.micro_batch)},
                      {"global_batch", static_cast<double>(c.global_batch)},
                      {"parameters", static_cast<double>(model::parameter_count(c.model))}}};
}

std::unique_ptr<sdk::TrainingInstance> open_training(const TrainCase& train,
                                                     const sdk::Place& place) {
  if (train.dtype == DType::bf16) return std::make_unique<TrainInstance<bfloat16>>(train, place);
  return std::make_unique<TrainInstance<float>>(train, place);
}

}  // namespace bench::train
