#pragma once
// Calls of every op over odd shapes, as values: one test body runs them all.

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/ops.h"
#include "kernels/registry.h"
#include "tests/kernels/site.h"

namespace bench::kernels::test {

// What a call writes: so many elements of a type, checked against the reference.
struct Output {
  DType dtype;
  int64_t size;
  std::vector<double> before;  // what it holds at the start; NaN where empty
  bool compared;               // false: private to the variant
  double tolerance;            // NaN: the case's own
};

// To be written.
template <class T>
Output written(int64_t size, double tolerance = NAN) {
  return {dtype_of<T>(), size, {}, true, tolerance};
}

// Bytes to be written in a form only the variant knows.
inline Output opaque(int64_t bytes) { return {DType::u8, bytes, {}, false, NAN}; }

// To be changed from this content.
template <class T>
Output changed(const std::vector<T>& before, double tolerance = NAN) {
  return {dtype_of<T>(),
          static_cast<int64_t>(before.size()),
          {before.begin(), before.end()},
          true,
          tolerance};
}

// Where an output lies; becomes a pointer of the type that the argument has.
struct Address {
  void* memory = nullptr;
  template <class T>
  operator T*() const {
    return static_cast<T*>(memory);
  }
};
using Addresses = std::vector<Address>;

// One call: the kernel and the reference write the same list of outputs, in order.
struct OpCase {
  std::string name;
  double tolerance;
  std::vector<Output> outputs;
  std::function<void(Site&, const Addresses&)> kernel;
  std::function<void(const Addresses&)> reference;
  OpShape shape = {};  // of ops whose variants may refuse some
};

// A call whose arguments are made from the outputs' addresses.
template <class Args, class Make>
OpCase make_case(std::string name, double tolerance, std::vector<Output> outputs,
                 OpFunction<Args> kernel, void (*reference)(const Args&), Make make) {
  return {.name = std::move(name),
          .tolerance = tolerance,
          .outputs = std::move(outputs),
          .kernel = [=](Site& site, const Addresses& out) { site.call(kernel, make(out)); },
          .reference = [=](const Addresses& out) { reference(make(out)); }};
}

using Cases = std::vector<OpCase>;

// Odd shapes around every block and vector, or those of a model, which fill a GPU.
enum class Scale { kOdd, kModel };

// All of an op by its name in the registry; none for an unknown one. Of linear and attention there
// are no cases of a model's scale: their formulas would take too long.
template <class T>
Cases cases_of(std::string_view op, const Ops<T>& ops, Scale scale = Scale::kOdd);

template <class T>
Cases embedding_cases(const Ops<T>&, Scale);
template <class T>
Cases layer_norm_cases(const Ops<T>&, Scale);
template <class T>
Cases linear_cases(const Ops<T>&);
template <class T>
Cases gelu_cases(const Ops<T>&, Scale);
template <class T>
Cases dropout_cases(const Ops<T>&, Scale);
template <class T>
Cases softmax_cases(const Ops<T>&, Scale);
template <class T>
Cases attention_cases(const Ops<T>&);
template <class T>
Cases cross_entropy_cases(const Ops<T>&, Scale);
template <class T>
Cases convert_cases(const Ops<T>&, Scale);
template <class T>
Cases elementwise_cases(const Ops<T>&, Scale);
template <class T>
Cases adamw_cases(const Ops<T>&, Scale);

}  // namespace bench::kernels::test
