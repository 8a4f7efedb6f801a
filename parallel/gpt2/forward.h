#pragma once
// The forward pass of one micro-batch: embedding, pre-norm transformer layers, tied head,
// vocabulary-parallel cross entropy.

#include "parallel/gpt2/state.h"

namespace bench::gpt2 {

enum class LossMode {
  value,     // losses only
  gradient,  // and the gradient of the logits, in their place
};

// Reads inputs and targets of micro-batch `micro`, leaves activations in state.work and a loss a
// token in state.work.loss + micro * n.
template <class T>
void forward(StepState<T>& state, int64_t micro, LossMode mode);

// Before layer `index` goes backward: what config.recompute did not keep of it, computed from what
// it did.
template <class T>
void recompute_layer(StepState<T>& state, int64_t index);

}  // namespace bench::gpt2
