// The ops of a GPT-2 layer at a model's shapes, and the machine's ceilings.
#include "bench/sdk/plugin.h"

#include <fmt/format.h>

#include "bench/model/model.h"
#include "plugins/kernels/ceiling_cases.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {

// --variant op=name, as often as there are ops to choose.
kernels::VariantChoice read_variants(const sdk::Request& request) {
  kernels::VariantChoice choice;
  for (const std::string& text : request.list("variant")) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw UsageError(fmt::format("--variant wants op=name, not '{}'", text));
    choice[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return choice;
}

Setting read_setting(const sdk::Request& request, const std::string& default_model) {
  const model::ModelConfig m = model::parse_model(request.text("model", default_model));
  if (m.hidden % m.heads != 0)
    throw UsageError(fmt::format("hidden {} does not divide into {} heads", m.hidden, m.heads));
  return {.batch = request.integer("micro-batch", 1),
          .seq = m.seq,
          .layers = m.layers,
          .h = m.hidden,
          .heads = m.heads,
          .d = m.hidden / m.heads,
          .vocab = m.vocab,
          .padded_vocab = model::padded_vocab(m.vocab, 1),
          .seed = request.seed,
          .ops = std::make_shared<kernels::Ops<float>>(
              kernels::ops_for<float>(DeviceKind::cpu, read_variants(request)))};
}

class KernelsPlugin final : public sdk::Plugin {
 public:
  std::vector<sdk::Case> cases(const sdk::Request& request) override {
    if (request.set == "ceilings") return ceiling_cases(request);
    if (!request.set.empty() && request.set != "smoke")
      throw UsageError(fmt::format(
          "the kernels plugin has no set '{}'; it has: ceilings, smoke, and the default",
          request.set));
    const Setting setting =
        read_setting(request, request.set == "smoke" ? "megatron-mini-mp1" : "gpt2-124m");
    std::vector<sdk::Case> all;
    if (request.set != "smoke") {
      add_linear_cases(setting, all);
      add_attention_cases(setting, all);
    }
    add_row_cases(setting, all);
    add_optimizer_cases(setting, all);
    for (sdk::Case& c : all) {
      for (const auto& [op, variant] : read_variants(request))
        if (c.name.find(op) != std::string::npos) c.text_params.emplace_back("variant", variant);
      if (request.dtype != "f32")
        c.unavailable = fmt::format("the CPU kernels compute in f32, not in {}", request.dtype);
    }
    return all;
  }
};

}  // namespace
}  // namespace bench::kernel_cases

BENCH_PLUGIN(bench::kernel_cases::KernelsPlugin, "kernels", "1",
             "ops of a GPT-2 layer, and the machine's ceilings")
