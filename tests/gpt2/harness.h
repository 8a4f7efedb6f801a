#pragma once
// Runs training steps on threads that play ranks, and brings back what one run computed.

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/device/cpu/cpu_device.h"
#include "kernels/ops.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "parallel/gpt2/tokens.h"
#include "parallel/gpt2/training_step.h"

namespace bench::gpt2::test {

template <class T>
using Tensors = std::map<std::string, std::vector<T>>;

template <class T>
struct Trajectory {
  std::vector<StepResult> steps;
  Tensors<kernels::Wide<T>> start, first_gradients, end;
};

template <class T>
Tensors<kernels::Wide<T>> gather_all(TrainingStep<T>& step, Held what) {
  Tensors<kernels::Wide<T>> all;
  const ParameterTable table = step.model_table();
  for (const Parameter& p : table.all()) all[p.name] = step.gather(p.name, what);
  return all;
}

// One rank's batches.
struct Batch {
  std::vector<int32_t> inputs, targets;
};

inline Batch batch_of(const TokenSource& tokens, const StepConfig& config, int64_t step,
                      int data_rank) {
  const auto size = static_cast<size_t>(config.batch().rows_per_rank() * config.model.seq);
  Batch batch{.inputs = std::vector<int32_t>(size), .targets = std::vector<int32_t>(size)};
  read_batch(tokens, config.batch(), config.model.seq, step, data_rank, batch.inputs,
             batch.targets);
  return batch;
}

// Calls fn(step) with a TrainingStep on each of config.mesh().ranks() ranks.
template <class T>
void on_ranks(const StepConfig& config, const std::function<void(TrainingStep<T>&)>& fn,
              const kernels::VariantChoice& choice = {}) {
  run_ranks(config.mesh().ranks(), [&](Communicator& world) {
    CpuDevice device(1);
    NullTracer tracer;
    const Context context{.device = device, .tracer = tracer};
    TrainingStep<T> step(context, world, config, kernels::ops_for<T>(DeviceKind::cpu, choice));
    fn(step);
  });
}

// `start` sets the weights. What rank 0 sees is returned.
template <class T>
Trajectory<T> train(const StepConfig& config, const TokenSource& tokens, int steps,
                    const std::function<void(TrainingStep<T>&)>& start,
                    const kernels::VariantChoice& choice = {}) {
  Trajectory<T> result;
  const auto run = [&](TrainingStep<T>& step) {
    Trajectory<T> here;
    start(step);
    here.start = gather_all(step, Held::weight);
    for (int k = 0; k < steps; ++k) {
      const Batch batch = batch_of(tokens, config, k, step.data_rank());
      step.step(batch.inputs.data(), batch.targets.data());
      if (k == 0) here.first_gradients = gather_all(step, Held::gradient);
    }
    here.end = gather_all(step, Held::weight);
    here.steps = step.read_results();
    if (step.data_rank() == 0 && step.tensor_rank() == 0 && step.stage() == 0)
      result = std::move(here);
  };
  on_ranks<T>(config, run, choice);
  return result;
}

// Elements of the QKV bias that belong to keys (or, which = 0, to queries): rows are [heads, 3, d].
template <class T>
std::vector<T> qkv_part(const std::vector<T>& bias, int64_t d, int64_t which) {
  std::vector<T> part;
  for (size_t i = 0; i < bias.size(); ++i) {
    if (static_cast<int64_t>(i) / d % 3 == which) part.push_back(bias[i]);
  }
  return part;
}

// A softmax does not see a constant added to all its scores: the key bias has no gradient but
// rounding, which Adam blows up. Its weights are left out of every comparison.
template <class T>
std::vector<T> without_key_bias(const std::string& name, const std::vector<T>& values, int64_t d) {
  if (name.find("attn.c_attn.bias") == std::string::npos) return values;
  std::vector<T> kept = qkv_part(values, d, 0);
  const std::vector<T> value_part = qkv_part(values, d, 2);
  kept.insert(kept.end(), value_part.begin(), value_part.end());
  return kept;
}

template <class T>
double norm(const std::vector<T>& x) {
  double sum = 0;
  for (const T v : x) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum);
}

template <class T, class U>
std::vector<double> difference(const std::vector<T>& a, const std::vector<U>& b) {
  std::vector<double> d(a.size());
  for (size_t i = 0; i < a.size(); ++i)
    d[i] = static_cast<double>(a[i]) - static_cast<double>(b[i]);
  return d;
}

// ||a - b|| / ||b||
template <class T, class U>
double relative_error(const std::vector<T>& a, const std::vector<U>& b) {
  return norm(difference(a, b)) / norm(b);
}

}  // namespace bench::gpt2::test
