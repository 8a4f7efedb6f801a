#include "parallel/gpt2/tensor_region.h"

#include "bench/base/bfloat16.h"
#include "parallel/gpt2/reduce.h"

namespace bench::gpt2 {
namespace {

using layout::Axis;

template <class T>
bool has_all_rows(const StepState<T>& st) {
  return st.shape.n_part == st.shape.n;
}

template <class T>
int64_t bytes_of_rows(const StepState<T>& st) {
  return st.shape.n * st.shape.h * static_cast<int64_t>(sizeof(T));
}

template <class T>
int64_t part_size(const StepState<T>& st) {
  return st.shape.n_part * st.shape.h;
}

}  // namespace

template <class T>
const T* gather_rows(StepState<T>& st, const T* part) {
  if (has_all_rows(st)) return part;
  const Range range(st.context, "tp.all_gather", bytes_of_rows(st));
  st.mesh.along(Axis::tensor)
      .all_gather(st.context.stream, part, st.work.gathered, part_size(st), dtype_of<T>());
  return st.work.gathered;
}

template <class T>
T* partial_rows(StepState<T>& st, T* part) {
  return has_all_rows(st) ? part : st.work.partial;
}

template <class T>
void reduce_rows(StepState<T>& st, T* part) {
  if (has_all_rows(st)) {
    all_reduce(st.context, st.mesh, Axis::tensor, part, part_size(st), ReduceOp::sum);
    return;
  }
  const Range range(st.context, "tp.reduce_scatter", bytes_of_rows(st));
  st.mesh.along(Axis::tensor)
      .reduce_scatter(st.context.stream, st.work.partial, part, part_size(st), dtype_of<T>(),
                      ReduceOp::sum);
}

template <class T>
StartedReduction<T>::StartedReduction(StepState<T>& st, T* part) : st_(st) {
  if (st.mesh.size(Axis::tensor) == 1) return;
  Communicator& comm = st.mesh.along(Axis::tensor);
  const Stream stream = st.context.stream;
  if (has_all_rows(st)) {
    const Range range(st.context, "tp.all_reduce", bytes_of_rows(st));
    ticket_ =
        comm.all_reduce_start(stream, part, part, part_size(st), dtype_of<T>(), ReduceOp::sum);
  } else {
    const Range range(st.context, "tp.reduce_scatter", bytes_of_rows(st));
    ticket_ = comm.reduce_scatter_start(stream, st.work.partial, part, part_size(st), dtype_of<T>(),
                                        ReduceOp::sum);
  }
  started_ = true;
}

template <class T>
void StartedReduction<T>::wait() {
  if (!started_) return;
  const Range range(st_.context, "tp.wait", bytes_of_rows(st_));
  started_ = false;
  st_.mesh.along(Axis::tensor).wait(st_.context.stream, ticket_);
}

// After an error in between, the communicator is unusable and its own teardown ends what was
// started.
template <class T>
StartedReduction<T>::~StartedReduction() {
  try {
    wait();
  } catch (...) {
  }
}

template <class T>
void sum_norm_gradients(StepState<T>& st, const layout::Span& norms) {
  if (has_all_rows(st)) return;
  all_reduce(st.context, st.mesh, Axis::tensor, st.gradient(norms.begin), norms.size,
             ReduceOp::sum);
}

template const float* gather_rows(StepState<float>&, const float*);
template const double* gather_rows(StepState<double>&, const double*);
template const bfloat16* gather_rows(StepState<bfloat16>&, const bfloat16*);
template float* partial_rows(StepState<float>&, float*);
template double* partial_rows(StepState<double>&, double*);
template bfloat16* partial_rows(StepState<bfloat16>&, bfloat16*);
template void reduce_rows(StepState<float>&, float*);
template void reduce_rows(StepState<double>&, double*);
template void reduce_rows(StepState<bfloat16>&, bfloat16*);
template class StartedReduction<float>;
template class StartedReduction<double>;
template class StartedReduction<bfloat16>;
template void sum_norm_gradients(StepState<float>&, const layout::Span&);
template void sum_norm_gradients(StepState<double>&, const layout::Span&);
template void sum_norm_gradients(StepState<bfloat16>&, const layout::Span&);

}  // namespace bench::gpt2
