#include <tuple>

#include "kernels/convert/op.h"
#include "kernels/cpu/column_partials.h"
#include "kernels/cpu/parallel.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {

// One thread's share of each op, for one instruction set.
template <class T>
struct ConvertParts {
  void (*narrow)(const ConvertNarrow<T>&, const Part&, bool stream);
  void (*widen)(const ConvertWiden<T>&, const Part&, bool stream);
};
using ConvertTables = std::tuple<ConvertParts<float>, ConvertParts<double>, ConvertParts<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/convert/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/convert/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(convert_tables);

// Parts begin at whole lines of either type, so that they can be streamed if the whole can.
template <class T>
void convert_narrow(const Context& context, const ConvertNarrow<T>& a) {
  const auto run = std::get<ConvertParts<T>>(HWY_DYNAMIC_DISPATCH(convert_tables)()).narrow;
  const bool stream = a.stream_out && can_stream(a.y, 0);
  parallel_parts(context, a.size, kLine<T>, [&](const Part& part) { run(a, part, stream); });
}

template <class T>
void convert_widen(const Context& context, const ConvertWiden<T>& a) {
  const auto run = std::get<ConvertParts<T>>(HWY_DYNAMIC_DISPATCH(convert_tables)()).widen;
  const bool stream = a.stream_out && can_stream(a.y, 0);
  parallel_parts(context, a.size, kLine<T>, [&](const Part& part) { run(a, part, stream); });
}

template void convert_narrow(const Context&, const ConvertNarrow<float>&);
template void convert_narrow(const Context&, const ConvertNarrow<double>&);
template void convert_narrow(const Context&, const ConvertNarrow<bfloat16>&);
template void convert_widen(const Context&, const ConvertWiden<float>&);
template void convert_widen(const Context&, const ConvertWiden<double>&);
template void convert_widen(const Context&, const ConvertWiden<bfloat16>&);

void register_convert_simd(VariantList& list) {
  list.add<float, double, bfloat16>("convert", "simd", DeviceKind::cpu, []<class T>(Ops<T>& ops) {
    ops.convert_narrow = convert_narrow<T>;
    ops.convert_widen = convert_widen<T>;
  });
}

}  // namespace bench::kernels::cpu
