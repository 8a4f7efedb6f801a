#include "kernels/cuda/sum.cuh"
#include "kernels/elementwise/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

template <class T, int N>
struct AddWalk : KeepsNothing {
  static constexpr int kWidth = N, kBlocks = 4, kInFlight = 4;
  Add<T> a;

  struct In {
    Pack<T, N> x, y;
  };

  __device__ In load(int64_t i, int count) const {
    return {cuda::load<N>(a.x + i, count), cuda::load<N>(static_cast<const T*>(a.y) + i, count)};
  }
  __device__ void apply(int64_t i, int count, const In& in, const Kept&) const {
    float sum[N];
#pragma unroll
    for (int k = 0; k < N; ++k) sum[k] = in.y[k] + in.x[k];
    store(a.y + i, rounded<T>(sum), count);
  }
};

template <class T>
void add(const Context& context, const Add<T>& a) {
  with_width<T>(aligned(a.x, a.y), [&](auto width) {
    run_walk(context, "addition", AddWalk<T, width>{{}, a}, a.size);
  });
}

template <class T>
void sum_of_squares(const Context& context, const SumOfSquares<T>& a) {
  sum_of<Square>(context, "sum of squares", a.x, a.size, Total::kAdd, a.result);
}

template <class T>
void sum(const Context& context, const Sum<T>& a) {
  sum_of<Itself>(context, "sum", a.x, a.size, Total::kAdd, a.result);
}

}  // namespace

void register_elementwise_own(VariantList& list) {
  list.add<float, bfloat16>("elementwise", "own", DeviceKind::cuda, []<class T>(Ops<T>& ops) {
    ops.add = add<T>;
    ops.sum_of_squares = sum_of_squares<T>;
    ops.sum = sum<T>;
  });
}

}  // namespace bench::kernels::cuda
