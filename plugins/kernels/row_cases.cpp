// Ops that work row by row: embedding, layer norm, GELU, residual addition, cross entropy.
#include <cmath>

#include "kernels/cross_entropy/op.h"
#include "kernels/elementwise/op.h"
#include "kernels/embedding/op.h"
#include "kernels/gelu/op.h"
#include "kernels/layer_norm/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;
using Params = std::vector<std::pair<std::string, double>>;

Params rows_params(int64_t n, int64_t h) {
  return {{"n", static_cast<double>(n)}, {"h", static_cast<double>(h)}};
}

std::vector<float> copy(const float* data, int64_t size) { return {data, data + size}; }

sdk::Case layer_norm_forward(const Setting& s) {
  const int64_t n = s.n(), h = s.h;
  return op_case("gpt2.layer.ln1.fwd", s, 0, static_cast<double>(2 * n * h), rows_params(n, h),
                 [n, h, s](const Context& c, const auto& memory) {
                   const LayerNormForward<float> a{.n = n,
                                                   .h = h,
                                                   .eps = 1e-5F,
                                                   .x = memory->uniform(n * h),
                                                   .residual = nullptr,
                                                   .sum = nullptr,
                                                   .gamma = memory->uniform(h),
                                                   .beta = memory->uniform(h),
                                                   .y = memory->filled(n * h, NAN),
                                                   .mean = memory->filled(n, NAN),
                                                   .rstd = memory->filled(n, NAN)};
                   const auto check = [a] {
                     std::vector<float> y(static_cast<size_t>(a.n * a.h)),
                         mean(static_cast<size_t>(a.n)), rstd(static_cast<size_t>(a.n));
                     LayerNormForward<float> b = a;
                     b.y = y.data(), b.mean = mean.data(), b.rstd = rstd.data();
                     reference_layer_norm_forward(b);
                     return judged(worse(relative_error({a.y, y.size()}, y),
                                         relative_error({a.rstd, rstd.size()}, rstd)),
                                   layer_norm_tolerance<float>(a.n, a.h), "y, rstd");
                   };
                   return Running{.run = [a, s, &c] { s.ops->layer_norm_forward(c, a); },
                                  .check = check};
                 });
}

sdk::Case layer_norm_backward(const Setting& s) {
  const int64_t n = s.n(), h = s.h;
  return op_case(
      "gpt2.layer.ln1.bwd", s, 0, static_cast<double>(4 * n * h), rows_params(n, h),
      [n, h, s](const Context& c, const auto& memory) {
        const float* x = memory->uniform(n * h);
        const float* gamma = memory->uniform(h);
        float* mean = memory->filled(n, 0);
        float* rstd = memory->filled(n, 0);
        s.ops->layer_norm_forward(c, {.n = n,
                                      .h = h,
                                      .eps = 1e-5F,
                                      .x = x,
                                      .residual = nullptr,
                                      .sum = nullptr,
                                      .gamma = gamma,
                                      .beta = gamma,
                                      .y = memory->filled(n * h, 0),
                                      .mean = mean,
                                      .rstd = rstd});
        const LayerNormBackward<float> a{.n = n,
                                         .h = h,
                                         .dy = memory->uniform(n * h),
                                         .x = x,
                                         .gamma = gamma,
                                         .mean = mean,
                                         .rstd = rstd,
                                         .d_residual = memory->uniform(n * h),
                                         .dx = memory->filled(n * h, NAN),
                                         .d_gamma = memory->filled(h, 0),
                                         .d_beta = memory->filled(h, 0)};
        // Every iteration adds to d_gamma and d_beta.
        const auto times = std::make_shared<int64_t>(0);
        const auto check = [a, times] {
          std::vector<float> dx(static_cast<size_t>(a.n * a.h)), d_gamma(static_cast<size_t>(a.h)),
              d_beta(static_cast<size_t>(a.h));
          LayerNormBackward<float> b = a;
          b.dx = dx.data(), b.d_gamma = d_gamma.data(), b.d_beta = d_beta.data();
          reference_layer_norm_backward(b);
          const double tolerance = layer_norm_tolerance<float>(a.n, a.h);
          const sdk::Check inputs = judged(relative_error({a.dx, dx.size()}, dx), tolerance, "dx");
          if (!inputs.passed) return inputs;
          const double sums =
              worse(relative_error({a.d_gamma, d_gamma.size()}, accumulated(d_gamma, *times)),
                    relative_error({a.d_beta, d_beta.size()}, accumulated(d_beta, *times)));
          return judged(sums, tolerance + accumulation_tolerance(*times), "d_gamma, d_beta");
        };
        return Running{.run = [a, s, times, &c] { s.ops->layer_norm_backward(c, a), ++*times; },
                       .check = check};
      });
}

