#pragma once
// The calls of cuBLASLt that a product is made of.

#include <cublasLt.h>

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/cuda/cublaslt.h"
#include "kernels/linear/lt_product.h"

namespace bench::kernels::cuda {

// What a product's workspace may take: NVIDIA's advice for Hopper ("cublasSetWorkspace").
inline constexpr size_t kLtWorkspaceBytes = size_t{32} << 20;

// Which of cuBLASLt's epilogues a product wants.
cublasLtEpilogue_t epilogue_of(const LtProduct& product);

// Alignment in bytes, as far as an algorithm could care, of a, b, c, the vector and the matrix that
// the epilogue reads or writes.
using LtAlignments = std::array<uint32_t, 5>;
LtAlignments alignments_of(const LtProduct& product);

// The descriptors of one product, which must outlive it. They are small and quick to make: kept
// from call to call is only the algorithm.
class LtCall {
 public:
  explicit LtCall(const LtProduct& product);
  LtCall(const LtCall&) = delete;
  LtCall& operator=(const LtCall&) = delete;

  // So many algorithms that can run it, most promising first; empty where there are none.
  std::vector<cublasLtMatmulHeuristicResult_t> candidates(int count);

  cublasStatus_t run(const cublasLtMatmulAlgo_t& algorithm, void* workspace, cudaStream_t stream);

 private:
  template <class Value>
  void set(cublasLtMatmulDescAttributes_t attribute, Value value);

  const LtProduct& product_;
  cublasLtMatmulDescOpaque_t operation_;
  cublasLtMatrixLayoutOpaque_t left_, right_, result_;
};

}  // namespace bench::kernels::cuda
