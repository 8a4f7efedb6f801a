// embedding, layer_norm, cross_entropy.
#include <fmt/format.h>

#include <cmath>

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
  int32_t vocab;          // of the ids
  bool frequent = false;  // small ids occur more often
};
// Some hold a part of the vocabulary: tokens of other ranks occur.
std::vector<EmbeddingShape> embeddings(Scale scale) {
  if (scale == Scale::kModel)
    return {{2, 1024, 768, 0, 10003, true, 10003},
            {3, 512, 1600, 5000, 5003, false, 10003},
            {300, 1024, 8, 0, 50304, true, 50257},
            {300, 1024, 12, 0, 50304, true, 50257, true},
            {257, 1021, 5, 100, 20000, true, 50257, true}};
  return {{1, 1, 1, 0, 30, true, 30},     {2, 3, 17, 0, 30, true, 30},
          {3, 17, 127, 10, 10, true, 30}, {2, 127, 1023, 20, 10, false, 30},
          {2, 3, 128, 0, 30, true, 30},   {9, 64, 12, 0, 30, true, 30, true}};
}

// As frequent as words are: rank r about as often as 1 / (r + 1) says (Zipf 1949).
std::vector<int32_t> ids_of(const EmbeddingShape& s) {
  auto ids = random_ids(s.batch * s.seq, 0, s.vocab, 18);
  if (!s.frequent) return ids;
  for (int32_t& id : ids) {
    id = static_cast<int32_t>(std::pow(s.vocab, static_cast<double>(id) / s.vocab)) - 1;
  }
  return ids;
}

struct RowShape {
  int64_t n, h;
};
std::vector<RowShape> rows(Scale scale) {
  if (scale == Scale::kModel) return {{4099, 768}, {1025, 1600}, {33, 4096}};
  return {{1, 1}, {1, 3}, {3, 17}, {17, 127}, {127, 64}, {5, 1023}, {3, 1600}, {4, 2048}};
}

struct VocabularyShape {
  int64_t n, cols, first_col, true_vocab;
};
// Whole, a shard within, a shard with padding, a shard of padding only.
std::vector<VocabularyShape> vocabularies(Scale scale) {
  if (scale == Scale::kModel) return {{129, 50304, 0, 50257}, {65, 25152, 25152, 50257}};
  return {{1, 1, 0, 1},          {3, 17, 0, 17},      {5, 127, 127, 500},
          {3, 1023, 1023, 1500}, {17, 1024, 0, 1000}, {2, 17, 34, 20}};
}

template <class T>
void add_layer_norm_forward(Cases& cases, const Ops<T>& ops, RowShape s, bool residual) {
  const auto x = random_values<T>(s.n * s.h, 1), before = random_values<T>(s.n * s.h, 2);
  const auto gamma = random_values<T>(s.h, 3), beta = random_values<T>(s.h, 4);
  const double tight = layer_norm_tolerance<Wide<T>>(s.n, s.h);
  std::vector<Output> outputs{written<T>(s.n * s.h), written<Wide<T>>(s.n, residual ? NAN : tight),
                              written<Wide<T>>(s.n, residual ? NAN : tight)};
  if (residual) outputs.push_back(changed(before));
  cases.push_back(make_case<LayerNormForward<T>>(
      fmt::format("forward {} x {}{}", s.n, s.h, residual ? " residual" : ""),
      layer_norm_tolerance<T>(s.n, s.h), outputs, ops.layer_norm_forward,
      reference_layer_norm_forward<T>, [=](const Addresses& out) {
        return LayerNormForward<T>{.n = s.n,
                                   .h = s.h,
                                   .eps = Wide<T>(1e-5),
                                   .x = x.data(),
                                   .residual = residual ? static_cast<const T*>(out[3]) : nullptr,
                                   .sum = residual ? static_cast<T*>(out[3]) : nullptr,
                                   .gamma = gamma.data(),
                                   .beta = beta.data(),
                                   .y = out[0],
                                   .mean = out[1],
                                   .rstd = out[2],
                                   .stream_out = !residual};
      }));
}

