#include <fmt/format.h>

#include "bench/base/status.h"
#include "kernels/cuda/cublaslt.h"

namespace bench::kernels::cuda {

void check_lt(cublasStatus_t status, const char* doing) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw EnvironmentError(fmt::format("cuBLASLt, {}: {}", doing, cublasLtGetStatusName(status)));
}

// Never destroyed: the driver may be gone by then.
cublasLtHandle_t lt_handle() {
  static const cublasLtHandle_t made = [] {
    cublasLtHandle_t value = nullptr;
    check_lt(cublasLtCreate(&value), "starting");
    return value;
  }();
  return made;
}

cudaDataType_t lt_type(DType dtype) { return dtype == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F; }

cublasLtMatmulPreferenceOpaque_t lt_preference(const LtTerms& terms) {
  cublasLtMatmulPreferenceOpaque_t made;
  check_lt(cublasLtMatmulPreferenceInit(&made), "preparing a search");
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
    check_lt(cublasLtMatmulPreferenceSetAttribute(&made, attribute, &value, sizeof value),
             "preparing a search");
  };
  set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, terms.workspace_bytes);
  set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, terms.reductions);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, terms.left);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, terms.right);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, terms.result);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, terms.result);
  return made;
}

cublasLtMatmulDescOpaque_t lt_operation(bool transpose_left, bool transpose_right) {
  cublasLtMatmulDescOpaque_t made;
  check_lt(cublasLtMatmulDescInit(&made, CUBLAS_COMPUTE_32F, CUDA_R_32F), "describing a product");
  const auto set = [&](cublasLtMatmulDescAttributes_t attribute, bool transpose) {
    const cublasOperation_t value = transpose ? CUBLAS_OP_T : CUBLAS_OP_N;
    check_lt(cublasLtMatmulDescSetAttribute(&made, attribute, &value, sizeof value),
             "describing a product");
  };
  set(CUBLASLT_MATMUL_DESC_TRANSA, transpose_left);
  set(CUBLASLT_MATMUL_DESC_TRANSB, transpose_right);
  return made;
}

}  // namespace bench::kernels::cuda
