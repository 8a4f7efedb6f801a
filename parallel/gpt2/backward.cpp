#include "parallel/gpt2/backward.h"

#include "parallel/gpt2/forward.h"
#include "parallel/gpt2/gradient_sync.h"
#include "parallel/gpt2/tensor_region.h"

namespace bench::gpt2 {
namespace {

// The first micro-batch writes weight gradients, so that 4 bytes a parameter need no zeroing first.
template <class T>
struct Pass {
  bool accumulate;
  bool last;      // micro-batch of the step
  T* d_residual;  // [n_part, h] gradient of the residual stream, in place from layer to layer
};

template <class T>
void zero_added_to(StepState<T>& st) {
  for (const layout::Span& run : st.table.added_to_runs()) {
    st.context.device.fill(st.context.stream, st.gradient(run.begin), 0,
                           static_cast<size_t>(run.size) * sizeof(kernels::Wide<T>));
  }
}

// Backward of a linear layer: gradient of its input, of its weight and bias.
template <class T>
struct LinearPlace {
  int64_t in, out;
  const T* dy;  // [n, out]
  const T* x;   // [n, in]
  int64_t weight, bias;
  T* dx;                       // [n, in]
  const T* gelu_of = nullptr;  // [n, in]: x is its GELU, through which dx goes as well
};

template <class T>
void weight_grad(StepState<T>& st, Pass<T> pass, const LinearPlace<T>& p, bool has_bias) {
  st.ops.linear_weight_grad(st.context, {.n = st.shape.n,
                                         .in = p.in,
                                         .out = p.out,
                                         .accumulate = pass.accumulate,
                                         .dy = p.dy,
                                         .x = p.x,
                                         .dw = st.gradient(p.weight),
                                         .d_bias = has_bias ? st.gradient(p.bias) : nullptr});
}

template <class T>
void input_grad(StepState<T>& st, const LinearPlace<T>& p) {
  st.ops.linear_input_grad(st.context, {.n = st.shape.n,
                                        .in = p.in,
                                        .out = p.out,
                                        .dy = p.dy,
                                        .w = st.weight(p.weight),
                                        .dx = p.dx,
                                        .prepared = &st.prepared[p.weight],
                                        .gelu_of = p.gelu_of});
}

// Row-parallel: dy is wanted whole on every tensor rank, dx is this rank's part; nothing to reduce.
template <class T>
void row_parallel(StepState<T>& st, Pass<T> pass, LinearPlace<T> p) {
  p.dy = gather_rows(st, p.dy);
  weight_grad(st, pass, p, true);
  input_grad(st, p);
}

// Column-parallel: every rank has a partial sum of dx. Its reduction starts before the
// weight-gradient product and runs beside it (Narayanan 2021).
template <class T>
void column_parallel(StepState<T>& st, Pass<T> pass, LinearPlace<T> p, bool has_bias) {
  T* const dx = p.dx;
  p.dx = partial_rows(st, dx);
  p.x = gather_rows(st, p.x);
  input_grad(st, p);
  StartedReduction<T> reduction(st, dx);
  weight_grad(st, pass, p, has_bias);
  reduction.wait();
}

// Through a norm back into the residual stream.
template <class T>
struct NormPlace {
  const T* x;
  const kernels::Wide<T>* mean;
  const kernels::Wide<T>* rstd;
  int64_t gain, bias;
  bool last;  // the final norm: no gradient came along the residual path yet
};

template <class T>
void norm_backward(StepState<T>& st, Pass<T> pass, const NormPlace<T>& p) {
  Workspace<T>& w = st.work;
  st.ops.layer_norm_backward(st.context, {.n = st.shape.n_part,
                                          .h = st.shape.h,
                                          .dy = w.d_norm,
                                          .x = p.x,
                                          .gamma = st.weight(p.gain),
                                          .mean = p.mean,
                                          .rstd = p.rstd,
                                          .d_residual = p.last ? nullptr : pass.d_residual,
                                          .dx = pass.d_residual,
                                          .d_gamma = st.gradient(p.gain),
                                          .d_beta = st.gradient(p.bias)});
}

template <class T>
void head_backward(StepState<T>& st, Pass<T> pass) {
  const Range range(st.context, "head", 0);
  const RankShape& s = st.shape;
  Workspace<T>& w = st.work;
  column_parallel<T>(st, pass,
                     {.in = s.h,
                      .out = s.vocab.rows,
                      .dy = w.logits,
                      .x = w.final_norm,
                      .weight = st.table.token_embedding(),
                      .bias = 0,
                      .dx = w.d_norm},
                     false);
  norm_backward<T>(st, pass,
                   {.x = w.out,
                    .mean = w.final_mean,
                    .rstd = w.final_rstd,
                    .gain = st.table.final_gain(),
                    .bias = st.table.final_bias(),
                    .last = true});
}

template <class T>
void mlp_backward(StepState<T>& st, Pass<T> pass, const LayerOffsets& o,
                  const LayerActivations<T>& a) {
  const RankShape& s = st.shape;
  Workspace<T>& w = st.work;
  const bool fused = st.ops.linear_fuses_gelu;
  row_parallel<T>(st, pass,
                  {.in = s.ff,
                   .out = s.h,
                   .dy = pass.d_residual,
                   .x = a.gelu,
                   .weight = o.fc2_w,
                   .bias = o.fc2_b,
                   .dx = w.d_wide,
                   .gelu_of = fused ? a.fc1 : nullptr});
  if (!fused) {
    st.ops.gelu_backward(st.context, {.n = s.n,
                                      .cols = s.ff,
                                      .dy = w.d_wide,
                                      .x = a.fc1,
                                      .bias = nullptr,
                                      .dx = w.d_wide,
                                      .d_bias = nullptr});
  }
  column_parallel<T>(st, pass,
                     {.in = s.h,
                      .out = s.ff,
                      .dy = w.d_wide,
                      .x = a.ln2,
                      .weight = o.fc1_w,
                      .bias = o.fc1_b,
                      .dx = w.d_norm},
                     true);
  norm_backward<T>(st, pass,
                   {.x = a.mid,
                    .mean = a.ln2_mean,
                    .rstd = a.ln2_rstd,
                    .gain = o.ln2_g,
                    .bias = o.ln2_b,
                    .last = false});
}

template <class T>
void attention_backward(StepState<T>& st, Pass<T> pass, const LayerOffsets& o,
                        const LayerActivations<T>& a) {
  const RankShape& s = st.shape;
  Workspace<T>& w = st.work;
  row_parallel<T>(st, pass,
                  {.in = s.h_part,
                   .out = s.h,
                   .dy = pass.d_residual,
                   .x = a.attention,
                   .weight = o.proj_w,
                   .bias = o.proj_b,
                   .dx = w.d_part});
  st.ops.attention_backward(st.context, {.batch = s.micro_batch,
                                         .seq = s.seq,
                                         .heads = s.heads,
                                         .d = s.d,
                                         .qkv = a.qkv,
                                         .out = a.attention,
                                         .saved = a.saved,
                                         .d_out = w.d_part,
                                         .d_qkv = w.d_wide});
  column_parallel<T>(st, pass,
                     {.in = s.h,
                      .out = 3 * s.h_part,
                      .dy = w.d_wide,
                      .x = a.ln1,
                      .weight = o.qkv_w,
                      .bias = o.qkv_b,
                      .dx = w.d_norm},
                     true);
  norm_backward<T>(st, pass,
                   {.x = a.in,
                    .mean = a.ln1_mean,
                    .rstd = a.ln1_rstd,
                    .gain = o.ln1_g,
                    .bias = o.ln1_b,
                    .last = false});
}

// After head_backward wrote the tied weight's gradient as the head, this adds its part as the
// embedding.
template <class T>
void embedding_backward(StepState<T>& st, Pass<T> pass, const int32_t* ids) {
  const RankShape& s = st.shape;
  st.ops.embedding_backward(st.context, {.n = s.n,
                                         .h = s.h,
                                         .seq = s.seq,
                                         .first_row = s.vocab.first,
                                         .rows = s.vocab.rows,
                                         .ids = ids,
                                         .dy = gather_rows<T>(st, pass.d_residual),
                                         .d_token = st.gradient(st.table.token_embedding()),
                                         .d_position = st.gradient(st.table.position_embedding())});
}

template <class T>
void layer_backward(StepState<T>& st, Pass<T> pass, const LayerOffsets& o,
                    const LayerActivations<T>& a) {
  recompute_layer(st, o, a);
  mlp_backward(st, pass, o, a);
  attention_backward(st, pass, o, a);
  if (pass.last) sum_norm_gradients(st, o.norms);
}

}  // namespace

template <class T>
void backward(StepState<T>& st, const layout::Turn& turn) {
  const Range range(st.context, "backward", turn.micro);
  const RankShape& s = st.shape;
  const Pass<T> pass{.accumulate = turn.micro > 0,
                     .last = turn.micro == st.config.batch().accumulation() - 1,
                     .d_residual = st.work.d_residuals[static_cast<size_t>(turn.gradient)]};
  // A stage's last chunk comes first.
  if (!pass.accumulate && turn.chunk == s.chunks - 1) zero_added_to(st);
  if (s.ends_in(turn)) {
    head_backward(st, pass);
    if (pass.last) sum_norm_gradients(st, st.table.final_norm());
  }
  for (int64_t i = s.chunk_layers() - 1; i >= 0; --i) {
    const int64_t index = turn.chunk * s.chunk_layers() + i;
    const Range layer(st.context, "layer", s.model_layer(index));
    layer_backward(st, pass, st.table.layer(index), st.work.layer(turn, i));
    if (pass.last) gradients_finished_from(st, st.table.layer(index).qkv_w);
  }
  if (s.begins_in(turn)) embedding_backward(st, pass, st.inputs.data() + turn.micro * s.n);
}

template void backward(StepState<float>&, const layout::Turn&);
template void backward(StepState<double>&, const layout::Turn&);
template void backward(StepState<bfloat16>&, const layout::Turn&);

}  // namespace bench::gpt2
