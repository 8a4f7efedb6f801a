#pragma once
// One optimizer step of a GPT-2 model on this rank, written once for every device: it knows the
// interfaces Device, Communicator and Ops, and nothing of what stands behind them.

#include <cstdint>
#include <string_view>
#include <vector>

#include "parallel/gpt2/optimizer.h"
#include "parallel/gpt2/replay.h"
#include "parallel/gpt2/state_access.h"

namespace bench::gpt2 {

template <class T>
class TrainingStep {
 public:
  // Collective over `world`, which must have config.tp * config.pp * config.dp ranks. Device and
  // tracer of the context outlive this. Throws UsageError for a configuration that cannot be.
  // Weights are unset until init or load. With a recorder, which the communicator has to allow,
  // steps after the first are replayed as one graph.
  TrainingStep(const Context& context, Communicator& world, const StepConfig& config,
               const kernels::Ops<T>& ops, GraphRecorder recorder = {});

  // Seeded weights, the same for every layout; moments zero.
  void init(uint64_t seed) { init_weights(state_, seed); }
  // Weights with Hugging Face's names; moments zero. Throws UsageError naming the first tensor that
  // differs.
  void load(const Safetensors& file) { load_weights(state_, file); }

  // This rank's rows of the global batch, [global_batch / dp, seq] row-major, in host memory.
  // Tokens must be inside the vocabulary. Collective. Allocates nothing, and does not wait for the
  // device.
  void step(const int32_t* inputs, const int32_t* targets);

  // Loss and gradient norm of the steps since the last call, oldest first, at most kKept of the
  // newest.
  static constexpr int64_t kKept = 4096;
  std::vector<StepResult> read_results();

  // The forward pass alone, and then the loss of each of this rank's tokens, [rows, seq], where the
  // head is (elsewhere none), for which the host waits.
  void forward(const int32_t* inputs, const int32_t* targets);
  std::vector<kernels::Wide<T>> token_losses();

  // The loss alone; and the loss with gradients in place but without an update. Collective.
  double forward_loss(const int32_t* inputs, const int32_t* targets);
  StepResult compute_gradients(const int32_t* inputs, const int32_t* targets);

  // w += eps * g / |g| with the gradient and norm of the last step or compute_gradients: the
  // directional derivative of the loss along it is |g|. Throws UsageError where there is none.
  void perturb_along_gradient(double eps);

  // Weights, moments and step count, kept in host memory. Throws UsageError when nothing was saved.
  void save_state() { saved_.take(state_); }
  void restore_state() { saved_.restore(state_); }

  // The full, unsharded, unpadded tensor on every rank, [full_rows, full_cols]. Collective over
  // tensor ranks and pipeline stages.
  std::vector<kernels::Wide<T>> gather(std::string_view name, Held what) {
    return gather_full(state_, name, what);
  }

  const StepConfig& config() const { return state_.config; }
  // This rank's parameters; and those of the model, as the tensor ranks of all stages have them.
  const ParameterTable& table() const { return state_.table; }
  ParameterTable model_table() const { return whole_table(state_.config, tensor_rank()); }
  int data_rank() const { return state_.mesh.rank(layout::Axis::data); }
  int tensor_rank() const { return state_.mesh.rank(layout::Axis::tensor); }
  int stage() const { return state_.mesh.rank(layout::Axis::pipeline); }
  // First of this rank's rows in the global batch, and how many.
  layout::Span batch_rows() const { return state_.config.batch().rows_of_rank(data_rank()); }
  // Weights, gradients and moments (and rounded weights); activations and scratch.
  size_t parameter_bytes() const {
    return state_.weights.bytes() + state_.gradients.bytes() + state_.m.bytes() + state_.v.bytes() +
           state_.rounded.bytes();
  }
  size_t workspace_bytes() const { return state_.work.bytes(); }

  // Steps that were given to the device as a graph.
  int64_t replayed_steps() const { return replay_.replays(); }

  // For checks that look inside.
  StepState<T>& state() { return state_; }

 private:
  void load_batch(const int32_t* inputs, const int32_t* targets);
  void all_gradients();
  void whole_step();

  StepState<T> state_;
  Buffer<double> ring_;  // [kKept, kScalars]
  int64_t recorded_ = 0;
  int64_t read_ = 0;
  Snapshot<T> saved_;
  Replay replay_;
};

}  // namespace bench::gpt2
