#pragma once
// What a training step holds in memory, from the same functions that lay it out.

#include "kernels/ops.h"
#include "parallel/gpt2/config.h"

namespace bench::gpt2 {

// Bytes of one rank; the first tensor rank, which holds most.
struct StepMemory {
  int64_t weights = 0;  // with the rounded ones
  int64_t gradients = 0;
  int64_t optimizer = 0;  // Adam's moments
  int64_t prepared = 0;   // weights as products keep them
  int64_t workspace = 0;  // activations and scratch
  int64_t batch = 0;      // tokens, losses and results
  int64_t saved = 0;      // save_state() before the first update, in host memory

  int64_t on_device() const {
    return weights + gradients + optimizer + prepared + workspace + batch;
  }
  int64_t total() const { return on_device() + saved; }
};

// Of a valid configuration: of one pipeline stage, and of the one that holds most.
template <class T>
StepMemory stage_memory(const StepConfig& config, const kernels::Ops<T>& ops, int stage);
template <class T>
StepMemory step_memory(const StepConfig& config, const kernels::Ops<T>& ops);

}  // namespace bench::gpt2
