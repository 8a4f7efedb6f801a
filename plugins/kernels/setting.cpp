#include "plugins/kernels/setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/base/status.h"
#include "bench/model/model.h"

namespace bench::kernel_cases {
namespace {

constexpr const char* kAxes[] = {"m", "n", "k", "h", "batch", "seq", "heads", "d", "vocab"};
// Taken where the device does not know its cache.
constexpr uint64_t kLikelyCache = uint64_t{32} << 20;
constexpr double kCachesOfData = 8;
// Sequences of a micro-batch: a GPU has thousands of rows in work at once.
constexpr int64_t kLikelyBatch = kDevice == DeviceKind::cuda ? 16 : 1;

// Keys that no op has are refused by the host, which sees the parameters of all cases.
std::map<std::string, int64_t> read_axes(const sdk::Request& request) {
  std::map<std::string, int64_t> axes;
  for (const char* key : kAxes) {
    if (!request.has_axis(key)) continue;
    axes[key] = request.axis(key, 0);
    if (axes[key] < 1)
      throw UsageError(fmt::format("--axis {}={}: a size is at least 1", key, axes[key]));
  }
  return axes;
}

}  // namespace

int64_t Setting::axis(const std::string& name, int64_t otherwise) const {
  const auto found = axes.find(name);
  return found == axes.end() ? otherwise : found->second;
}

int64_t Setting::n() const { return axis("m", batch * seq); }

std::string Setting::variant_of(const std::string& op) const {
  const auto chosen = variants.find(op);
  if (chosen != variants.end()) return chosen->second;
  for (const kernels::VariantInfo& v : kernels::list_variants())
    if (v.op == op && v.dtype == dtype && v.device == kDevice && v.is_default)
      return std::string(v.name);
  return {};
}

std::string Setting::why_not(const std::string& op, const kernels::OpShape& shape) const {
  const std::string variant = variant_of(op);
  if (variant.empty()) {
    return fmt::format("there are no {} kernels for '{}' on {} in this build", name_of(dtype), op,
                       name_of(kDevice));
  }
  const bool supported = dtype == DType::bf16
                             ? kernels::variant_supports<bfloat16>(kDevice, op, variant, shape)
                             : kernels::variant_supports<float>(kDevice, op, variant, shape);
  if (supported) return {};
  return fmt::format("variant '{}' of '{}' does not take these sizes", variant, op);
}

std::vector<Size> Setting::stream_sizes(double row_bytes) const {
  std::vector<Size> sizes{{n(), false}};
  if (!with_cold) return sizes;
  const double wanted = kCachesOfData * static_cast<double>(last_level_cache_bytes) / row_bytes;
  sizes.push_back({std::max(n(), static_cast<int64_t>(std::ceil(wanted))), true});
  return sizes;
}

std::vector<Size> Setting::product_sizes() const {
  std::vector<Size> sizes{{n(), false}};
  if (with_cold) sizes.push_back({n(), true});
  return sizes;
}

Setting read_setting(const sdk::Request& request, const std::string& default_model) {
  const model::ModelConfig m = model::parse_model(request.text("model", default_model));
  Setting s{.model = m.name,
            .batch = request.integer("micro-batch", kLikelyBatch),
            .seq = m.seq,
            .layers = m.layers,
            .h = m.hidden,
            .heads = m.heads,
            .d = 0,
            .vocab = m.vocab,
            .padded_vocab = 0,
            .parameters = model::parameter_count(m),
            .axes = read_axes(request),
            .variants = kernels::parse_choice(request.list("variant")),
            .dtype = request.dtype == "bf16" ? DType::bf16 : DType::f32,
            .with_cold = request.set != "smoke",
            .seed = request.seed,
            .last_level_cache_bytes =
                request.last_level_cache_bytes > 0 ? request.last_level_cache_bytes : kLikelyCache};
  s.batch = s.axis("batch", s.batch);
  s.seq = s.axis("seq", s.seq);
  s.h = s.axis("h", s.h);
  s.heads = s.axis("heads", s.heads);
  s.vocab = s.axis("vocab", s.vocab);
  s.padded_vocab = model::padded_vocab(s.vocab, 1);
  if (!s.axes.contains("d") && s.h % s.heads != 0)
    throw UsageError(fmt::format("hidden {} does not divide into {} heads", s.h, s.heads));
  s.d = s.axis("d", s.h / s.heads);
  return s;
}

}  // namespace bench::kernel_cases
