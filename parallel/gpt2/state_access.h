#pragma once
// Setting, keeping and showing a step's state. None of it runs inside a step, and all goes through
// the host.

#include <cstdint>
#include <string_view>
#include <vector>

#include "parallel/gpt2/safetensors.h"
#include "parallel/gpt2/state.h"

namespace bench::gpt2 {

enum class Held { weight, gradient };

// The weights are set and shown as the optimizer keeps them, in the wide type; the rounded ones
// follow. Where data ranks keep parts of them (ZeRO stage 1), what sets them is collective over the
// data ranks.

// Both also zero the moments and the step count.
template <class T>
void init_weights(StepState<T>& state, uint64_t seed);
template <class T>
void load_weights(StepState<T>& state, const Safetensors& file);

// After every write to the weights that is not the optimizer's: what is made of them is made again.
template <class T>
void round_weights(StepState<T>& state);

// The weights as the optimizer keeps them here: all of this rank's, table().flat_size() elements,
// or the owned parts.
template <class T>
std::vector<kernels::Wide<T>> copy_of_weights(StepState<T>& state);
// As the ops read them, all of this rank's; of no meaning where T is not rounded.
template <class T>
std::vector<T> copy_of_rounded(StepState<T>& state);
template <class T>
void set_weights(StepState<T>& state, const std::vector<kernels::Wide<T>>& weights);

// The weights as they are, to be put back to the bit: in memory of the device, or where it has not
// that much left on the host, which takes far longer.
template <class T>
class KeptWeights {
 public:
  explicit KeptWeights(StepState<T>& state);
  void put_back();

 private:
  StepState<T>& state_;
  Buffer<kernels::Wide<T>> on_device_;
  std::vector<kernels::Wide<T>> on_host_;  // empty: on the device
};

// w += factor * g
template <class T>
void add_gradient_to_weights(StepState<T>& state, double factor);

// The full, unsharded, unpadded tensor on every rank. Collective over all ranks.
template <class T>
std::vector<kernels::Wide<T>> gather_full(StepState<T>& state, std::string_view name, Held what);

// A copy of weights, moments and step count.
template <class T>
class Snapshot {
 public:
  void take(StepState<T>& state);
  void restore(StepState<T>& state) const;  // throws UsageError when nothing was taken

 private:
  bool taken_ = false;
  int64_t updates_ = 0;
  std::vector<kernels::Wide<T>> weights_;
  std::vector<kernels::Wide<T>> m_, v_;  // empty before the first update: zeros
};

}  // namespace bench::gpt2
