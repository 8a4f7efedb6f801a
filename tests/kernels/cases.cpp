#include "tests/kernels/cases.h"

namespace bench::kernels::test {

template <class T>
Cases cases_of(std::string_view op, const Ops<T>& ops) {
  if (op == "embedding") return embedding_cases(ops);
  if (op == "layer_norm") return layer_norm_cases(ops);
  if (op == "linear") return linear_cases(ops);
  if (op == "gelu") return gelu_cases(ops);
  if (op == "dropout") return dropout_cases(ops);
  if (op == "softmax") return softmax_cases(ops);
  if (op == "attention") return attention_cases(ops);
  if (op == "cross_entropy") return cross_entropy_cases(ops);
  if (op == "convert") return convert_cases(ops);
  if (op == "elementwise") return elementwise_cases(ops);
  if (op == "adamw") return adamw_cases(ops);
  return {};
}

template Cases cases_of(std::string_view, const Ops<float>&);
template Cases cases_of(std::string_view, const Ops<double>&);
template Cases cases_of(std::string_view, const Ops<bfloat16>&);

}  // namespace bench::kernels::test
