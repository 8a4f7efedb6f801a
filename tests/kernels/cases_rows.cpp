// embedding, layer_norm, cross_entropy.
#include <fmt/format.h>

#include "kernels/cross_entropy/op.h"
#include "kernels/embedding/op.h"
#include "kernels/layer_norm/op.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

struct EmbeddingShape {
  int64_t batch, seq, h, first_row, rows;
  bool position;
};
// The third and the fourth hold a part of the vocabulary 0..30: tokens of other ranks occur.
constexpr EmbeddingShape kEmbeddings[] = {{1, 1, 1, 0, 30, true},
                                          {2, 3, 17, 0, 30, true},
                                          {3, 17, 127, 10, 10, true},
                                          {2, 127, 1023, 20, 10, false}};

struct RowShape {
  int64_t n, h;
};
constexpr RowShape kRows[] = {{1, 1}, {1, 3}, {3, 17}, {17, 127}, {127, 64}, {5, 1023}, {3, 1600}};

struct VocabularyShape {
  int64_t n, cols, first_col, true_vocab;
};
// Whole, a shard within, a shard with padding, a shard of padding only.
constexpr VocabularyShape kVocabularies[] = {{1, 1, 0, 1},        {3, 17, 0, 17},
                                             {5, 127, 127, 500},  {3, 1023, 1023, 1500},
                                             {17, 1024, 0, 1000}, {2, 17, 34, 20}};

template <class T>
void add_layer_norm_forward(Cases<T>& cases, const Ops<T>& ops, RowShape s, bool residual) {
  const auto x = random_values<T>(s.n * s.h, 1), before = random_values<T>(s.n * s.h, 2);
  const auto gamma = random_values<T>(s.h, 3), beta = random_values<T>(s.h, 4);
  std::vector<Output<T>> outputs{written<T>(s.n * s.h), written<T>(s.n), written<T>(s.n)};
  if (residual) outputs.push_back(changed<T>(before));
  cases.push_back(make_case<T, LayerNormForward<T>>(
      fmt::format("forward {} x {}{}", s.n, s.h, residual ? " residual" : ""),
      layer_norm_tolerance<T>(s.n, s.h), outputs, ops.layer_norm_forward,
      reference_layer_norm_forward<T>, [=](const std::vector<T*>& out) {
        return LayerNormForward<T>{.n = s.n,
                                   .h = s.h,
                                   .eps = T(1e-5),
                                   .x = x.data(),
                                   .residual = residual ? out[3] : nullptr,
                                   .sum = residual ? out[3] : nullptr,
                                   .gamma = gamma.data(),
                                   .beta = beta.data(),
                                   .y = out[0],
                                   .mean = out[1],
                                   .rstd = out[2]};
      }));
}

template <class T>
void add_layer_norm_backward(Cases<T>& cases, const Ops<T>& ops, RowShape s, bool residual) {
  const auto x = random_values<T>(s.n * s.h, 5), dy = random_values<T>(s.n * s.h, 6);
  const auto gamma = random_values<T>(s.h, 7), mean = random_values<T>(s.n, 8);
  auto rstd = random_values<T>(s.n, 9);
  for (T& r : rstd) r += 2;
  std::vector<Output<T>> outputs{written<T>(s.n * s.h), changed<T>(random_values<T>(s.h, 10)),
                                 changed<T>(random_values<T>(s.h, 11))};
  if (residual) outputs[0].before = random_values<T>(s.n * s.h, 12);
  cases.push_back(make_case<T, LayerNormBackward<T>>(
      fmt::format("backward {} x {}{}", s.n, s.h, residual ? " residual in place" : ""),
      layer_norm_tolerance<T>(s.n, s.h), outputs, ops.layer_norm_backward,
      reference_layer_norm_backward<T>, [=](const std::vector<T*>& out) {
        return LayerNormBackward<T>{.n = s.n,
                                    .h = s.h,
                                    .dy = dy.data(),
                                    .x = x.data(),
                                    .gamma = gamma.data(),
                                    .mean = mean.data(),
                                    .rstd = rstd.data(),
                                    .d_residual = residual ? out[0] : nullptr,
                                    .dx = out[0],
                                    .d_gamma = out[1],
                                    .d_beta = out[2]};
      }));
}

template <class T>
void add_cross_entropy_sums(Cases<T>& cases, const Ops<T>& ops, VocabularyShape s) {
  const auto logits = random_values<T>(s.n * s.cols, 13);
  const std::vector<T> row_max(s.n, T(1.5));
  const auto targets = random_ids(s.n, 0, static_cast<int32_t>(s.true_vocab), 14);
  const auto shape = fmt::format("{} x {} from {} of {}", s.n, s.cols, s.first_col, s.true_vocab);
  cases.push_back(make_case<T, CrossEntropyMax<T>>(
      "max " + shape, 0, {written<T>(s.n)}, ops.cross_entropy_max, reference_cross_entropy_max<T>,
      [=](const std::vector<T*>& out) {
        return CrossEntropyMax<T>{.n = s.n,
                                  .cols = s.cols,
                                  .first_col = s.first_col,
                                  .true_vocab = s.true_vocab,
                                  .logits = logits.data(),
                                  .row_max = out[0]};
      }));
  cases.push_back(make_case<T, CrossEntropySum<T>>(
      "sum " + shape, cross_entropy_tolerance<T>(s.cols), {written<T>(2 * s.n)},
      ops.cross_entropy_sum, reference_cross_entropy_sum<T>, [=](const std::vector<T*>& out) {
        return CrossEntropySum<T>{.n = s.n,
                                  .cols = s.cols,
                                  .first_col = s.first_col,
                                  .true_vocab = s.true_vocab,
                                  .logits = logits.data(),
                                  .row_max = row_max.data(),
                                  .targets = targets.data(),
                                  .sum_and_target = out[0]};
      }));
}

