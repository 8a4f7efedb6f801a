// The ops of a GPT-2 layer at a model's shapes, and the machine's ceilings.
#include "bench/sdk/plugin.h"

#include <fmt/format.h>

#include "plugins/kernels/ceiling_cases.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {

template <class T>
CaseList cases_of(const Setting& setting, bool smoke) {
  const OpSetting<T> s{setting, std::make_shared<kernels::Ops<T>>(
                                    kernels::ops_for<T>(DeviceKind::cpu, setting.variants))};
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
