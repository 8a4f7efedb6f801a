// Exponentials of about 2e-7 (float) for the ops that take many: cheaper than Highway's, which is
// within 1 ulp. Read once for each instruction set.
#if defined(BENCH_KERNELS_CPU_EXP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BENCH_KERNELS_CPU_EXP_INL_H_
#undef BENCH_KERNELS_CPU_EXP_INL_H_
#else
#define BENCH_KERNELS_CPU_EXP_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
struct Exp2Constants;

// Minimax of the relative error over [-1/2, 1/2] with the constant term 1: 9e-8, 1.6e-7 with
// roundings.
template <>
struct Exp2Constants<float> {
  static constexpr float kTerms[] = {0.6931470036506653f, 0.24022242426872253f,
                                     0.05550733581185341f, 0.009671512991189957f,
                                     0.0013264723820611835f};
  static constexpr int kMantissaBits = 23;
  static constexpr float kBias = 127;
  static constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
};

// ln(2)^k / k!: what is left out is below 1e-17 there.
template <>
struct Exp2Constants<double> {
  static constexpr double kTerms[] = {
      6.931471805599453094e-01, 2.402265069591007123e-01, 5.550410866482157995e-02,
      9.618129107628477162e-03, 1.333355814642844342e-03, 1.540353039338160995e-04,
      1.525273380405984028e-05, 1.321548679014430948e-06, 1.017808600923969972e-07,
      7.054911620801123330e-09, 4.445538271870811497e-10, 2.567843599348820514e-11,
      1.369148885390412888e-12};
  static constexpr int kMantissaBits = 52;
  static constexpr double kBias = 1023;
  static constexpr double kLn2High = 6.93145751953125e-01, kLn2Low = 1.42860682030941723212e-06;
};

// For results that are rounded to bfloat16, or summed beside such: 2.9e-6 and 1.1e-4.
struct Exp2OfFourTerms : Exp2Constants<float> {
  static constexpr float kTerms[] = {0.6931241884230264f, 0.24024098527369228f, 0.0559064685248306f,
                                     0.009582872223634785f};
};
struct Exp2OfThreeTerms : Exp2Constants<float> {
  static constexpr float kTerms[] = {0.6932829524332882f, 0.24221133664901795f,
                                     0.05500908117556055f};
};

// 2^whole · 2^part, |part| <= 1/2, where `biased` is whole + bias + 1.5 · 2^mantissa bits, so that
// its low bits are the exponent field of 2^whole. Multiplied, not added: a NaN stays one.
template <class C, class D, class V>
HWY_INLINE V scaled_exp2(D d, V biased, V part) {
  using T = hn::TFromD<D>;
  constexpr int kTerms = sizeof(C::kTerms) / sizeof(T);
  const hn::RebindToSigned<D> bits;
  const auto term = [d](int k) HWY_ATTR { return hn::Set(d, C::kTerms[k]); };
  auto sum = term(kTerms - 1);
  if constexpr (kTerms == 5) {
    // In pairs (Estrin 1960): one operation more, but a chain of three in place of five.
    const auto square = hn::Mul(part, part);
    const auto high = hn::MulAdd(sum, part, term(3)), middle = hn::MulAdd(term(2), part, term(1));
    const auto low = hn::MulAdd(term(0), part, hn::Set(d, T(1)));
    sum = hn::MulAdd(hn::MulAdd(high, square, middle), square, low);
  } else {
#pragma GCC unroll 16
    for (int i = kTerms - 2; i >= 0; --i) sum = hn::MulAdd(sum, part, term(i));
    sum = hn::MulAdd(sum, part, hn::Set(d, T(1)));
  }
  return hn::Mul(sum, hn::BitCast(d, hn::ShiftLeft<C::kMantissaBits>(hn::BitCast(bits, biased))));
}

// What rounds to an integer when it is added; the integer plus the bias is then in the low bits.
template <class T>
constexpr T kExp2Rounder =
    T(1.5) * T(int64_t{1} << Exp2Constants<T>::kMantissaBits) + Exp2Constants<T>::kBias;

// 2^x for x up to 127 (double: 1023); 0 below -126.5 (-1022.5), so for -infinity too; NaN for NaN.
template <class C, class D, class V>
HWY_INLINE V exp2_with(D d, V x) {
  using T = hn::TFromD<D>;
  const auto rounder = hn::Set(d, kExp2Rounder<T>);
  // The limit stands first: the maximum of x86 is its second operand where one is a NaN.
  const auto limited = hn::Max(hn::Set(d, -Exp2Constants<T>::kBias), x);
  const auto biased = hn::Add(limited, rounder);
  return scaled_exp2<C>(d, biased, hn::Sub(limited, hn::Sub(biased, rounder)));
}

template <class D, class V>
HWY_INLINE V fast_exp2(D d, V x) {
  return exp2_with<Exp2Constants<hn::TFromD<D>>>(d, x);
}

// e^x for x up to 88 (double: 709); 0 below -87.6 (-708.7); NaN for NaN. The reduction is exact
// enough (Cody and Waite 1980) for large |x| as well.
template <class D, class V>
HWY_INLINE V fast_exp(D d, V x) {
  using T = hn::TFromD<D>;
  using C = Exp2Constants<T>;
  const auto rounder = hn::Set(d, kExp2Rounder<T>);
  const auto log2e = hn::Set(d, T(1.4426950408889634074));
  const auto limited = hn::Max(hn::Set(d, C::kBias * T(-0.69314718055994530942)), x);
  const auto biased = hn::MulAdd(limited, log2e, rounder);
  const auto whole = hn::Sub(biased, rounder);
  const auto high = hn::NegMulAdd(whole, hn::Set(d, C::kLn2High), limited);
  const auto part = hn::NegMulAdd(whole, hn::Set(d, C::kLn2Low), high);
  return scaled_exp2<C>(d, biased, hn::Mul(part, log2e));
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
