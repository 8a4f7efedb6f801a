#include "tests/kernels/cases.h"

namespace bench::kernels::test {

template <class T>
Cases cases_of(std::string_view op, const Ops<T>& ops, Scale scale) {
  if (op == "embedding") return embedding_cases(ops, scale);
  if (op == "layer_norm") return layer_norm_cases(ops, scale);
  if (op == "gelu") return gelu_cases(ops, scale);
  if (op == "dropout") return dropout_cases(ops, scale);
  if (op == "softmax") return softmax_cases(ops, scale);
  if (op == "cross_entropy") return cross_entropy_cases(ops, scale);
  if (op == "convert") return convert_cases(ops, scale);
  if (op == "elementwise") return elementwise_cases(ops, scale);
  if (op == "adamw") return adamw_cases(ops, scale);
  if (scale == Scale::kModel) return {};
  if (op == "linear") return linear_cases(ops);
  if (op == "attention") return attention_cases(ops);
  return {};
}

template Cases cases_of(std::string_view, const Ops<float>&, Scale);
template Cases cases_of(std::string_view, const Ops<double>&, Scale);
template Cases cases_of(std::string_view, const Ops<bfloat16>&, Scale);

}  // namespace bench::kernels::test
