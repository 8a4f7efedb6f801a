#pragma once
// The choice among cuBLASLt's algorithms by time.

#include <optional>
#include <vector>

#include "kernels/linear/lt_call_cuda.h"

namespace bench::kernels::cuda {

struct LtChoice {
  cublasLtMatmulAlgo_t algorithm;
  double seconds = 0;  // of one run; 0 where it was not timed
};

// The fastest of those candidates that run at all, on operands of its own; with `same_bits`, of
// those that give the same bits as the first. The first, untimed, where nothing could be told from
// a result so small, and unproved where the memory lacks. Writes what the epilogue writes.
std::optional<LtChoice> fastest(const Context& context, const LtProduct& product,
                                const std::vector<cublasLtMatmulHeuristicResult_t>& candidates,
                                bool same_bits);

}  // namespace bench::kernels::cuda
