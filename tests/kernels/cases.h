#pragma once
// Calls of every op over odd shapes, as values: one test body runs them all.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/ops.h"

namespace bench::kernels::test {

template <class T>
struct Output {
  int64_t size;
  std::vector<T> before;  // what it holds at the start; NaN where empty
  bool compared;          // false: private to the variant
};

// To be written.
template <class T>
Output<T> written(int64_t size) {
  return {size, std::vector<T>(), true};
}

// To be written in a form only the variant knows.
template <class T>
Output<T> opaque(int64_t size) {
  return {size, std::vector<T>(), false};
}

// To be changed from this content.
template <class T>
Output<T> changed(std::vector<T> before) {
  const auto size = static_cast<int64_t>(before.size());
  return {size, std::move(before), true};
}

// One call: the kernel and the reference write the same list of outputs, in order.
template <class T>
struct OpCase {
  std::string name;
  double tolerance;
  std::vector<Output<T>> outputs;
  std::function<void(const Context&, const std::vector<T*>&)> kernel;
  std::function<void(const std::vector<T*>&)> reference;
};

// A call whose arguments are made from the outputs' addresses.
template <class T, class Args, class Make>
OpCase<T> make_case(std::string name, double tolerance, std::vector<Output<T>> outputs,
                    OpFunction<Args> kernel, void (*reference)(const Args&), Make make) {
  return {.name = std::move(name),
          .tolerance = tolerance,
          .outputs = std::move(outputs),
          .kernel = [=](const Context& context,
                        const std::vector<T*>& out) { kernel(context, make(out)); },
          .reference = [=](const std::vector<T*>& out) { reference(make(out)); }};
}

template <class T>
using Cases = std::vector<OpCase<T>>;

template <class T>
Cases<T> embedding_cases(const Ops<T>&);
template <class T>
Cases<T> layer_norm_cases(const Ops<T>&);
template <class T>
Cases<T> linear_cases(const Ops<T>&);
template <class T>
Cases<T> gelu_cases(const Ops<T>&);
template <class T>
Cases<T> attention_cases(const Ops<T>&);
template <class T>
Cases<T> cross_entropy_cases(const Ops<T>&);
template <class T>
Cases<T> elementwise_cases(const Ops<T>&);
template <class T>
Cases<T> adamw_cases(const Ops<T>&);

}  // namespace bench::kernels::test
