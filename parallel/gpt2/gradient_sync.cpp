#include "parallel/gpt2/gradient_sync.h"

#include "parallel/gpt2/pipeline.h"

namespace bench::gpt2 {
namespace {

using layout::Axis;

template <class T>
void start_sum(StepState<T>& st, const layout::Span& bucket) {
  using Wide = kernels::Wide<T>;
  const bool spread = st.shards.is_spread();
  const Range range(st.context, spread ? "dp.reduce_scatter" : "dp.all_reduce",
                    bucket.size * static_cast<int64_t>(sizeof(Wide)));
  Communicator& comm = st.mesh.along(Axis::data);
  Wide* at = st.gradient(bucket.begin);
  const Stream stream = st.context.stream;
  st.sums_under_way.push_back(
      spread ? comm.reduce_scatter_start(stream, at, at, bucket.size / st.config.dp,
                                         dtype_of<Wide>(), ReduceOp::sum)
             : comm.all_reduce_start(stream, at, at, bucket.size, dtype_of<Wide>(), ReduceOp::sum));
}

// Buckets are started in their order, so that every data rank starts the same ones.
template <class T>
void start_sums_from(StepState<T>& st, int64_t offset, bool tied) {
  const auto& buckets = st.shards.buckets();
  for (size_t i = st.sums_under_way.size(); i < buckets.size(); ++i) {
    if (buckets[i].tied != tied || buckets[i].span.begin < offset) return;
    start_sum(st, buckets[i].span);
  }
}

}  // namespace

template <class T>
void gradients_finished_from(StepState<T>& st, int64_t offset) {
  if (st.config.dp == 1 || !st.config.overlap_gradients) return;
  start_sums_from(st, offset, false);
}

template <class T>
void finish_gradients(StepState<T>& st) {
  const Range range(st.context, "grad_sync", 0);
  if (st.config.dp > 1) start_sums_from(st, 0, false);
  sum_tied_embedding(st);
  if (st.config.dp == 1) return;
  start_sums_from(st, 0, true);
  const Range waiting(st.context, "dp.wait", 0);
  for (const Communicator::Ticket ticket : st.sums_under_way)
    st.mesh.along(Axis::data).wait(st.context.stream, ticket);
  st.sums_under_way.clear();
}

template <class T>
void share_weights(StepState<T>& st) {
  if (!st.shards.is_spread()) return;
  const Range range(st.context, "share_weights", 0);
  Communicator& comm = st.mesh.along(Axis::data);
  for (const Bucket& bucket : st.shards.buckets()) {
    const Range gather(st.context, "dp.all_gather",
                       bucket.span.size * static_cast<int64_t>(sizeof(T)));
    const layout::Span mine = st.shards.block_of(bucket.span, comm.rank());
    comm.all_gather(st.context.stream, st.weight(mine.begin), st.weight(bucket.span.begin),
                    mine.size, dtype_of<T>());
  }
}

template void gradients_finished_from(StepState<float>&, int64_t);
template void gradients_finished_from(StepState<double>&, int64_t);
template void gradients_finished_from(StepState<bfloat16>&, int64_t);
template void finish_gradients(StepState<float>&);
template void finish_gradients(StepState<double>&);
template void finish_gradients(StepState<bfloat16>&);
template void share_weights(StepState<float>&);
template void share_weights(StepState<double>&);
template void share_weights(StepState<bfloat16>&);

}  // namespace bench::gpt2