template <class T>
void add_layer_norm_backward(Cases& cases, const Ops<T>& ops, RowShape s, bool residual) {
  const auto x = random_values<T>(s.n * s.h, 5), dy = random_values<T>(s.n * s.h, 6);
  using W = Wide<T>;
  const auto gamma = random_values<T>(s.h, 7);
  const auto mean = random_values<W>(s.n, 8);
  auto rstd = random_values<W>(s.n, 9);
  for (W& r : rstd) r += 2;
  const double tight = layer_norm_tolerance<W>(s.n, s.h);
  std::vector<Output> outputs{written<T>(s.n * s.h), changed(random_values<W>(s.h, 10), tight),
                              changed(random_values<W>(s.h, 11), tight)};
  if (residual) outputs[0] = changed(random_values<T>(s.n * s.h, 12));
  cases.push_back(make_case<LayerNormBackward<T>>(
      fmt::format("backward {} x {}{}", s.n, s.h, residual ? " residual in place" : ""),
      layer_norm_tolerance<T>(s.n, s.h), outputs, ops.layer_norm_backward,
      reference_layer_norm_backward<T>, [=](const Addresses& out) {
        return LayerNormBackward<T>{
            .n = s.n,
            .h = s.h,
            .dy = dy.data(),
            .x = x.data(),
            .gamma = gamma.data(),
            .mean = mean.data(),
            .rstd = rstd.data(),
            .d_residual = residual ? static_cast<const T*>(out[0]) : nullptr,
            .dx = out[0],
            .d_gamma = out[1],
            .d_beta = out[2],
            .stream_out = !residual};
      }));
}

template <class T>
void add_cross_entropy_forward(Cases& cases, const Ops<T>& ops, VocabularyShape s) {
  auto logits = random_values<T>(s.n * s.cols, 13);
  // Far from zero, and the largest last: what was summed before is rescaled.
  for (T& x : logits) x = T(x * 5 + 100);
  logits.back() = T(110);
  const auto targets = random_ids(s.n, 0, static_cast<int32_t>(s.true_vocab), 14);
  const auto shape = fmt::format("{} x {} from {} of {}", s.n, s.cols, s.first_col, s.true_vocab);
  using W = Wide<T>;
  cases.push_back(make_case<CrossEntropyForward<T>>(
      "forward " + shape, cross_entropy_tolerance<W>(s.cols),
      {written<W>(s.n, 0), written<W>(2 * s.n)}, ops.cross_entropy_forward,
      reference_cross_entropy_forward<T>, [=](const Addresses& out) {
        return CrossEntropyForward<T>{.n = s.n,
                                      .cols = s.cols,
                                      .first_col = s.first_col,
                                      .true_vocab = s.true_vocab,
                                      .logits = logits.data(),
                                      .targets = targets.data(),
                                      .local_max = out[0],
                                      .sum_and_target = out[1]};
      }));
  auto sums = random_values<W>(s.n, 24), local_max = random_values<W>(s.n, 25);
  for (W& x : sums) x += 2;
  // A rank of padding only: nothing summed, no maximum.
  sums.back() = 0;
  local_max.back() = -std::numeric_limits<W>::infinity();
  const std::vector<W> row_max(s.n, W(1.5));
  cases.push_back(make_case<CrossEntropyRescale<T>>(
      "rescale " + shape, kElementTolerance<W>, {changed(sums)}, ops.cross_entropy_rescale,
      reference_cross_entropy_rescale<T>, [=](const Addresses& out) {
        return CrossEntropyRescale<T>{
            .n = s.n, .local_max = local_max.data(), .row_max = row_max.data(), .sum = out[0]};
      }));
}

enum class Gradient { kBeside, kInPlace, kNone };

