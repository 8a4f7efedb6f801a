#pragma once
// The work of one optimizer step on one rank, declared from its ops' shapes.

#include <cstdint>

#include "parallel/gpt2/config.h"

namespace bench::gpt2 {

// Floating-point operations of a rank's matrix products and causal attention (scores on and below
// the diagonal), forward, backward and recomputed; a product m×n×k is 2mnk. Norms, GELU, softmax,
// optimizer: not counted. The mean of the pipeline stages, of which the last has the head besides.
double executed_flops(const StepConfig& config);

// Bytes that AdamW moves at least: reads g, w, m, v, writes w, m, v.
double optimizer_bytes(int64_t parameters, int64_t element_bytes);

}  // namespace bench::gpt2
