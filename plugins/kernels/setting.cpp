#include "plugins/kernels/setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "bench/base/status.h"
#include "bench/model/model.h"
#include "kernels/registry.h"

namespace bench::kernel_cases {
namespace {

constexpr std::string_view kAxes[] = {"m", "n", "k", "h", "batch", "seq", "heads", "d", "vocab"};
// Taken where the device does not know its cache.
constexpr uint64_t kLikelyCache = uint64_t{32} << 20;
constexpr double kCachesOfData = 8;

// "key=value" at its equals sign.
std::pair<std::string, std::string> halves(const std::string& text, const char* option,
                                           const char* wanted) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos)
    throw UsageError(fmt::format("--{} wants {}, not '{}'", option, wanted, text));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

kernels::VariantChoice read_variants(const sdk::Request& request) {
  kernels::VariantChoice choice;
  for (const std::string& text : request.list("variant")) {
    const auto [op, name] = halves(text, "variant", "op=name");
    choice[op] = name;
  }
  return choice;
}

std::map<std::string, int64_t> read_axes(const sdk::Request& request) {
  std::map<std::string, int64_t> axes;
  for (const std::string& text : request.list("axis")) {
    const auto [name, value] = halves(text, "axis", "name=size");
    if (std::find(std::begin(kAxes), std::end(kAxes), name) == std::end(kAxes))
      throw UsageError(fmt::format("there is no axis '{}'; the ops' axes are: {}", name,
                                   fmt::join(kAxes, ", ")));
    int64_t size = 0;
    const char* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, size);
    if (parsed.ec != std::errc() || parsed.ptr != end || size < 1)
      throw UsageError(fmt::format("--axis {}: '{}' is no size of at least 1", name, value));
    axes[name] = size;
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
    if (v.op == op && v.dtype == dtype && v.is_default) return std::string(v.name);
  return {};
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
            .batch = request.integer("micro-batch", 1),
            .seq = m.seq,
            .layers = m.layers,
            .h = m.hidden,
            .heads = m.heads,
            .d = 0,
            .vocab = m.vocab,
            .padded_vocab = 0,
            .parameters = model::parameter_count(m),
            .axes = read_axes(request),
            .variants = read_variants(request),
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