template <class T>
void add_cross_entropy_grad(Cases& cases, const Ops<T>& ops, VocabularyShape s, Gradient kind) {
  const auto logits = random_values<T>(s.n * s.cols, 15);
  const std::vector<Wide<T>> row_max(s.n, Wide<T>(1.5));
  const auto targets = random_ids(s.n, 0, static_cast<int32_t>(s.true_vocab), 16);
  auto sums = random_values<Wide<T>>(2 * s.n, 17);
  for (int64_t r = 0; r < s.n; ++r) sums[r] += static_cast<Wide<T>>(s.cols) / 4 + 2;
  std::vector<Output> outputs{written<Wide<T>>(s.n, cross_entropy_tolerance<Wide<T>>(s.cols))};
  if (kind != Gradient::kNone) outputs.push_back(written<T>(s.n * s.cols));
  if (kind == Gradient::kInPlace) outputs[1] = changed(logits);
  cases.push_back(make_case<CrossEntropyGrad<T>>(
      fmt::format("grad {} x {} from {} of {} way {}", s.n, s.cols, s.first_col, s.true_vocab,
                  static_cast<int>(kind)),
      cross_entropy_tolerance<T>(s.cols), outputs, ops.cross_entropy_grad,
      reference_cross_entropy_grad<T>, [=](const Addresses& out) {
        return CrossEntropyGrad<T>{
            .n = s.n,
            .cols = s.cols,
            .first_col = s.first_col,
            .true_vocab = s.true_vocab,
            .scale = Wide<T>(0.125),
            .logits = kind == Gradient::kInPlace ? static_cast<const T*>(out[1]) : logits.data(),
            .row_max = row_max.data(),
            .sum_and_target = sums.data(),
            .targets = targets.data(),
            .loss = out[0],
            .d_logits = kind == Gradient::kNone ? nullptr : static_cast<T*>(out[1]),
            .stream_out = kind == Gradient::kBeside};
      }));
}

struct WholeVocabulary {
  int64_t n, cols, true_vocab;
};
// Without padding and with some, from within a pack of columns on or several; more rows than a GPU
// takes at once.
std::vector<WholeVocabulary> whole_vocabularies(Scale scale) {
  if (scale == Scale::kModel)
    return {{17, 50304, 50257}, {700, 8192, 8001}, {3, 50257, 50257}, {2, 130000, 129999}};
  return {{1, 1, 1},       {2, 3, 3},        {3, 17, 17},   {3, 16, 3},  {2, 1023, 1023},
          {5, 1024, 1000}, {17, 1040, 1021}, {700, 64, 50}, {9, 16, 16}, {3, 4104, 4099}};
}

template <class T>
void add_cross_entropy(Cases& cases, const Ops<T>& ops, WholeVocabulary s, Gradient kind) {
  auto logits = random_values<T>(s.n * s.cols, 26);
  // Far from zero, and the largest last.
  for (T& x : logits) x = T(x * 5 + 100);
  logits[s.true_vocab - 1] = T(110);
  // Padding that is read would be the maximum.
  for (int64_t i = 0; i < s.n * s.cols; ++i)
    if (i % s.cols >= s.true_vocab) logits[i] = T(1000);
  const auto targets = random_ids(s.n, 0, static_cast<int32_t>(s.true_vocab), 27);
  std::vector<Output> outputs{written<Wide<T>>(s.n, cross_entropy_tolerance<Wide<T>>(s.cols))};
  if (kind != Gradient::kNone) outputs.push_back(written<T>(s.n * s.cols));
  if (kind == Gradient::kInPlace) outputs[1] = changed(logits);
  cases.push_back(make_case<CrossEntropy<T>>(
      fmt::format("whole {} x {} of {} way {}", s.n, s.cols, s.true_vocab, static_cast<int>(kind)),
      cross_entropy_tolerance<T>(s.cols), outputs, ops.cross_entropy, reference_cross_entropy<T>,
      [=](const Addresses& out) {
        return CrossEntropy<T>{
            .n = s.n,
            .cols = s.cols,
            .true_vocab = s.true_vocab,
            .scale = Wide<T>(0.125),
            .logits = kind == Gradient::kInPlace ? static_cast<const T*>(out[1]) : logits.data(),
            .targets = targets.data(),
            .loss = out[0],
            .d_logits = kind == Gradient::kNone ? nullptr : static_cast<T*>(out[1]),
            .stream_out = kind == Gradient::kBeside};
      }));
}

}  // namespace

