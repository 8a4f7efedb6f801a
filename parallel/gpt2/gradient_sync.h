#pragma once
// What data ranks say to each other: gradients are summed bucket by bucket while the backward pass
// goes on, and with ZeRO stage 1 updated weights are shared.

#include "parallel/gpt2/state.h"

namespace bench::gpt2 {

// Says that the last micro-batch wrote all gradients at and after `offset` but the token
// embedding's: the sums of the buckets that lie there start.
template <class T>
void gradients_finished_from(StepState<T>& state, int64_t offset);

// After the last micro-batch: sums what is left, the token embedding also over the stages that have
// it, and waits for all sums. With ZeRO stage 1 a rank has only its own parts' sums
// (OwnedPart::gradient); the rest of the gradients is then of no meaning.
template <class T>
void finish_gradients(StepState<T>& state);

// Gives every data rank the weights that the others updated. Nothing without ZeRO.
template <class T>
void share_weights(StepState<T>& state);

}  // namespace bench::gpt2
