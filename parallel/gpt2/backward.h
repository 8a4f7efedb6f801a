#pragma once
// The backward pass of one micro-batch, from the logits' gradient that forward() left behind, or
// the piece of it that a pipeline stage has.

#include "parallel/gpt2/state.h"

namespace bench::gpt2 {

// Writes (micro-batch 0) or adds to (later ones) every gradient of the turn's chunk; data ranks are
// not yet summed. Reads, where the model does not end here, the gradient of the chunk's output in
// the turn's place of state.work.d_residuals, and leaves that of its entry there.
template <class T>
void backward(StepState<T>& state, const layout::Turn& turn);

}  // namespace bench::gpt2
