#include "kernels/convert/op.h"
#include "kernels/cuda/walk.cuh"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

template <class From, class To, int N>
struct ConvertWalk : KeepsNothing {
  static constexpr int kWidth = N, kBlocks = 4, kInFlight = 4;
  const From* x;
  To* y;

  using In = Pack<From, N>;

  __device__ In load(int64_t i, int count) const { return cuda::load<N>(x + i, count); }
  __device__ void apply(int64_t i, int count, const In& in, const Kept&) const {
    float values[N];
#pragma unroll
    for (int k = 0; k < N; ++k) values[k] = in[k];
    store(y + i, rounded<To>(values), count);
  }
};

// Four elements at a time, so that neither side's accesses have gaps.
template <class From, class To>
void convert(const Context& context, const char* what, const From* x, To* y, int64_t size) {
  with_width<float>(aligned(x, y), [&](auto width) {
    run_walk(context, what, ConvertWalk<From, To, width>{{}, x, y}, size);
  });
}

template <class T>
void convert_narrow(const Context& context, const ConvertNarrow<T>& a) {
  convert(context, "narrowing", a.x, a.y, a.size);
}

template <class T>
void convert_widen(const Context& context, const ConvertWiden<T>& a) {
  convert(context, "widening", a.x, a.y, a.size);
}

}  // namespace

void register_convert_own(VariantList& list) {
  list.add<float, bfloat16>("convert", "own", DeviceKind::cuda, []<class T>(Ops<T>& ops) {
    ops.convert_narrow = convert_narrow<T>;
    ops.convert_widen = convert_widen<T>;
  });
}

}  // namespace bench::kernels::cuda
