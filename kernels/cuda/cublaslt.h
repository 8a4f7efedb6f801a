#pragma once
// What every product through cuBLASLt is made with.

#include <cublasLt.h>

#include <cstdint>

#include "bench/base/dtype.h"

namespace bench::kernels::cuda {

// Throws EnvironmentError that names `doing` unless the call went well.
void check_lt(cublasStatus_t status, const char* doing);

// Of the one device that this process drives.
cublasLtHandle_t lt_handle();

cudaDataType_t lt_type(DType dtype);  // of f32 and bf16

// What a search for an algorithm may count on. Alignments in bytes, of the factors in the library's
// order and of the result.
struct LtTerms {
  uint64_t workspace_bytes;
  uint32_t reductions;  // mask of cublasLtReductionScheme_t
  uint32_t left, right, result;
};
cublasLtMatmulPreferenceOpaque_t lt_preference(const LtTerms& terms);

// Operands in f32 or bf16, sums in f32.
cublasLtMatmulDescOpaque_t lt_operation(bool transpose_left, bool transpose_right);

}  // namespace bench::kernels::cuda
