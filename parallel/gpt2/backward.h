#pragma once
// The backward pass of one micro-batch, from the logits' gradient that forward() left behind.

#include "parallel/gpt2/state.h"

namespace bench::gpt2 {

// Writes (micro-batch 0) or adds to (later ones) every gradient of this rank; data ranks are not
// yet summed.
template <class T>
void backward(StepState<T>& state, int64_t micro);

}  // namespace bench::gpt2
