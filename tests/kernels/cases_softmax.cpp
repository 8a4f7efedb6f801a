// softmax.
#include <fmt/format.h>

#include "kernels/softmax/op.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

struct SoftmaxShape {
  int64_t rows, seq;
};
// Less than one square of scores, several, and a last one that is cut off.
std::vector<SoftmaxShape> shapes(Scale scale) {
  if (scale == Scale::kModel) return {{4096, 1024}, {1025, 2048}};
  return {{1, 1}, {9, 3}, {40, 17}, {381, 127}, {130, 129}, {70, 1023}};
}

enum class Place { kBeside, kIn };

template <class T>
OpCase softmax_forward_case(const Ops<T>& ops, SoftmaxShape s, Place place) {
  auto x = random_values<T>(s.rows * s.seq, 1);
  for (T& v : x) v = T(20 * static_cast<Wide<T>>(v));
  const bool in_place = place == Place::kIn;
  return make_case<SoftmaxForward<T>>(
      fmt::format("forward {} x {}{}", s.rows, s.seq, in_place ? " in place" : ""),
      softmax_tolerance<T>(s.seq), {in_place ? changed(x) : written<T>(s.rows * s.seq)},
      ops.softmax_forward, reference_softmax_forward<T>, [=](const Addresses& out) {
        return SoftmaxForward<T>{.rows = s.rows,
                                 .seq = s.seq,
                                 .scale = Wide<T>(0.37),
                                 .x = in_place ? static_cast<const T*>(out[0]) : x.data(),
                                 .y = out[0]};
      });
}

template <class T>
OpCase softmax_backward_case(const Ops<T>& ops, SoftmaxShape s, Place place) {
  const auto dy = random_values<T>(s.rows * s.seq, 2), y = random_values<T>(s.rows * s.seq, 3);
  const bool in_place = place == Place::kIn;
  return make_case<SoftmaxBackward<T>>(
      fmt::format("backward {} x {}{}", s.rows, s.seq, in_place ? " in place" : ""),
      softmax_tolerance<T>(s.seq), {in_place ? changed(dy) : written<T>(s.rows * s.seq)},
      ops.softmax_backward, reference_softmax_backward<T>, [=](const Addresses& out) {
        return SoftmaxBackward<T>{.rows = s.rows,
                                  .seq = s.seq,
                                  .scale = Wide<T>(0.37),
                                  .dy = in_place ? static_cast<const T*>(out[0]) : dy.data(),
                                  .y = y.data(),
                                  .dx = out[0]};
      });
}

}  // namespace

template <class T>
Cases softmax_cases(const Ops<T>& ops, Scale scale) {
  Cases cases;
  for (const auto& s : shapes(scale)) {
    for (const auto place : {Place::kBeside, Place::kIn}) {
      cases.push_back(softmax_forward_case(ops, s, place));
      cases.push_back(softmax_backward_case(ops, s, place));
    }
  }
  return cases;
}

template Cases softmax_cases(const Ops<float>&, Scale);
template Cases softmax_cases(const Ops<double>&, Scale);
template Cases softmax_cases(const Ops<bfloat16>&, Scale);

}  // namespace bench::kernels::test
