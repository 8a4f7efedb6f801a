#include <tuple>

#include "kernels/cpu/column_partials.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cross_entropy/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {

// One thread's rows, for one instruction set. `stream`: past the caches.
template <class T>
struct CrossEntropyParts {
  void (*forward)(const CrossEntropyForward<T>&, const Part&);
  void (*grad)(const CrossEntropyGrad<T>&, const Part&, bool stream);
};
using CrossEntropyTables =
    std::tuple<CrossEntropyParts<float>, CrossEntropyParts<double>, CrossEntropyParts<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cross_entropy/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/cross_entropy/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(cross_entropy_tables);

namespace {

template <class T>
CrossEntropyParts<T> parts_here() {
  return std::get<CrossEntropyParts<T>>(HWY_DYNAMIC_DISPATCH(cross_entropy_tables)());
}

}  // namespace

// Row by row: a row is still in the caches when its gradient is made.
template <class T>
void cross_entropy(const Context& context, const CrossEntropy<T>& a) {
  const auto run = parts_here<T>();
  const bool stream = a.stream_out && can_stream(a.d_logits, a.cols);
  parallel_parts(context, a.n, 1, [&](const Part& part) {
    const Part row{.begin = 0, .end = 1, .index = part.index};
    for (int64_t r = part.begin; r < part.end; ++r) {
      Wide<T> most = 0, sum_and_target[2] = {};
      run.forward(forward_of(a, r, 1, &most, sum_and_target), row);
      run.grad(grad_of(a, r, 1, &most, sum_and_target), row, stream);
    }
  });
}

template <class T>
void cross_entropy_forward(const Context& context, const CrossEntropyForward<T>& a) {
  const auto run = parts_here<T>().forward;
  parallel_parts(context, a.n, 1, [&](const Part& part) { run(a, part); });
}

// A number a row: not worth a thread.
template <class T>
void cross_entropy_rescale(const Context&, const CrossEntropyRescale<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) a.sum[r] *= std::exp(a.local_max[r] - a.row_max[r]);
}

template <class T>
void cross_entropy_grad(const Context& context, const CrossEntropyGrad<T>& a) {
  const auto run = parts_here<T>().grad;
  const bool stream = a.stream_out && can_stream(a.d_logits, a.cols);
  parallel_parts(context, a.n, 1, [&](const Part& part) { run(a, part, stream); });
}

template void cross_entropy(const Context&, const CrossEntropy<float>&);
template void cross_entropy(const Context&, const CrossEntropy<double>&);
template void cross_entropy(const Context&, const CrossEntropy<bfloat16>&);
template void cross_entropy_forward(const Context&, const CrossEntropyForward<float>&);
template void cross_entropy_forward(const Context&, const CrossEntropyForward<double>&);
template void cross_entropy_forward(const Context&, const CrossEntropyForward<bfloat16>&);
template void cross_entropy_rescale(const Context&, const CrossEntropyRescale<float>&);
template void cross_entropy_rescale(const Context&, const CrossEntropyRescale<double>&);
template void cross_entropy_rescale(const Context&, const CrossEntropyRescale<bfloat16>&);
template void cross_entropy_grad(const Context&, const CrossEntropyGrad<float>&);
template void cross_entropy_grad(const Context&, const CrossEntropyGrad<double>&);
template void cross_entropy_grad(const Context&, const CrossEntropyGrad<bfloat16>&);

void register_cross_entropy_simd(VariantList& list) {
  list.add<float, double, bfloat16>("cross_entropy", "simd", DeviceKind::cpu,
                                    []<class T>(Ops<T>& ops) {
                                      ops.cross_entropy = cross_entropy<T>;
                                      ops.cross_entropy_forward = cross_entropy_forward<T>;
                                      ops.cross_entropy_rescale = cross_entropy_rescale<T>;
                                      ops.cross_entropy_grad = cross_entropy_grad<T>;
                                    });
}

}  // namespace bench::kernels::cpu