sdk::Case gelu_forward(const Setting& s) {
  const int64_t n = s.n(), cols = 4 * s.h;
  return op_case(
      "gpt2.layer.mlp.gelu.fwd", s, 0, 2.0 * static_cast<double>(n * cols), rows_params(n, cols),
      [n, cols, s](const Context& c, const auto& memory) {
        const GeluForward<float> a{.n = n,
                                   .cols = cols,
                                   .x = memory->uniform(n * cols),
                                   .bias = memory->uniform(cols),
                                   .y = memory->filled(n * cols, NAN)};
        const auto check = [a] {
          std::vector<float> y(static_cast<size_t>(a.n * a.cols));
          GeluForward<float> b = a;
          b.y = y.data();
          reference_gelu_forward(b);
          return judged(relative_error({a.y, y.size()}, y), kElementTolerance<float>, "y");
        };
        return Running{.run = [a, s, &c] { s.ops->gelu_forward(c, a); }, .check = check};
      });
}

sdk::Case gelu_backward(const Setting& s) {
  const int64_t n = s.n(), cols = 4 * s.h;
  return op_case(
      "gpt2.layer.mlp.gelu.bwd", s, 0, 3.0 * static_cast<double>(n * cols), rows_params(n, cols),
      [n, cols, s](const Context& c, const auto& memory) {
        const GeluBackward<float> a{.n = n,
                                    .cols = cols,
                                    .dy = memory->uniform(n * cols),
                                    .x = memory->uniform(n * cols),
                                    .bias = memory->uniform(cols),
                                    .dx = memory->filled(n * cols, NAN),
                                    .d_bias = nullptr};
        const auto check = [a] {
          std::vector<float> dx(static_cast<size_t>(a.n * a.cols));
          GeluBackward<float> b = a;
          b.dx = dx.data();
          reference_gelu_backward(b);
          return judged(relative_error({a.dx, dx.size()}, dx), kElementTolerance<float>, "dx");
        };
        return Running{.run = [a, s, &c] { s.ops->gelu_backward(c, a); }, .check = check};
      });
}

sdk::Case add(const Setting& s) {
  const int64_t size = s.n() * s.h;
  return op_case(
      "gpt2.layer.residual.fwd", s, 0, 3.0 * static_cast<double>(size),
      {{"size", static_cast<double>(size)}}, [size, s](const Context& c, const auto& memory) {
        const Add<float> a{.size = size, .x = memory->uniform(size), .y = memory->uniform(size)};
        // y grows by x with every iteration.
        const auto times = std::make_shared<int64_t>(0);
        const auto check = [a, start = copy(a.y, size), times] {
          std::vector<float> y = accumulated({a.x, start.size()}, *times);
          reference_add<float>({.size = a.size, .x = start.data(), .y = y.data()});
          return judged(relative_error({a.y, y.size()}, y),
                        kElementTolerance<float> + accumulation_tolerance(*times), "y");
        };
        return Running{.run = [a, s, times, &c] { s.ops->add(c, a), ++*times; }, .check = check};
      });
}

sdk::Case embedding_forward(const Setting& s) {
  const int64_t n = s.n(), h = s.h;
  return op_case(
      "gpt2.embedding.fwd", s, 0, static_cast<double>(3 * n * h), rows_params(n, h),
      [n, h, s](const Context& c, const auto& memory) {
        const EmbeddingForward<float> a{.n = n,
                                        .h = h,
                                        .seq = s.seq,
                                        .first_row = 0,
                                        .rows = s.padded_vocab,
                                        .ids = memory->tokens(n, s.vocab),
                                        .token = memory->uniform(s.padded_vocab * h),
                                        .position = memory->uniform(s.seq * h),
                                        .y = memory->filled(n * h, NAN)};
        const auto check = [a] {
          std::vector<float> y(static_cast<size_t>(a.n * a.h));
          EmbeddingForward<float> b = a;
          b.y = y.data();
          reference_embedding_forward(b);
          return judged(relative_error({a.y, y.size()}, y), kElementTolerance<float>, "y");
        };
        return Running{.run = [a, s, &c] { s.ops->embedding_forward(c, a); }, .check = check};
      });
}

