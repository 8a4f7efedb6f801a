#pragma once
// The forward pass of one micro-batch: embedding, pre-norm transformer layers, tied head,
// vocabulary-parallel cross entropy; or the piece of it that a pipeline stage has.

#include "parallel/gpt2/state.h"

namespace bench::gpt2 {

enum class LossMode {
  value,     // losses only
  gradient,  // and the gradient of the logits, in their place
};

// The turn's micro-batch through the layers of the turn's chunk, from the tokens or from the turn's
// entry. Leaves activations in the turn's slot, and at the end of the model a loss a token in
// state.work.loss, elsewhere the residual stream in state.work.boundary.
template <class T>
void forward(StepState<T>& state, const layout::Turn& turn, LossMode mode);

// Before a layer goes backward: what config.recompute did not keep of it, computed from what it
// did.
template <class T>
void recompute_layer(StepState<T>& state, const LayerOffsets& offsets,
                     const LayerActivations<T>& activations);

}  // namespace bench::gpt2
