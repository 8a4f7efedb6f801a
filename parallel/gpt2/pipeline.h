#pragma once
// A step's forward and backward passes over all micro-batches, with what pipeline stages hand over
// to each other.

#include "parallel/gpt2/forward.h"

namespace bench::gpt2 {

// Leaves this rank's gradients in state.gradients, and sums over data ranks under way: to be ended
// by finish_gradients.
template <class T>
void run_training(StepState<T>& state);

// Leaves losses alone.
template <class T>
void run_forward_only(StepState<T>& state);

// The token embedding's gradient, of which the first pipeline stage has the embedding's part and
// the last one the head's: their sum on both. Before data ranks are summed, so that both sum the
// same numbers in the same buckets.
template <class T>
void sum_tied_embedding(StepState<T>& state);

}  // namespace bench::gpt2