sdk::Case embedding_backward(const Setting& s) {
  const int64_t n = s.n(), h = s.h;
  return op_case(
      "gpt2.embedding.bwd", s, 0, static_cast<double>(5 * n * h), rows_params(n, h),
      [n, h, s](const Context& c, const auto& memory) {
        const int64_t table = s.padded_vocab * h, positions = s.seq * h;
        const EmbeddingBackward<float> a{.n = n,
                                         .h = h,
                                         .seq = s.seq,
                                         .first_row = 0,
                                         .rows = s.padded_vocab,
                                         .ids = memory->tokens(n, s.vocab),
                                         .dy = memory->uniform(n * h),
                                         .d_token = memory->filled(table, 0),
                                         .d_position = memory->filled(positions, 0)};
        // Every iteration adds to both gradients.
        const auto times = std::make_shared<int64_t>(0);
        const auto check = [a, times, table, positions] {
          std::vector<float> d_token(static_cast<size_t>(table)),
              d_position(static_cast<size_t>(positions));
          EmbeddingBackward<float> b = a;
          b.d_token = d_token.data(), b.d_position = d_position.data();
          reference_embedding_backward(b);
          const double error = worse(
              relative_error({a.d_token, d_token.size()}, accumulated(d_token, *times)),
              relative_error({a.d_position, d_position.size()}, accumulated(d_position, *times)));
          // A token that occurs often is added to several times an iteration.
          const double tolerance =
              sum_tolerance<float>(a.n) + accumulation_tolerance(*times * (a.n / a.seq + 1));
          return judged(error, tolerance, "d_token, d_position");
        };
        return Running{.run = [a, s, times, &c] { s.ops->embedding_backward(c, a), ++*times; },
                       .check = check};
      });
}

// Both passes of the loss, on logits that stay as they are: forward values and gradient in one
// case.
sdk::Case cross_entropy(const Setting& s) {
  const int64_t n = s.n(), v = s.padded_vocab;
  return op_case("gpt2.cross_entropy.fwd_bwd", s, 0, 3.0 * static_cast<double>(n * v),
                 {{"n", static_cast<double>(n)}, {"cols", static_cast<double>(v)}},
                 [n, v, s](const Context& c, const auto& memory) {
                   const float* logits = memory->uniform(n * v);
                   const int32_t* targets = memory->tokens(n, s.vocab);
                   float* row_max = memory->filled(n, NAN);
                   float* sums = memory->filled(2 * n, NAN);
                   const CrossEntropyForward<float> forward{.n = n,
                                                            .cols = v,
                                                            .first_col = 0,
                                                            .true_vocab = s.vocab,
                                                            .logits = logits,
                                                            .targets = targets,
                                                            .local_max = row_max,
                                                            .sum_and_target = sums};
                   const CrossEntropyGrad<float> grad{.n = n,
                                                      .cols = v,
                                                      .first_col = 0,
                                                      .true_vocab = s.vocab,
                                                      .scale = 1.0F,
                                                      .logits = logits,
                                                      .row_max = row_max,
                                                      .sum_and_target = sums,
                                                      .targets = targets,
                                                      .loss = memory->filled(n, NAN),
                                                      .d_logits = memory->filled(n * v, NAN)};
                   const auto check = [grad] {
                     // The first rows, from the oracle's own passes.
                     const int64_t rows = std::min<int64_t>(grad.n, 16);
                     const auto part = static_cast<size_t>(rows);
                     std::vector<float> top(part), both(2 * part), loss(part),
                         d_logits(part * static_cast<size_t>(grad.cols));
                     reference_cross_entropy_forward<float>({.n = rows,
                                                             .cols = grad.cols,
                                                             .first_col = 0,
                                                             .true_vocab = grad.true_vocab,
                                                             .logits = grad.logits,
                                                             .targets = grad.targets,
                                                             .local_max = top.data(),
                                                             .sum_and_target = both.data()});
                     reference_cross_entropy_grad<float>({.n = rows,
                                                          .cols = grad.cols,
                                                          .first_col = 0,
                                                          .true_vocab = grad.true_vocab,
                                                          .scale = grad.scale,
                                                          .logits = grad.logits,
                                                          .row_max = top.data(),
                                                          .sum_and_target = both.data(),
                                                          .targets = grad.targets,
                                                          .loss = loss.data(),
                                                          .d_logits = d_logits.data()});
                     return judged(
                         worse(relative_error({grad.loss, part}, loss),
                               relative_error({grad.d_logits, d_logits.size()}, d_logits)),
                         cross_entropy_tolerance<float>(grad.cols), "loss and d_logits of 16 rows");
                   };
                   return Running{.run =
                                      [forward, grad, s, &c] {
                                        s.ops->cross_entropy_forward(c, forward);
                                        s.ops->cross_entropy_grad(c, grad);
                                      },
                                  .check = check};
                 });
}

}  // namespace

void add_row_cases(const Setting& s, std::vector<sdk::Case>& all) {
  for (auto make : {embedding_forward, embedding_backward, layer_norm_forward, layer_norm_backward,
                    gelu_forward, gelu_backward, add, cross_entropy})
    all.push_back(make(s));
}

}  // namespace bench::kernel_cases
