// Vector code of the element-wise ops, read once for each instruction set.
#include "kernels/cpu/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

template <class T>
void add_part(const Add<T>& a, const Part& part) {
  const auto add = [](auto, int64_t, auto y, auto x) HWY_ATTR { return hn::Add(y, x); };
  T* const y = a.y + part.begin;
  map_pairs<T>(part.end - part.begin, y, add, y, a.x + part.begin);
}

template <class D>
HWY_INLINE hn::Vec<D> load_as_double(D d, const double* from) {
  return load(d, from);
}

template <class D>
HWY_INLINE hn::Vec<D> load_as_double(D d, const float* from) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, D>(), from));
}

template <class T>
double squares_part(const SumOfSquares<T>& a, const Part& part) {
  return sum_of<double>(part.begin, part.end, [&](auto d, int64_t i) HWY_ATTR {
    const auto x = load_as_double(d, a.x + i);
    return hn::Mul(x, x);
  });
}

template <class T>
double sum_part(const Sum<T>& a, const Part& part) {
  return sum_of<double>(part.begin, part.end,
                        [&](auto d, int64_t i) HWY_ATTR { return load_as_double(d, a.x + i); });
}

template <class T>
ElementwiseParts<T> elementwise_parts() {
  return {add_part<T>, squares_part<T>, sum_part<T>};
}

inline ElementwiseTables elementwise_tables() {
  return {elementwise_parts<float>(), elementwise_parts<double>(), elementwise_parts<bfloat16>()};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
