#pragma once
// Arguments of every op: shapes stand beside the pointers. T, the type of activations and weights,
// is float, double or bfloat16. The ops of one folder are declared in its op.h, which opens with
// the formula as plain loops.
//
// `stream_out`: a hint that the output is not read soon. Where it begins at, and its rows have, a
// multiple of 64 bytes it is then written past the caches, which spares memory the reading of the
// lines that are written. Not for what is computed in place.

#include <cstdint>
#include <type_traits>

#include "bench/base/bfloat16.h"

namespace bench::kernels {

class PreparedWeights;

// The type in which T is computed with and in which statistics and gradients of parameters are
// kept: what is added up over many tokens would be lost in 8 bits (Micikevicius 2018, section 3).
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, bfloat16>, float, T>;

// Token and position embedding. y[r,:] = token[id[r] - first_row] (0 if outside [first_row,
// first_row+rows))
//                                        + (add_position ? position[r mod seq] : 0)
template <class T>
struct EmbeddingForward {
  int64_t n, h;             // tokens, hidden
  int64_t seq;              // tokens a sequence; n is a multiple
  int64_t first_row, rows;  // this rank's part of the vocabulary
  const int32_t* ids;       // [n]
  const T* token;           // [rows, h]
  const T* position;        // [>= seq, h], or nullptr: not added (by all but one tensor rank)
  T* y;                     // [n, h]
  bool stream_out = false;
};

// Adds to d_token and d_position, rows in ascending token order: the same bits every time.
template <class T>
struct EmbeddingBackward {
  int64_t n, h, seq, first_row, rows;
  const int32_t* ids;   // [n]
  const T* dy;          // [n, h]
  Wide<T>* d_token;     // [rows, h], added to
  Wide<T>* d_position;  // [>= seq, h], added to; or nullptr
};

// y = (x - mean) * rstd * gamma + beta, over the last axis, eps inside the root (Ba 2016). With
// `residual`: first sum = x + residual, stored to `sum`, and sum takes x's place.
template <class T>
struct LayerNormForward {
  int64_t n, h;
  Wide<T> eps;
  const T* x;               // [n, h]
  const T* residual;        // [n, h] or nullptr
  T* sum;                   // [n, h] where residual is given (may equal residual), else unused
  const T* gamma;           // [h]
  const T* beta;            // [h]
  T* y;                     // [n, h]
  Wide<T>* mean;            // [n]
  Wide<T>* rstd;            // [n]
  bool stream_out = false;  // of y
};

// dx = layer norm's input gradient (+ d_residual where given: the gradient that came along the
// residual path); d_gamma, d_beta are added to.
template <class T>
struct LayerNormBackward {
  int64_t n, h;
  const T* dy;          // [n, h]
  const T* x;           // [n, h] what was normalised (sum, with a residual)
  const T* gamma;       // [h]
  const Wide<T>* mean;  // [n]
  const Wide<T>* rstd;  // [n]
  const T* d_residual;  // [n, h] or nullptr; may equal dx
  T* dx;                // [n, h]
  Wide<T>* d_gamma;     // [h], added to
  Wide<T>* d_beta;      // [h], added to
  bool stream_out = false;
};

// y[n,out] = x[n,in] · wᵀ + bias, w [out,in] row-major (one row an output feature, as PyTorch
// stores it).
template <class T>
struct LinearForward {
  int64_t n, in, out;
  const T* x;                           // [n, in]
  const T* w;                           // [out, in]
  const T* bias;                        // [out] or nullptr
  T* y;                                 // [n, out]
  PreparedWeights* prepared = nullptr;  // of w, kept from call to call (linear/prepared.h)
  T* gelu = nullptr;  // [n, out]: gelu(y) besides y, only where Ops::linear_fuses_gelu
};

// dx[n,in] = dy[n,out] · w
template <class T>
struct LinearInputGrad {
  int64_t n, in, out;
  const T* dy;  // [n, out]
  const T* w;   // [out, in]
  T* dx;        // [n, in]
  PreparedWeights* prepared = nullptr;
  // [n, in]: dx = (dy · w) gelu'(gelu_of), only where Ops::linear_fuses_gelu
  const T* gelu_of = nullptr;
};

// dw (+)= dyᵀ · x; d_bias (+)= column sums of dy. `accumulate`: add to what is there.
template <class T>
struct LinearWeightGrad {
  int64_t n, in, out;
  bool accumulate;
  const T* dy;      // [n, out]
  const T* x;       // [n, in]
  Wide<T>* dw;      // [out, in]
  Wide<T>* d_bias;  // [out] or nullptr
};

// y = gelu(x + bias), tanh form: gelu(u) = 0.5 u (1 + tanh(sqrt(2/pi) (u + 0.044715 u^3)))
// (Hendrycks 2016).
template <class T>
struct GeluForward {
  int64_t n, cols;
  const T* x;     // [n, cols]
  const T* bias;  // [cols] or nullptr: none
  T* y;           // [n, cols], may equal x
  bool stream_out = false;
};

// dx = dy gelu'(x + bias); d_bias += column sums of dx, before it is rounded to T: the same bits
// for the same number of threads.
template <class T>
struct GeluBackward {
  int64_t n, cols;
  const T* dy;      // [n, cols]
  const T* x;       // [n, cols] what went into the forward
  const T* bias;    // [cols] or nullptr
  T* dx;            // [n, cols], may equal dy
  Wide<T>* d_bias;  // [cols], added to; or nullptr
  bool stream_out = false;
};

// y = residual + dropout(x + bias). Element [r, c] is dropped by the 16 random bits that belong to
// `seed` and position offset + r h + c (kernels/dropout/philox.h) and nothing else: whoever
// computes it, in whatever part, drops the same, and no mask is stored. `rate` in [0, 1) is rounded
// to a multiple of 2^-16; what stays is divided by one minus it. A NaN or infinity that is dropped
// becomes NaN.
template <class T>
struct DropoutForward {
  int64_t n, h;
  double rate;
  uint64_t seed, offset;
  const T* x;         // [n, h]
  const T* bias;      // [h] or nullptr
  const T* residual;  // [n, h] or nullptr
  T* y;               // [n, h], may equal x or residual
  bool stream_out = false;
};

// dx = dropout(dy) with the forward's elements dropped; d_bias += column sums of dx, as for GELU.
template <class T>
struct DropoutBackward {
  int64_t n, h;
  double rate;
  uint64_t seed, offset;
  const T* dy;      // [n, h]
  T* dx;            // [n, h], may equal dy
  Wide<T>* d_bias;  // [h], added to; or nullptr
  bool stream_out = false;
};

// Softmax over scaled, causally masked scores: rows of `seq` columns, of which row r attends to the
// first r mod seq + 1. y = softmax(scale · x) there, 0 in the others.
template <class T>
struct SoftmaxForward {
  int64_t rows, seq;
  Wide<T> scale;  // > 0
  const T* x;     // [rows, seq]; masked columns are not read
  T* y;           // [rows, seq]; may equal x
};

// dx = scale y (dy - sum y dy), 0 in masked columns.
template <class T>
struct SoftmaxBackward {
  int64_t rows, seq;
  Wide<T> scale;
  const T* dy;  // [rows, seq]
  const T* y;   // [rows, seq]
  T* dx;        // [rows, seq]; may equal dy
};

// Causal self-attention over `heads` heads of size d. qkv rows are ordered per head [heads, 3, d],
// so that a tensor-parallel shard is whole heads. out[r, head, :] = softmax(q kᵀ / sqrt(d), keys <=
// query) v
template <class T>
struct AttentionForward {
  int64_t batch, seq, heads, d;
  const T* qkv;  // [batch*seq, heads*3*d]
  T* out;        // [batch*seq, heads*d]
  void* saved;   // what backward needs: attention_saved_bytes()
};

template <class T>
struct AttentionBackward {
  int64_t batch, seq, heads, d;
  const T* qkv;  // [batch*seq, heads*3*d]
  const T* out;  // [batch*seq, heads*d]
  const void* saved;
  const T* d_out;  // [batch*seq, heads*d]
  T* d_qkv;        // [batch*seq, heads*3*d], written
};

// Vocabulary-parallel cross entropy (Shoeybi 2019, section 3), the reductions over ranks left to
// the caller: columns [first_col, first_col + cols) of the logits are here; columns at or past
// `true_vocab` are padding and take no part. The order is
//   CrossEntropyForward; row_max = max of local_max over ranks; CrossEntropyRescale;
//   sum_and_target = sum over ranks; CrossEntropyGrad.
// With one rank row_max is local_max and nothing is to be rescaled.
template <class T>
struct CrossEntropyForward {
  int64_t n, cols, first_col, true_vocab;
  const T* logits;          // [n, cols], read once
  const int32_t* targets;   // [n]
  Wide<T>* local_max;       // [n]: max over the columns here (-inf where there are none)
  Wide<T>* sum_and_target;  // [2n]: sum of exp(logit - local_max) here; logit of the target, 0 if
                            // not here
};

// sum *= exp(local_max - row_max): what was summed is then relative to the maximum of all ranks.
template <class T>
struct CrossEntropyRescale {
  int64_t n;
  const Wide<T>* local_max;  // [n]
  const Wide<T>* row_max;    // [n], over all ranks
  Wide<T>* sum;              // [n]
};

// loss[r] = log(sum[r]) + row_max[r] - target[r]; d_logits = (softmax - one_hot) * scale, 0 in
// padding. In place allowed.
template <class T>
struct CrossEntropyGrad {
  int64_t n, cols, first_col, true_vocab;
  Wide<T> scale;
  const T* logits;                // [n, cols]
  const Wide<T>* row_max;         // [n], over all ranks
  const Wide<T>* sum_and_target;  // [2n], over all ranks
  const int32_t* targets;         // [n]
  Wide<T>* loss;                  // [n]
  T* d_logits;                    // [n, cols], or nullptr: only the loss
  bool stream_out = false;
};

// The three of them where all columns are here, so that nothing is reduced in between and a row can
// stay near until its gradient is made: one read and one write of the logits (Milakov 2018).
// loss[r] = log(sum exp(x - max)) + max - x[target]; d_logits = (softmax - one_hot) * scale, 0 in
// padding. In place allowed.
template <class T>
struct CrossEntropy {
  int64_t n, cols, true_vocab;
  Wide<T> scale;
  const T* logits;         // [n, cols]
  const int32_t* targets;  // [n]
  Wide<T>* loss;           // [n]
  T* d_logits;             // [n, cols], or nullptr: only the loss
  bool stream_out = false;
};

// y = x, rounded to the nearest, ties to even.
template <class T>
struct ConvertNarrow {
  int64_t size;
  const Wide<T>* x;
  T* y;
  bool stream_out = false;
};

// y = x, exactly.
template <class T>
struct ConvertWiden {
  int64_t size;
  const T* x;
  Wide<T>* y;
  bool stream_out = false;
};

// y += x
template <class T>
struct Add {
  int64_t size;
  const T* x;
  T* y;
};

// Sum of squares of a gradient, added to *result in double; the same bits for the same number of
// threads.
template <class T>
struct SumOfSquares {
  int64_t size;
  const Wide<T>* x;
  double* result;
};

// Sum of x, added to *result in double; the same bits for the same number of threads.
template <class T>
struct Sum {
  int64_t size;
  const Wide<T>* x;
  double* result;
};

// AdamW with decoupled weight decay (Loshchilov 2019), one pass:
// g' = g * clip;  m = b1 m + (1-b1) g';  v = b2 v + (1-b2) g'^2;
// w -= lr * (m / (1-b1^step) / (sqrt(v / (1-b2^step)) + eps) + weight_decay * w)   (w before the
// update)
template <class T>
struct AdamW {
  int64_t size;
  double lr, beta1, beta2, eps, weight_decay;
  double clip;   // factor on the gradient
  int64_t step;  // 1 for the first
  // What changes from step to step may lie in device memory instead, so that nobody waits for it
  // and a recorded graph does not freeze it. Where given: the clip factor is min(1, clip /
  // (sqrt(*squared_norm) + 1e-6)), as torch.nn.utils.clip_grad_norm_ with max_norm = clip; the step
  // is *step_at, lr is *lr_at.
  const double* squared_norm = nullptr;
  const int64_t* step_at = nullptr;
  const double* lr_at = nullptr;
  const Wide<T>* g;
  Wide<T>* w;  // with T = bfloat16 the master weights
  Wide<T>* m;
  Wide<T>* v;
  T* copy = nullptr;  // where the new weights go once more, rounded to T; or nullptr
};

}  // namespace bench::kernels
