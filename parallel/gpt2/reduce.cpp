#include "parallel/gpt2/reduce.h"

#include "bench/base/bfloat16.h"

namespace bench::gpt2 {
namespace {

const char* range_name(layout::Axis axis) {
  switch (axis) {
    case layout::Axis::tensor: return "tp.all_reduce";
    case layout::Axis::data: return "dp.all_reduce";
    case layout::Axis::pipeline: return "pp.all_reduce";
  }
  return "";
}

}  // namespace

template <class T>
void all_reduce(const Context& context, layout::Mesh& mesh, layout::Axis axis, T* buffer,
                int64_t count, ReduceOp op) {
  if (mesh.size(axis) == 1) return;
  const Range range(context, range_name(axis), count * static_cast<int64_t>(sizeof(T)));
  mesh.along(axis).all_reduce(context.stream, buffer, buffer, count, dtype_of<T>(), op);
}

template void all_reduce(const Context&, layout::Mesh&, layout::Axis, float*, int64_t, ReduceOp);
template void all_reduce(const Context&, layout::Mesh&, layout::Axis, double*, int64_t, ReduceOp);
template void all_reduce(const Context&, layout::Mesh&, layout::Axis, bfloat16*, int64_t, ReduceOp);

}  // namespace bench::gpt2
