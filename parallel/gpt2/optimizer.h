#pragma once
// What follows the sum of the gradients: the global norm is taken, AdamW runs on what this rank
// owns. The host only gives work to the stream; what depends on results is computed from the
// device's memory.

#include "parallel/gpt2/state.h"

namespace bench::gpt2 {

// The losses of the global batch's tokens, added up to scalars[kLossSum].
template <class T>
void add_up_losses(StepState<T>& state);

// The squares of distinct parameters' gradients, added up over all ranks that have different ones
// to scalars[kNormSquared].
template <class T>
void add_up_squares(StepState<T>& state);

struct StepResult {
  double loss = 0;       // mean over all tokens of the global batch, before the update
  double grad_norm = 0;  // L2 over distinct parameters, before clipping
};

// From the scalars of a step, in host memory.
StepResult result_of(const double* scalars, const StepConfig& config);

// The scalars' result; the host waits for the device.
template <class T>
StepResult read_result(StepState<T>& state);

// The number of the next update and its learning rate, counted here and put where apply_adamw reads
// them. Apart from it, so that what is recorded holds no number of the host's.
template <class T>
void count_update(StepState<T>& state);

// Clips the gradient to config.clip by scalars[kNormSquared] and updates every weight that
// this rank owns.
template <class T>
void apply_adamw(StepState<T>& state);

}  // namespace bench::gpt2