template <class T>
Cases embedding_cases(const Ops<T>& ops, Scale scale) {
  Cases cases;
  for (const auto& s : embeddings(scale)) {
    const int64_t n = s.batch * s.seq;
    const auto ids = ids_of(s);
    const auto token = random_values<T>(s.rows * s.h, 19), dy = random_values<T>(n * s.h, 20);
    const auto position = random_values<T>(s.seq * s.h, 21);
    const auto name = fmt::format("{} x {} x {}", s.batch, s.seq, s.h);
    cases.push_back(make_case<EmbeddingForward<T>>(
        "forward " + name, kEmbeddingTolerance<T>, {written<T>(n * s.h)}, ops.embedding_forward,
        reference_embedding_forward<T>, [=](const Addresses& out) {
          return EmbeddingForward<T>{.n = n,
                                     .h = s.h,
                                     .seq = s.seq,
                                     .first_row = s.first_row,
                                     .rows = s.rows,
                                     .ids = ids.data(),
                                     .token = token.data(),
                                     .position = s.position ? position.data() : nullptr,
                                     .y = out[0],
                                     .stream_out = true};
        }));
    const auto d_token = random_values<Wide<T>>(s.rows * s.h, 22);
    const auto d_position = random_values<Wide<T>>(s.seq * s.h, 23);
    std::vector<Output> outputs{changed(d_token)};
    if (s.position) outputs.push_back(changed(d_position));
    cases.push_back(make_case<EmbeddingBackward<T>>(
        "backward " + name, s.frequent ? sum_tolerance<Wide<T>>(n) : kEmbeddingTolerance<Wide<T>>,
        outputs, ops.embedding_backward, reference_embedding_backward<T>,
        [=](const Addresses& out) {
          return EmbeddingBackward<T>{
              .n = n,
              .h = s.h,
              .seq = s.seq,
              .first_row = s.first_row,
              .rows = s.rows,
              .ids = ids.data(),
              .dy = dy.data(),
              .d_token = out[0],
              .d_position = s.position ? static_cast<Wide<T>*>(out[1]) : nullptr};
        }));
  }
  return cases;
}

template <class T>
Cases layer_norm_cases(const Ops<T>& ops, Scale scale) {
  Cases cases;
  for (const auto& s : rows(scale)) {
    for (const bool residual : {false, true}) {
      add_layer_norm_forward(cases, ops, s, residual);
      add_layer_norm_backward(cases, ops, s, residual);
    }
  }
  return cases;
}

template <class T>
Cases cross_entropy_cases(const Ops<T>& ops, Scale scale) {
  Cases cases;
  for (const auto& s : vocabularies(scale)) {
    add_cross_entropy_forward(cases, ops, s);
    for (const auto kind : {Gradient::kBeside, Gradient::kInPlace, Gradient::kNone}) {
      add_cross_entropy_grad(cases, ops, s, kind);
    }
  }
  for (const auto& s : whole_vocabularies(scale)) {
    for (const auto kind : {Gradient::kBeside, Gradient::kInPlace, Gradient::kNone}) {
      add_cross_entropy(cases, ops, s, kind);
    }
  }
  return cases;
}

template Cases embedding_cases(const Ops<float>&, Scale);
template Cases embedding_cases(const Ops<double>&, Scale);
template Cases embedding_cases(const Ops<bfloat16>&, Scale);
template Cases layer_norm_cases(const Ops<float>&, Scale);
template Cases layer_norm_cases(const Ops<double>&, Scale);
template Cases layer_norm_cases(const Ops<bfloat16>&, Scale);
template Cases cross_entropy_cases(const Ops<float>&, Scale);
template Cases cross_entropy_cases(const Ops<double>&, Scale);
template Cases cross_entropy_cases(const Ops<bfloat16>&, Scale);

}  // namespace bench::kernels::test