enum class Gradient { kBeside, kInPlace, kNone };

template <class T>
void add_cross_entropy_grad(Cases<T>& cases, const Ops<T>& ops, VocabularyShape s, Gradient kind) {
  const auto logits = random_values<T>(s.n * s.cols, 15);
  const std::vector<T> row_max(s.n, T(1.5));
  const auto targets = random_ids(s.n, 0, static_cast<int32_t>(s.true_vocab), 16);
  auto sums = random_values<T>(2 * s.n, 17);
  for (int64_t r = 0; r < s.n; ++r) sums[r] += static_cast<T>(s.cols) / 4 + 2;
  std::vector<Output<T>> outputs{written<T>(s.n)};
  if (kind != Gradient::kNone) outputs.push_back(written<T>(s.n * s.cols));
  if (kind == Gradient::kInPlace) outputs[1].before = logits;
  cases.push_back(make_case<T, CrossEntropyGrad<T>>(
      fmt::format("grad {} x {} from {} of {} way {}", s.n, s.cols, s.first_col, s.true_vocab,
                  static_cast<int>(kind)),
      cross_entropy_tolerance<T>(s.cols), outputs, ops.cross_entropy_grad,
      reference_cross_entropy_grad<T>, [=](const std::vector<T*>& out) {
        return CrossEntropyGrad<T>{.n = s.n,
                                   .cols = s.cols,
                                   .first_col = s.first_col,
                                   .true_vocab = s.true_vocab,
                                   .scale = T(0.125),
                                   .logits = kind == Gradient::kInPlace ? out[1] : logits.data(),
                                   .row_max = row_max.data(),
                                   .sum_and_target = sums.data(),
                                   .targets = targets.data(),
                                   .loss = out[0],
                                   .d_logits = kind == Gradient::kNone ? nullptr : out[1]};
      }));
}

}  // namespace

template <class T>
Cases<T> embedding_cases(const Ops<T>& ops) {
  Cases<T> cases;
  for (const auto& s : kEmbeddings) {
    const int64_t n = s.batch * s.seq;
    const auto ids = random_ids(n, 0, 30, 18);
    const auto token = random_values<T>(s.rows * s.h, 19), dy = random_values<T>(n * s.h, 20);
    const auto position = random_values<T>(s.seq * s.h, 21);
    const auto name = fmt::format("{} x {} x {}", s.batch, s.seq, s.h);
    cases.push_back(make_case<T, EmbeddingForward<T>>(
        "forward " + name, kEmbeddingTolerance<T>, {written<T>(n * s.h)}, ops.embedding_forward,
        reference_embedding_forward<T>, [=](const std::vector<T*>& out) {
          return EmbeddingForward<T>{.n = n,
                                     .h = s.h,
                                     .seq = s.seq,
                                     .first_row = s.first_row,
                                     .rows = s.rows,
                                     .ids = ids.data(),
                                     .token = token.data(),
                                     .position = s.position ? position.data() : nullptr,
                                     .y = out[0]};
        }));
    std::vector<Output<T>> outputs{changed<T>(token)};
    if (s.position) outputs.push_back(changed<T>(position));
    cases.push_back(make_case<T, EmbeddingBackward<T>>(
        "backward " + name, kEmbeddingTolerance<T>, outputs, ops.embedding_backward,
        reference_embedding_backward<T>, [=](const std::vector<T*>& out) {
          return EmbeddingBackward<T>{.n = n,
                                      .h = s.h,
                                      .seq = s.seq,
                                      .first_row = s.first_row,
                                      .rows = s.rows,
                                      .ids = ids.data(),
                                      .dy = dy.data(),
                                      .d_token = out[0],
                                      .d_position = s.position ? out[1] : nullptr};
        }));
  }
  return cases;
}

template <class T>
Cases<T> layer_norm_cases(const Ops<T>& ops) {
  Cases<T> cases;
  for (const auto& s : kRows) {
    for (const bool residual : {false, true}) {
      add_layer_norm_forward(cases, ops, s, residual);
      add_layer_norm_backward(cases, ops, s, residual);
    }
  }
  return cases;
}

template <class T>
Cases<T> cross_entropy_cases(const Ops<T>& ops) {
  Cases<T> cases;
  for (const auto& s : kVocabularies) {
    add_cross_entropy_sums(cases, ops, s);
    for (const auto kind : {Gradient::kBeside, Gradient::kInPlace, Gradient::kNone}) {
      add_cross_entropy_grad(cases, ops, s, kind);
    }
  }
  return cases;
}

template Cases<float> embedding_cases(const Ops<float>&);
template Cases<double> embedding_cases(const Ops<double>&);
template Cases<float> layer_norm_cases(const Ops<float>&);
template Cases<double> layer_norm_cases(const Ops<double>&);
template Cases<float> cross_entropy_cases(const Ops<float>&);
template Cases<double> cross_entropy_cases(const Ops<double>&);

}  // namespace bench::kernels::test
