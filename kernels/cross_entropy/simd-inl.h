// Vector code of cross entropy, read once for each instruction set.
#include "kernels/cpu/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// Columns whose maximum is taken before their exponentials; a multiple of every step, few enough
// that they are still in the first cache then.
constexpr int64_t kCrossEntropyBlock = 1024;

template <class T>
HWY_INLINE Wide<T> block_max(const T* row, int64_t size) {
  return max_of<Wide<T>>(0, size, [row](auto d, int64_t i) HWY_ATTR { return load(d, row + i); });
}

// Sum of exp(x - shift) over a block, while the maximum of the next one is taken: memory and
// arithmetic are busy at the same time.
template <class T>
struct BlockSum {
  Wide<T> sum, next_max;
};

template <class T>
HWY_INLINE BlockSum<T> exp_sum_and_next_max(const T* block, int64_t size, int64_t next_size,
                                            Wide<T> shift) {
  using W = Wide<T>;
  using Exp2 =
      std::conditional_t<std::is_same_v<T, bfloat16>, Exp2OfFourTerms, Exp2Constants<Wide<T>>>;
  const auto exponential = [shift](auto d, auto x) HWY_ATTR {
    return exp_with<Exp2>(d, hn::Sub(x, hn::Set(d, shift)));
  };
  const T* const next = block + size;
  const hn::ScalableTag<W> d;
  const int64_t step = pair_lanes<T>(), both = HWY_MIN(size, next_size) / step * step;
  auto sum_a = hn::Zero(d), sum_b = sum_a;
  auto max_a = hn::Set(d, -std::numeric_limits<W>::infinity()), max_b = max_a;
  for (int64_t i = 0; i < both; i += step) {
    const auto later = load_pair(d, next + i), now = load_pair(d, block + i);
    max_a = hn::Max(max_a, later.a);
    max_b = hn::Max(max_b, later.b);
    sum_a = hn::Add(sum_a, exponential(d, now.a));
    sum_b = hn::Add(sum_b, exponential(d, now.b));
  }
  const auto add = [&](auto tag, int64_t, auto* sums, auto x)
                       HWY_ATTR { sums[0] = hn::Add(sums[0], exponential(tag, x)); };
  const W rest = sum_pairs<T, 1>(size - both, add, Nothing(), block + both)[0];
  const W most = hn::GetLane(hn::MaxOfLanes(d, hn::Max(max_a, max_b)));
  return {hn::GetLane(hn::SumOfLanes(d, hn::Add(sum_a, sum_b))) + rest,
          std::max(most, block_max(next + both, next_size - both))};
}

// One row's maximum and sum of exponentials relative to it, read once. A NaN is in the sum,
// whatever the maxima make of it.
template <class T>
HWY_INLINE void cross_entropy_row(const T* row, int64_t valid, Wide<T>* row_max, Wide<T>* row_sum) {
  using W = Wide<T>;
  constexpr W kNone = -std::numeric_limits<W>::infinity();
  const auto size_at = [valid](int64_t c) {
    return HWY_MAX(int64_t{0}, HWY_MIN(valid - c, kCrossEntropyBlock));
  };
  W most = kNone, sum = 0, next = block_max(row, size_at(0));
  for (int64_t c = 0; c < valid; c += kCrossEntropyBlock) {
    if (next > most) {
      sum *= std::exp(most - next);
      most = next;
    }
    // Where all are -inf so far, -inf must not be taken from them.
    const auto block = exp_sum_and_next_max(row + c, size_at(c), size_at(c + kCrossEntropyBlock),
                                            most == kNone ? W(0) : most);
    sum += block.sum;
    next = block.next_max;
  }
  *row_max = most;
  *row_sum = sum;
}

template <class T>
void cross_entropy_forward_part(const CrossEntropyForward<T>& a, const Part& part) {
  for (int64_t r = part.begin; r < part.end; ++r) {
    const T* const row = a.logits + r * a.cols;
    cross_entropy_row(row, valid_columns(a), a.local_max + r, a.sum_and_target + r);
    const int64_t target = target_column(a, r);
    a.sum_and_target[a.n + r] = target >= 0 ? Wide<T>(row[target]) : Wide<T>(0);
  }
}

// The gradient of row r; the target's element is the only one that is not its probability.
template <class T, bool kStream>
HWY_INLINE void cross_entropy_grad_row(const CrossEntropyGrad<T>& a, int64_t r, int64_t valid) {
  const T* const row = a.logits + r * a.cols;
  T* const grad = a.d_logits + r * a.cols;
  const int64_t target = target_column(a, r);
  const Wide<T> most = a.row_max[r], factor = a.scale / a.sum_and_target[r];
  const Wide<T> at_target = target >= 0 ? Wide<T>(row[target]) : Wide<T>(0);
  const auto probability = [most, factor](auto d, int64_t, auto x) HWY_ATTR {
    const auto shifted = hn::Sub(x, hn::Set(d, most));
    return hn::Mul(exp_with<typename Precision<T>::Exp2>(d, shifted), hn::Set(d, factor));
  };
  map_pairs<T, kStream>(valid, grad, probability, Nothing(), row);
  std::fill(grad + valid, grad + a.cols, T(0));
  if (target >= 0) grad[target] = static_cast<T>(std::exp(at_target - most) * factor - a.scale);
}

template <class T>
void cross_entropy_grad_part(const CrossEntropyGrad<T>& a, const Part& part, bool stream) {
  const int64_t valid = valid_columns(a);
  for (int64_t r = part.begin; r < part.end; ++r) {
    const Wide<T> from_max = a.row_max[r] - a.sum_and_target[a.n + r];
    a.loss[r] = std::log(a.sum_and_target[r]) + from_max;
    if (a.d_logits == nullptr) continue;
    if (stream) {
      cross_entropy_grad_row<T, true>(a, r, valid);
    } else {
      cross_entropy_grad_row<T, false>(a, r, valid);
    }
  }
  if (stream) hwy::FlushStream();
}

inline CrossEntropyTables cross_entropy_tables() {
  return {{cross_entropy_forward_part<float>, cross_entropy_grad_part<float>},
          {cross_entropy_forward_part<double>, cross_entropy_grad_part<double>},
          {cross_entropy_forward_part<bfloat16>, cross_entropy_grad_part<bfloat16>}};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
