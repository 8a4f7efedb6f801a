#include <map>
#include <mutex>
#include <tuple>

#include "kernels/attention/head_products.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/cublaslt.h"

namespace bench::kernels::cuda {
namespace {

// Bytes, as far as an algorithm could care: of the first head's first row, and of all others.
uint32_t alignment_of(const HeadMatrices& m, int64_t element_bytes) {
  constexpr uintptr_t kMost = 64;  // what the start of a tensor has
  const auto steps = static_cast<uintptr_t>((m.row_step | m.head_step) * element_bytes);
  const auto bits = reinterpret_cast<uintptr_t>(m.memory) | steps | kMost;
  return static_cast<uint32_t>(bits & -bits);
}

// How cuBLASLt, which reads by columns, sees it: [rows, columns] there are [columns, rows] here.
class Layout {
 public:
  Layout(const HeadProducts& p, const HeadMatrices& m, int64_t rows, int64_t columns) {
    const auto stored_rows = static_cast<uint64_t>(m.transposed ? rows : columns);
    const auto stored_columns = static_cast<uint64_t>(m.transposed ? columns : rows);
    check_lt(cublasLtMatrixLayoutInit(&value_, lt_type(p.dtype), stored_rows, stored_columns,
                                      m.row_step),
             "describing the heads' matrices");
    set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<int32_t>(p.heads));
    set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, m.head_step);
  }
  cublasLtMatrixLayout_t get() { return &value_; }

 private:
  template <class Value>
  void set(cublasLtMatrixLayoutAttribute_t attribute, Value value) {
    check_lt(cublasLtMatrixLayoutSetAttribute(&value_, attribute, &value, sizeof value),
             "describing a batch of heads");
  }
  cublasLtMatrixLayoutOpaque_t value_;
};

// Descriptors are small and quick to make: kept from call to call is only the algorithm. cᵀ is the
// product of op(b)ᵀ, the left factor there, and op(a)ᵀ.
class Call {
 public:
  explicit Call(const HeadProducts& p)
      : p_(p),
        operation_(lt_operation(p.b.transposed, p.a.transposed)),
        left_(p, p.b, p.k, p.n),
        right_(p, p.a, p.m, p.k),
        result_(p, p.c, p.m, p.n) {}

  cublasLtMatmulAlgo_t choose(uint32_t left, uint32_t right, uint32_t result) {
    // Partial sums in bfloat16 would be rounded several times.
    cublasLtMatmulPreferenceOpaque_t preference =
        lt_preference({.workspace_bytes = kHeadProductsWorkspaceBytes,
                       .reductions = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE,
                       .left = left,
                       .right = right,
                       .result = result});
    cublasLtMatmulHeuristicResult_t found;
    int count = 0;
    check_lt(cublasLtMatmulAlgoGetHeuristic(lt_handle(), &operation_, left_.get(), right_.get(),
                                            result_.get(), result_.get(), &preference, 1, &found,
                                            &count),
             "looking for an algorithm for attention");
    check_lt(count == 1 ? found.state : CUBLAS_STATUS_NOT_SUPPORTED,
             "looking for an algorithm for attention");
    return found.algo;
  }

  void run(const cublasLtMatmulAlgo_t& algorithm, void* workspace, cudaStream_t stream) {
    const float alpha = 1, beta = 0;
    check_lt(
        cublasLtMatmul(lt_handle(), &operation_, &alpha, p_.b.memory, left_.get(), p_.a.memory,
                       right_.get(), &beta, p_.c.memory, result_.get(), p_.c.memory, result_.get(),
                       &algorithm, workspace, kHeadProductsWorkspaceBytes, stream),
        "running products of attention");
  }

 private:
  const HeadProducts& p_;
  cublasLtMatmulDescOpaque_t operation_;
  Layout left_, right_, result_;
};

// All that the choice of an algorithm depends on.
using Key = std::tuple<DType, int64_t, int64_t, int64_t, int64_t, bool, bool, int64_t, int64_t,
                       int64_t, int64_t, int64_t, int64_t, uint32_t, uint32_t, uint32_t>;

cublasLtMatmulAlgo_t algorithm_for(const HeadProducts& p, Call& call) {
  static std::mutex mutex;
  static std::map<Key, cublasLtMatmulAlgo_t> known;
  const int64_t bytes = p.dtype == DType::bf16 ? 2 : 4;
  const uint32_t a = alignment_of(p.a, bytes), b = alignment_of(p.b, bytes),
                 c = alignment_of(p.c, bytes);
  const Key key{p.dtype,
                p.heads,
                p.m,
                p.n,
                p.k,
                p.a.transposed,
                p.b.transposed,
                p.a.row_step,
                p.b.row_step,
                p.c.row_step,
                p.a.head_step,
                p.b.head_step,
                p.c.head_step,
                a,
                b,
                c};
  const std::scoped_lock lock(mutex);
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  return known[key] = call.choose(b, a, c);
}

}  // namespace

void multiply_heads(const Context& context, const HeadProducts& products, void* workspace) {
  Call call(products);
  call.run(algorithm_for(products, call), workspace, stream_of(context));
}

}  // namespace bench::kernels::cuda
