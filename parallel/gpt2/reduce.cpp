#include "parallel/gpt2/reduce.h"

#include "bench/base/bfloat16.h"

namespace bench::gpt2 {
namespace {

const char* range_name(layout::Axis axis) {
  return axis == layout::Axis::tensor ? "tp.all_reduce" : "dp.all_reduce";
}

}  // namespace

template <class T>
void all_reduce(const Context& context, layout::Mesh& mesh, layout::Axis axis, T* buffer,
                int64_t count, ReduceOp op) {
  if (mesh.size(axis) == 1) return;
  const Range range(context, range_name(axis), count * static_cast<int64_t>(sizeof(T)));
  mesh.along(axis).all_reduce(context.stream, buffer, buffer, count, dtype_of<T>(), op);
}

template <class T>
StartedSum<T>::StartedSum(const Context& context, layout::Mesh& mesh, T* buffer, int64_t count)
    : context_(context), bytes_(count * static_cast<int64_t>(sizeof(T))) {
  if (mesh.size(layout::Axis::tensor) == 1) return;
  const Range range(context, range_name(layout::Axis::tensor), bytes_);
  Communicator& comm = mesh.along(layout::Axis::tensor);
  ticket_ =
      comm.all_reduce_start(context.stream, buffer, buffer, count, dtype_of<T>(), ReduceOp::sum);
  comm_ = &comm;
}

template <class T>
void StartedSum<T>::wait() {
  if (comm_ == nullptr) return;
  const Range range(context_, "tp.wait", bytes_);
  comm_->wait(context_.stream, ticket_);
  comm_ = nullptr;
}

// After an error in between, the communicator is unusable and its own teardown ends what was
// started.
template <class T>
StartedSum<T>::~StartedSum() {
  try {
    wait();
  } catch (...) {
  }
}

template void all_reduce(const Context&, layout::Mesh&, layout::Axis, float*, int64_t, ReduceOp);
template void all_reduce(const Context&, layout::Mesh&, layout::Axis, double*, int64_t, ReduceOp);
template void all_reduce(const Context&, layout::Mesh&, layout::Axis, bfloat16*, int64_t, ReduceOp);
template class StartedSum<float>;
template class StartedSum<double>;
template class StartedSum<bfloat16>;

}  // namespace bench::gpt2
