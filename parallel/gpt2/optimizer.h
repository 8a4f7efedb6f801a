#pragma once
// What follows the last backward pass: data ranks are summed, the global norm is taken, AdamW runs.

#include "parallel/gpt2/state.h"

namespace bench::gpt2 {

// Sums the gradients over the data ranks, in buckets from the end of the buffer (the last layer)
// forwards.
template <class T>
void synchronise_gradients(StepState<T>& state);

struct StepResult {
  double loss = 0;       // mean over all tokens of the global batch, before the update
  double grad_norm = 0;  // L2 over distinct parameters, before clipping
};

// Mean loss and global gradient norm, on the host and (loss, norm) at `record` in device memory,
// which may be nullptr. The one point of a step where the host waits for the device.
template <class T>
StepResult read_loss_and_norm(StepState<T>& state, double* record);

// The mean loss alone: no gradients are needed.
template <class T>
double read_loss(StepState<T>& state);

// Clips to config.clip and updates every weight of this rank.
template <class T>
void apply_adamw(StepState<T>& state, double grad_norm);

}  // namespace bench::gpt2
