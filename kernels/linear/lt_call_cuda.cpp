#include "kernels/linear/lt_call_cuda.h"

#include <algorithm>

namespace bench::kernels::cuda {
namespace {

cublasLtMatrixLayoutOpaque_t layout_of(const ColumnMajorMatrix& m, DType dtype) {
  cublasLtMatrixLayoutOpaque_t layout;
  check_lt(cublasLtMatrixLayoutInit(&layout, lt_type(dtype), static_cast<uint64_t>(m.rows),
                                    static_cast<uint64_t>(m.columns), m.leading),
           "describing a matrix");
  return layout;
}

uint32_t alignment_of(const void* address) {
  constexpr uintptr_t kMost = 64;  // what the start of a tensor has
  const auto bits = reinterpret_cast<uintptr_t>(address) | kMost;
  return static_cast<uint32_t>(bits & -bits);
}

const void* epilogue_vector(const LtProduct& p) {
  return p.row_sums != nullptr ? p.row_sums : p.bias;
}

const void* epilogue_matrix(const LtProduct& p) {
  return p.pre_gelu != nullptr ? p.pre_gelu : p.gelu_of;
}

// Whether an epilogue may be asked for: where all rows are whole vectors of 16 bytes. Elsewhere
// there are algorithms that round a bfloat16 product before they add the bias. That rows of the
// epilogue's matrix are multiples of 8 elements, the header demands.
bool epilogue_fits(const LtProduct& p) {
  constexpr int64_t kVector = 16;
  const auto whole = [](const ColumnMajorMatrix& m, DType dtype) {
    return m.leading * static_cast<int64_t>(size_of(dtype)) % kVector == 0;
  };
  const auto [left, right, result] = column_major(p.shape);
  const LtAlignments alignments = alignments_of(p);
  return whole(left, p.operands) && whole(right, p.operands) && whole(result, p.result) &&
         *std::min_element(alignments.begin(), alignments.end()) >= kVector &&
         (epilogue_matrix(p) == nullptr || p.shape.n % 8 == 0);
}

bool has_epilogue(const LtProduct& p) { return epilogue_of(p) != CUBLASLT_EPILOGUE_DEFAULT; }

// How blocks may add up what they have of a shared depth. Not at all beside an epilogue: results of
// DGELU were wrong then. Partial sums in the type of the result would round a bfloat16 result
// several times.
uint32_t reductions_of(const LtProduct& p) {
  if (has_epilogue(p)) return CUBLASLT_REDUCTION_SCHEME_NONE;
  return p.result == DType::f32 ? CUBLASLT_REDUCTION_SCHEME_MASK
                                : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
}

template <class Value>
Value setting(const cublasLtMatmulAlgo_t& algorithm, cublasLtMatmulAlgoConfigAttributes_t of) {
  Value value{};
  size_t written = 0;
  check_lt(cublasLtMatmulAlgoConfigGetAttribute(&algorithm, of, &value, sizeof value, &written),
           "looking into an algorithm");
  return value;
}

bool shares_depth(const cublasLtMatmulAlgo_t& algorithm) {
  return setting<int32_t>(algorithm, CUBLASLT_ALGO_CONFIG_SPLITK_NUM) > 1 ||
         setting<uint32_t>(algorithm, CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME) !=
             CUBLASLT_REDUCTION_SCHEME_NONE;
}

cublasLtMatmulPreferenceOpaque_t preference_for(const LtProduct& p) {
  const auto [a, b, c, vector, matrix] = alignments_of(p);
  return lt_preference({.workspace_bytes = kLtWorkspaceBytes,
                        .reductions = reductions_of(p),
                        .left = b,  // column_major.h
                        .right = a,
                        .result = c});
}

}  // namespace

cublasLtEpilogue_t epilogue_of(const LtProduct& p) {
  if (p.row_sums != nullptr) return CUBLASLT_EPILOGUE_BGRADB;  // a is the right factor
  if (p.gelu_of != nullptr) return CUBLASLT_EPILOGUE_DGELU;
  if (p.pre_gelu != nullptr) {
    return p.bias != nullptr ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS : CUBLASLT_EPILOGUE_GELU_AUX;
  }
  return p.bias != nullptr ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
}

LtAlignments alignments_of(const LtProduct& p) {
  return {alignment_of(p.a), alignment_of(p.b), alignment_of(p.c), alignment_of(epilogue_vector(p)),
          alignment_of(epilogue_matrix(p))};
}

LtCall::LtCall(const LtProduct& product) : product_(product) {
  const ColumnMajorProduct shape = column_major(product.shape);
  left_ = layout_of(shape.left, product.operands);
  right_ = layout_of(shape.right, product.operands);
  result_ = layout_of(shape.result, product.result);
  operation_ = lt_operation(shape.left.transposed, shape.right.transposed);
  set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(product));
  if (const void* const vector = epilogue_vector(product)) {
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, vector);
  }
  if (const void* const matrix = epilogue_matrix(product)) {
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, matrix);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, shape.result.leading);
  }
}

template <class Value>
void LtCall::set(cublasLtMatmulDescAttributes_t attribute, Value value) {
  check_lt(cublasLtMatmulDescSetAttribute(&operation_, attribute, &value, sizeof value),
           "describing a product");
}

std::vector<cublasLtMatmulHeuristicResult_t> LtCall::candidates(int count) {
  if (has_epilogue(product_) && !epilogue_fits(product_)) return {};
  cublasLtMatmulPreferenceOpaque_t preference = preference_for(product_);
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<size_t>(count));
  int size = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(lt_handle(), &operation_, &left_, &right_, &result_, &result_,
                                     &preference, count, found.data(), &size);
  // An epilogue that is not to be had for these types and extents is one or the other.
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) return {};
  check_lt(status, "looking for an algorithm");
  found.resize(static_cast<size_t>(size));
  std::erase_if(found, [&](const auto& f) {
    return f.state != CUBLAS_STATUS_SUCCESS || (has_epilogue(product_) && shares_depth(f.algo));
  });
  return found;
}

cublasStatus_t LtCall::run(const cublasLtMatmulAlgo_t& algorithm, void* workspace,
                           cudaStream_t stream) {
  const float alpha = 1, beta = product_.accumulate ? 1 : 0;
  return cublasLtMatmul(lt_handle(), &operation_, &alpha, product_.b, &left_, product_.a, &right_,
                        &beta, product_.c, &result_, product_.c, &result_, &algorithm, workspace,
                        kLtWorkspaceBytes, stream);
}

}  // namespace bench::kernels::cuda
