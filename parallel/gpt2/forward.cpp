#include "parallel/gpt2/forward.h"

#include "parallel/gpt2/reduce.h"
#include "parallel/gpt2/tensor_region.h"

namespace bench::gpt2 {
namespace {

using layout::Axis;

constexpr double kNormEps = 1e-5;

// Every token row is on one tensor rank; the position is added by the first, so the sum holds it
// once.
template <class T>
void embed(StepState<T>& st, const int32_t* ids, T* y) {
  const RankShape& s = st.shape;
  st.ops.embedding_forward(
      st.context,
      {.n = s.n,
       .h = s.h,
       .seq = s.seq,
       .first_row = s.vocab.first,
       .rows = s.vocab.rows,
       .ids = ids,
       .token = st.weight(st.table.token_embedding()),
       .position = st.first_tensor_rank() ? st.weight(st.table.position_embedding()) : nullptr,
       .y = partial_rows(st, y)});
  reduce_rows(st, y);
}

// The residual stream takes the branch's output where there is one, and is normalised.
template <class T>
struct NormPlace {
  const T* branch;  // or nullptr: `stream` is already the residual stream
  const T* before;  // residual stream before the branch
  T* stream;        // [n_part, h] residual stream that is normalised
  int64_t gain, bias;
  T* y;
  kernels::Wide<T>* mean;
  kernels::Wide<T>* rstd;
};

template <class T>
void normalise(StepState<T>& st, const NormPlace<T>& p) {
  const bool adds = p.branch != nullptr;
  st.ops.layer_norm_forward(st.context, {.n = st.shape.n_part,
                                         .h = st.shape.h,
                                         .eps = static_cast<kernels::Wide<T>>(kNormEps),
                                         .x = adds ? p.branch : p.stream,
                                         .residual = adds ? p.before : nullptr,
                                         .sum = adds ? p.stream : nullptr,
                                         .gamma = st.weight(p.gain),
                                         .beta = st.weight(p.bias),
                                         .y = p.y,
                                         .mean = p.mean,
                                         .rstd = p.rstd});
}

// Row-parallel: partial sums over the tensor ranks. The bias must be in the sum once, so the first
// rank alone brings it, inside its product; that spares a pass over [n, h] after the reduction.
template <class T>
void row_parallel(StepState<T>& st, int64_t in, const T* x, int64_t weight, int64_t bias) {
  const RankShape& s = st.shape;
  st.ops.linear_forward(st.context, {.n = s.n,
                                     .in = in,
                                     .out = s.h,
                                     .x = x,
                                     .w = st.weight(weight),
                                     .bias = st.first_tensor_rank() ? st.weight(bias) : nullptr,
                                     .y = partial_rows(st, st.work.branch),
                                     .prepared = &st.prepared[weight]});
  reduce_rows(st, st.work.branch);
}

template <class T>
void attention_core(StepState<T>& st, const LayerActivations<T>& a) {
  const RankShape& s = st.shape;
  st.ops.attention_forward(st.context, {.batch = s.micro_batch,
                                        .seq = s.seq,
                                        .heads = s.heads,
                                        .d = s.d,
                                        .qkv = a.qkv,
                                        .out = a.attention,
                                        .saved = a.saved});
}

template <class T>
void attention_branch(StepState<T>& st, const LayerOffsets& o, const LayerActivations<T>& a) {
  const RankShape& s = st.shape;
  st.ops.linear_forward(st.context, {.n = s.n,
                                     .in = s.h,
                                     .out = 3 * s.h_part,
                                     .x = gather_rows<T>(st, a.ln1),
                                     .w = st.weight(o.qkv_w),
                                     .bias = st.weight(o.qkv_b),
                                     .y = a.qkv,
                                     .prepared = &st.prepared[o.qkv_w]});
  attention_core(st, a);
  row_parallel<T>(st, s.h_part, a.attention, o.proj_w, o.proj_b);
}

template <class T>
void mlp_branch(StepState<T>& st, const LayerOffsets& o, const LayerActivations<T>& a) {
  const RankShape& s = st.shape;
  const bool fused = st.ops.linear_fuses_gelu;
  st.ops.linear_forward(st.context, {.n = s.n,
                                     .in = s.h,
                                     .out = s.ff,
                                     .x = gather_rows<T>(st, a.ln2),
                                     .w = st.weight(o.fc1_w),
                                     .bias = st.weight(o.fc1_b),
                                     .y = a.fc1,
                                     .prepared = &st.prepared[o.fc1_w],
                                     .gelu = fused ? a.gelu : nullptr});
  if (!fused) {
    st.ops.gelu_forward(st.context,
                        {.n = s.n, .cols = s.ff, .x = a.fc1, .bias = nullptr, .y = a.gelu});
  }
  row_parallel<T>(st, s.ff, a.gelu, o.fc2_w, o.fc2_b);
}

// Without `before`, a.in holds the residual stream already.
template <class T>
void layer_forward(StepState<T>& st, const LayerOffsets& o, const LayerActivations<T>& a,
                   const T* before) {
  Workspace<T>& w = st.work;
  normalise<T>(st, {.branch = before != nullptr ? w.branch : nullptr,
                    .before = before,
                    .stream = a.in,
                    .gain = o.ln1_g,
                    .bias = o.ln1_b,
                    .y = a.ln1,
                    .mean = a.ln1_mean,
                    .rstd = a.ln1_rstd});
  attention_branch(st, o, a);
  normalise<T>(st, {.branch = w.branch,
                    .before = a.in,
                    .stream = a.mid,
                    .gain = o.ln2_g,
                    .bias = o.ln2_b,
                    .y = a.ln2,
                    .mean = a.ln2_mean,
                    .rstd = a.ln2_rstd});
  mlp_branch(st, o, a);
}

// The mean over all tokens of the global batch: micro-batches and data ranks then simply add up.
template <class T>
kernels::Wide<T> loss_scale(const StepState<T>& st) {
  return static_cast<kernels::Wide<T>>(1.0 / static_cast<double>(st.config.tokens_per_step()));
}

// Shoeybi 2019, section 3: only [n] maxima and [2n] sums travel, never the logits.
template <class T>
void reduce_cross_entropy(StepState<T>& st) {
  const RankShape& s = st.shape;
  Workspace<T>& w = st.work;
  st.context.device.copy(st.context.stream, w.row_max, w.local_max,
                         static_cast<size_t>(s.n) * sizeof(*w.row_max));
  all_reduce(st.context, st.mesh, Axis::tensor, w.row_max, s.n, ReduceOp::max);
  st.ops.cross_entropy_rescale(
      st.context, {.n = s.n, .local_max = w.local_max, .row_max = w.row_max, .sum = w.sums});
  all_reduce(st.context, st.mesh, Axis::tensor, w.sums, 2 * s.n, ReduceOp::sum);
}

template <class T>
void parallel_cross_entropy(StepState<T>& st, const int32_t* targets, kernels::Wide<T>* loss,
                            T* d_logits) {
  const RankShape& s = st.shape;
  Workspace<T>& w = st.work;
  st.ops.cross_entropy_forward(st.context, {.n = s.n,
                                            .cols = s.vocab.rows,
                                            .first_col = s.vocab.first,
                                            .true_vocab = s.true_vocab,
                                            .logits = w.logits,
                                            .targets = targets,
                                            .local_max = w.local_max,
                                            .sum_and_target = w.sums});
  reduce_cross_entropy(st);
  st.ops.cross_entropy_grad(st.context, {.n = s.n,
                                         .cols = s.vocab.rows,
                                         .first_col = s.vocab.first,
                                         .true_vocab = s.true_vocab,
                                         .scale = loss_scale(st),
                                         .logits = w.logits,
                                         .row_max = w.row_max,
                                         .sum_and_target = w.sums,
                                         .targets = targets,
                                         .loss = loss,
                                         .d_logits = d_logits});
}

// The gradient takes the place of the logits.
template <class T>
void cross_entropy(StepState<T>& st, const int32_t* targets, kernels::Wide<T>* loss,
                   LossMode mode) {
  const RankShape& s = st.shape;
  T* const d_logits = mode == LossMode::gradient ? st.work.logits : nullptr;
  if (st.mesh.size(Axis::tensor) > 1) return parallel_cross_entropy(st, targets, loss, d_logits);
  st.ops.cross_entropy(st.context, {.n = s.n,
                                    .cols = s.vocab.rows,
                                    .true_vocab = s.true_vocab,
                                    .scale = loss_scale(st),
                                    .logits = st.work.logits,
                                    .targets = targets,
                                    .loss = loss,
                                    .d_logits = d_logits});
}

// `before`: the residual stream before the last layer's MLP.
template <class T>
void head(StepState<T>& st, const T* before, const int32_t* targets, kernels::Wide<T>* loss,
          LossMode mode) {
  const Range range(st.context, "head", 0);
  const RankShape& s = st.shape;
  Workspace<T>& w = st.work;
  normalise<T>(st, {.branch = w.branch,
                    .before = before,
                    .stream = w.out,
                    .gain = st.table.final_gain(),
                    .bias = st.table.final_bias(),
                    .y = w.final_norm,
                    .mean = w.final_mean,
                    .rstd = w.final_rstd});
  st.ops.linear_forward(st.context, {.n = s.n,
                                     .in = s.h,
                                     .out = s.vocab.rows,
                                     .x = gather_rows<T>(st, w.final_norm),
                                     .w = st.weight(st.table.token_embedding()),
                                     .bias = nullptr,
                                     .y = w.logits,
                                     .prepared = &st.prepared[st.table.token_embedding()]});
  cross_entropy(st, targets, loss, mode);
}

// The residual stream as another stage goes on with it. It has a place of its own: recomputation
// needs `branch` before it is sent.
template <class T>
void leave_chunk(StepState<T>& st, const T* before) {
  const int64_t size = st.shape.n_part * st.shape.h;
  st.context.device.copy(st.context.stream, st.work.boundary, before,
                         static_cast<size_t>(size) * sizeof(T));
  st.ops.add(st.context, {.size = size, .x = st.work.branch, .y = st.work.boundary});
}

}  // namespace

template <class T>
void forward(StepState<T>& st, const layout::Turn& turn, LossMode mode) {
  const Range range(st.context, "forward", turn.micro);
  const RankShape& s = st.shape;
  const int64_t tokens = turn.micro * s.n;
  if (s.begins_in(turn)) embed(st, st.inputs.data() + tokens, st.work.layer(turn, 0).in);
  const T* before = nullptr;
  for (int64_t i = 0; i < s.chunk_layers(); ++i) {
    const int64_t index = turn.chunk * s.chunk_layers() + i;
    const Range layer(st.context, "layer", s.model_layer(index));
    const LayerActivations<T> a = st.work.layer(turn, i);
    layer_forward(st, st.table.layer(index), a, before);
    before = a.mid;
  }
  if (s.ends_in(turn))
    head(st, before, st.targets.data() + tokens, st.work.loss + tokens, mode);
  else
    leave_chunk(st, before);
}

template <class T>
void recompute_layer(StepState<T>& st, const LayerOffsets& offsets,
                     const LayerActivations<T>& activations) {
  if (st.config.recompute == Recompute::none) return;
  const Range range(st.context, "recompute");
  if (st.config.recompute == Recompute::full)
    return layer_forward<T>(st, offsets, activations, nullptr);
  attention_core(st, activations);
}

template void forward(StepState<float>&, const layout::Turn&, LossMode);
template void forward(StepState<double>&, const layout::Turn&, LossMode);
template void forward(StepState<bfloat16>&, const layout::Turn&, LossMode);
template void recompute_layer(StepState<float>&, const LayerOffsets&,
                              const LayerActivations<float>&);
template void recompute_layer(StepState<double>&, const LayerOffsets&,
                              const LayerActivations<double>&);
template void recompute_layer(StepState<bfloat16>&, const LayerOffsets&,
                              const LayerActivations<bfloat16>&);

}  // namespace bench::gpt2
