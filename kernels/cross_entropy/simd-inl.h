// Vector code of cross entropy, read once for each instruction set.
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

template <class T>
void cross_entropy_max_part(const CrossEntropyMax<T>& a, const Part& part) {
  const int64_t valid = valid_columns(a);
  for (int64_t r = part.begin; r < part.end; ++r) {
    const T* const row = a.logits + r * a.cols;
    a.row_max[r] =
        max_of<Wide<T>>(0, valid, [&](auto d, int64_t i) HWY_ATTR { return load(d, row + i); });
  }
}

template <class T>
void cross_entropy_sum_part(const CrossEntropySum<T>& a, const Part& part) {
  const int64_t valid = valid_columns(a);
  for (int64_t r = part.begin; r < part.end; ++r) {
    const T* const row = a.logits + r * a.cols;
    const Wide<T> most = a.row_max[r];
    a.sum_and_target[r] = sum_of<Wide<T>>(0, valid, [&](auto d, int64_t i) HWY_ATTR {
      return exp_of(d, hn::Sub(load(d, row + i), hn::Set(d, most)));
    });
    const int64_t target = target_column(a, r);
    a.sum_and_target[a.n + r] = target >= 0 ? row[target] - most : Wide<T>(0);
  }
}

template <class T>
void cross_entropy_grad_part(const CrossEntropyGrad<T>& a, const Part& part) {
  const int64_t valid = valid_columns(a);
  for (int64_t r = part.begin; r < part.end; ++r) {
    const Wide<T> sum = a.sum_and_target[r], most = a.row_max[r];
    a.loss[r] = std::log(sum) - a.sum_and_target[a.n + r];
    if (a.d_logits == nullptr) continue;
    const T* const row = a.logits + r * a.cols;
    const int64_t target = target_column(a, r);
    const Wide<T> target_logit = target >= 0 ? Wide<T>(row[target]) : Wide<T>(0);
    T* const grad = a.d_logits + r * a.cols;
    const Wide<T> factor = a.scale / sum;
    for_vectors<T>(0, valid, [&](auto d, int64_t i) HWY_ATTR {
      const auto p = exp_of(d, hn::Sub(load(d, row + i), hn::Set(d, most)));
      store(hn::Mul(p, hn::Set(d, factor)), d, grad + i);
    });
    std::fill(grad + valid, grad + a.cols, T(0));
    if (target < 0) continue;
    const Wide<T> p = std::exp(target_logit - most) * factor;
    grad[target] = static_cast<T>(p - a.scale);
  }
}

inline CrossEntropyTables cross_entropy_tables() {
  return {{cross_entropy_max_part<float>, cross_entropy_sum_part<float>,
           cross_entropy_grad_part<float>},
          {cross_entropy_max_part<double>, cross_entropy_sum_part<double>,
           cross_entropy_grad_part<double>},
          {cross_entropy_max_part<bfloat16>, cross_entropy_sum_part<bfloat16>,
           cross_entropy_grad_part<bfloat16>}};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
