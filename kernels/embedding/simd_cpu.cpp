#include <tuple>

#include "kernels/cpu/column_partials.h"
#include "kernels/cpu/parallel.h"
#include "kernels/embedding/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {

// One thread's rows (forward) or columns (backward), for one instruction set.
template <class T>
struct EmbeddingParts {
  void (*forward)(const EmbeddingForward<T>&, const Part&, const T* zeros, bool stream);
  void (*backward)(const EmbeddingBackward<T>&, const Part&);
};
using EmbeddingTables =
    std::tuple<EmbeddingParts<float>, EmbeddingParts<double>, EmbeddingParts<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/embedding/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/embedding/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(embedding_tables);

template <class T>
void embedding_forward(const Context& context, const EmbeddingForward<T>& a) {
  thread_local Scratch memory;
  const auto run = std::get<EmbeddingParts<T>>(HWY_DYNAMIC_DISPATCH(embedding_tables)()).forward;
  const T* const zeros = zero_row<T>(memory, a.h);
  const bool stream = a.stream_out && can_stream(a.y, a.h);
  parallel_parts(context, a.n, 1, [&](const Part& part) { run(a, part, zeros, stream); });
}

// Threads share the columns, so that each row's sum is in token order whatever their number.
template <class T>
void embedding_backward(const Context& context, const EmbeddingBackward<T>& a) {
  const auto run = std::get<EmbeddingParts<T>>(HWY_DYNAMIC_DISPATCH(embedding_tables)()).backward;
  parallel_parts(context, a.h, kLine<T>, [&](const Part& part) { run(a, part); });
}

template void embedding_forward(const Context&, const EmbeddingForward<float>&);
template void embedding_forward(const Context&, const EmbeddingForward<double>&);
template void embedding_forward(const Context&, const EmbeddingForward<bfloat16>&);
template void embedding_backward(const Context&, const EmbeddingBackward<float>&);
template void embedding_backward(const Context&, const EmbeddingBackward<double>&);
template void embedding_backward(const Context&, const EmbeddingBackward<bfloat16>&);

void register_embedding_simd(VariantList& list) {
  list.add<float, double, bfloat16>("embedding", "simd", DeviceKind::cpu, []<class T>(Ops<T>& ops) {
    ops.embedding_forward = embedding_forward<T>;
    ops.embedding_backward = embedding_backward<T>;
  });
}

}  // namespace bench::kernels::cpu
