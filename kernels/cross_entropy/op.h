#pragma once
// Vocabulary-parallel cross entropy (Shoeybi 2019, section 3): row maximum, sum of exponentials and
// the target's logit in one pass (online rescaling, Milakov 2018), then loss and gradient; the
// caller reduces over ranks in between. Two reads and one write of the logits in all; where one
// rank has all columns, CrossEntropy does it row by row.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/rounding.h"

namespace bench::kernels {

// How many of the columns here are real tokens.
template <class Args>
constexpr int64_t valid_columns(const Args& a) {
  const int64_t columns = a.true_vocab - a.first_col;
  return columns < 0 ? 0 : columns < a.cols ? columns : a.cols;
}

// The target's column here, or -1.
template <class Args>
constexpr int64_t target_column(const Args& a, int64_t r) {
  const int64_t column = a.targets[r] - a.first_col;
  return column >= 0 && column < valid_columns(a) ? column : -1;
}

template <class T>
void reference_cross_entropy_forward(const CrossEntropyForward<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    const T* const row = a.logits + r * a.cols;
    Wide<T> most = -std::numeric_limits<Wide<T>>::infinity();
    for (int64_t c = 0; c < valid_columns(a); ++c) most = std::max<Wide<T>>(most, row[c]);
    double sum = 0;
    for (int64_t c = 0; c < valid_columns(a); ++c) {
      sum += std::exp(static_cast<double>(row[c]) - most);
    }
    const int64_t target = target_column(a, r);
    a.local_max[r] = most;
    a.sum_and_target[r] = static_cast<Wide<T>>(sum);
    a.sum_and_target[a.n + r] = target >= 0 ? Wide<T>(row[target]) : Wide<T>(0);
  }
}

template <class T>
void reference_cross_entropy_rescale(const CrossEntropyRescale<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    const double shift = static_cast<double>(a.local_max[r]) - a.row_max[r];
    a.sum[r] = static_cast<Wide<T>>(a.sum[r] * std::exp(shift));
  }
}

template <class T>
void reference_cross_entropy_grad(const CrossEntropyGrad<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    const double sum = a.sum_and_target[r];
    const double from_max = static_cast<double>(a.row_max[r]) - a.sum_and_target[a.n + r];
    a.loss[r] = static_cast<Wide<T>>(std::log(sum) + from_max);
    if (a.d_logits == nullptr) continue;
    const int64_t valid = valid_columns(a), target = target_column(a, r);
    for (int64_t c = 0; c < a.cols; ++c) {
      const int64_t i = r * a.cols + c;
      const double p =
          c < valid ? std::exp(a.logits[i] - static_cast<double>(a.row_max[r])) / sum : 0;
      a.d_logits[i] = static_cast<T>((p - (c == target ? 1 : 0)) * a.scale);
    }
  }
}

// Rows [first, first + count) as the parallel form takes them.
template <class T>
CrossEntropyForward<T> forward_of(const CrossEntropy<T>& a, int64_t first, int64_t count,
                                  Wide<T>* row_max, Wide<T>* sum_and_target) {
  return {.n = count,
          .cols = a.cols,
          .first_col = 0,
          .true_vocab = a.true_vocab,
          .logits = a.logits + first * a.cols,
          .targets = a.targets + first,
          .local_max = row_max,
          .sum_and_target = sum_and_target};
}

template <class T>
CrossEntropyGrad<T> grad_of(const CrossEntropy<T>& a, int64_t first, int64_t count,
                            const Wide<T>* row_max, const Wide<T>* sum_and_target) {
  return {.n = count,
          .cols = a.cols,
          .first_col = 0,
          .true_vocab = a.true_vocab,
          .scale = a.scale,
          .logits = a.logits + first * a.cols,
          .row_max = row_max,
          .sum_and_target = sum_and_target,
          .targets = a.targets + first,
          .loss = a.loss + first,
          .d_logits = a.d_logits == nullptr ? nullptr : a.d_logits + first * a.cols,
          .stream_out = a.stream_out};
}

template <class T>
void reference_cross_entropy(const CrossEntropy<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    Wide<T> most = 0, sum_and_target[2] = {};
    reference_cross_entropy_forward(forward_of(a, r, 1, &most, sum_and_target));
    reference_cross_entropy_grad(grad_of(a, r, 1, &most, sum_and_target));
  }
}

template <class T>
double cross_entropy_tolerance(int64_t cols) {
  return 2 * sum_tolerance<T>(cols) + kApproximation<T>;
}

namespace cpu {

// T is float, double or bfloat16.
template <class T>
void cross_entropy(const Context&, const CrossEntropy<T>&);
template <class T>
void cross_entropy_forward(const Context&, const CrossEntropyForward<T>&);
template <class T>
void cross_entropy_rescale(const Context&, const CrossEntropyRescale<T>&);
template <class T>
void cross_entropy_grad(const Context&, const CrossEntropyGrad<T>&);

}  // namespace cpu
}  // namespace bench::kernels
