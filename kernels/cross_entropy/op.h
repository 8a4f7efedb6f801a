#pragma once
// Vocabulary-parallel cross entropy (Shoeybi 2019, section 3): row maximum, then sum of
// exponentials and the target's logit, then loss and gradient; the caller reduces over ranks
// between the passes.

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
int64_t valid_columns(const Args& a) {
  return std::clamp<int64_t>(a.true_vocab - a.first_col, 0, a.cols);
}

// The target's column here, or -1.
template <class Args>
int64_t target_column(const Args& a, int64_t r) {
  const int64_t column = a.targets[r] - a.first_col;
  return column >= 0 && column < valid_columns(a) ? column : -1;
}

template <class T>
void reference_cross_entropy_max(const CrossEntropyMax<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    Wide<T> most = -std::numeric_limits<Wide<T>>::infinity();
    for (int64_t c = 0; c < valid_columns(a); ++c) {
      most = std::max<Wide<T>>(most, a.logits[r * a.cols + c]);
    }
    a.row_max[r] = most;
  }
}

template <class T>
void reference_cross_entropy_sum(const CrossEntropySum<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    const auto shifted = [&](int64_t c) {
      return static_cast<double>(a.logits[r * a.cols + c]) - a.row_max[r];
    };
    double sum = 0;
    for (int64_t c = 0; c < valid_columns(a); ++c) sum += std::exp(shifted(c));
    const int64_t target = target_column(a, r);
    a.sum_and_target[r] = static_cast<Wide<T>>(sum);
    a.sum_and_target[a.n + r] = static_cast<Wide<T>>(target >= 0 ? shifted(target) : 0);
  }
}

template <class T>
void reference_cross_entropy_grad(const CrossEntropyGrad<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    const double sum = a.sum_and_target[r];
    a.loss[r] = static_cast<Wide<T>>(std::log(sum) - a.sum_and_target[a.n + r]);
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

template <class T>
double cross_entropy_tolerance(int64_t cols) {
  return 2 * sum_tolerance<T>(cols);
}

namespace cpu {

// T is float, double or bfloat16.
template <class T>
void cross_entropy_max(const Context&, const CrossEntropyMax<T>&);
template <class T>
void cross_entropy_sum(const Context&, const CrossEntropySum<T>&);
template <class T>
void cross_entropy_grad(const Context&, const CrossEntropyGrad<T>&);

}  // namespace cpu
}  // namespace bench::kernels
