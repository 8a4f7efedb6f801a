// The ops of a GPT-2 layer at a model's shapes, and the machine's ceilings.
#include "bench/sdk/plugin.h"

#include <fmt/format.h>

#include "plugins/kernels/ceiling_cases.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {

// The ops, of which some may have no variant here: their cases are declared as unavailable, and
// what a declaration asks is answered.
template <class T>
kernels::Ops<T> find_ops(const kernels::VariantChoice& variants) {
  kernels::Ops<T> ops = kernels::ops_for<T>(kDevice, variants);
  if (ops.linear_arithmetic == nullptr) ops.linear_arithmetic = [] { return std::string_view(); };
  if (ops.linear_prepared_bytes == nullptr)
    ops.linear_prepared_bytes = [](int64_t, int64_t, int64_t) { return int64_t{0}; };
  if (ops.attention_saved_bytes == nullptr)
    ops.attention_saved_bytes = [](int64_t, int64_t, int64_t, int64_t) { return int64_t{0}; };
  return ops;
}

template <class T>
CaseList cases_of(const Setting& setting, bool smoke) {
  const OpSetting<T> s{setting, std::make_shared<kernels::Ops<T>>(find_ops<T>(setting.variants))};
  CaseList all;
  if (!smoke) {
    add_linear_cases(s, all);
    add_attention_cases(s, all);
    add_softmax_cases(s, all);
  }
  add_norm_cases(s, all);
  add_pointwise_cases(s, all);
  add_vocabulary_cases(s, all);
  add_optimizer_cases(s, all);
  return all;
}

class KernelsPlugin final : public sdk::Plugin {
 public:
  std::vector<sdk::Case> cases(const sdk::Request& request) override {
    if (request.set == "ceilings") return ceiling_cases(request);
    if (!request.set.empty() && request.set != "smoke")
      throw UsageError(fmt::format(
          "the kernels plugin has no set '{}'; it has: ceilings, smoke, and the default",
          request.set));
    const bool smoke = request.set == "smoke";
    const Setting setting = read_setting(request, smoke ? "megatron-mini-mp1" : "gpt2-124m");
    return setting.dtype == DType::bf16 ? cases_of<bfloat16>(setting, smoke)
                                        : cases_of<float>(setting, smoke);
  }
};

}  // namespace
}  // namespace bench::kernel_cases

BENCH_PLUGIN(bench::kernel_cases::KernelsPlugin, "kernels", "1",
             "ops of a GPT-2 layer, and the machine's ceilings")
