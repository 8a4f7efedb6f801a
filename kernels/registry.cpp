#include "kernels/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bench/base/status.h"

namespace bench::kernels {
namespace {

const VariantList& all_lists() {
  static const VariantList lists = [] {
    VariantList made;
    add_built_variants(made);
    return made;
  }();
  return lists;
}

template <class T>
std::vector<Variant<T>> of_device(std::span<const Variant<T>> variants, DeviceKind device) {
  std::vector<Variant<T>> out;
  std::copy_if(variants.begin(), variants.end(), std::back_inserter(out),
               [&](const auto& v) { return v.device == device; });
  if (out.empty()) {
    throw UsageError(fmt::format(
        "no {} kernels for device {} here; --dtype chooses another type, --device another "
        "device",
        name_of(dtype_of<T>()), name_of(device)));
  }
  return out;
}

template <class T>
std::string op_names(const std::vector<Variant<T>>& variants) {
  std::set<std::string_view> names;
  for (const auto& v : variants) names.insert(v.op);
  return fmt::format("{}", fmt::join(names, ", "));
}

// The named variant of an op, or with an empty name the default.
template <class T>
const Variant<T>& find(const std::vector<Variant<T>>& variants, std::string_view op,
                       std::string_view name) {
  std::vector<std::string_view> there;
  for (const auto& v : variants) {
    if (v.op != op) continue;
    if (name.empty() ? !v.only_by_name : v.name == name) return v;
    there.push_back(v.name);
  }
  if (there.empty()) {
    throw UsageError(fmt::format("no op named '{}'; ops: {}", op, op_names(variants)));
  }
  throw UsageError(fmt::format("op '{}' has no variant '{}' for {} on {}; there is: {}", op, name,
                               name_of(dtype_of<T>()), name_of(variants.front().device),
                               fmt::join(there, ", ")));
}

template <class T>
void append_infos(std::vector<VariantInfo>& out) {
  std::set<std::pair<std::string_view, DeviceKind>> seen;
  for (const auto& v : all_variants<T>()) {
    out.push_back({.op = v.op,
                   .name = v.name,
                   .dtype = dtype_of<T>(),
                   .device = v.device,
                   .is_default = !v.only_by_name && seen.insert({v.op, v.device}).second});
  }
}

}  // namespace

VariantChoice parse_choice(const std::vector<std::string>& texts) {
  VariantChoice choice;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw UsageError(fmt::format("--variant wants op=name, not '{}'", text));
    choice[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return choice;
}

template <class T>
std::span<const Variant<T>> all_variants() {
  return all_lists().of<T>();
}

template <class T>
Ops<T> resolve(std::span<const Variant<T>> variants, DeviceKind device,
               const VariantChoice& choice) {
  const auto here = of_device(variants, device);
  Ops<T> ops{};
  std::set<std::string_view> done;
  for (const auto& v : here) {
    if (!v.only_by_name && done.insert(v.op).second) v.install(ops);
  }
  for (const auto& [op, name] : choice) find(here, op, name).install(ops);
  return ops;
}

template <class T>
Ops<T> ops_for(DeviceKind device, const VariantChoice& choice) {
  return resolve<T>(all_variants<T>(), device, choice);
}

template <class T>
bool supports(std::span<const Variant<T>> variants, DeviceKind device, std::string_view op,
              std::string_view variant, const OpShape& shape) {
  const auto here = of_device(variants, device);
  const Variant<T>& v = find(here, op, variant);
  return v.supports == nullptr || v.supports(shape);
}

template <class T>
bool variant_supports(DeviceKind device, std::string_view op, std::string_view variant,
                      const OpShape& shape) {
  return supports<T>(all_variants<T>(), device, op, variant, shape);
}

std::vector<VariantInfo> list_variants() {
  std::vector<VariantInfo> out;
  append_infos<float>(out);
  append_infos<double>(out);
  append_infos<bfloat16>(out);
  return out;
}

template std::span<const Variant<float>> all_variants();
template std::span<const Variant<double>> all_variants();
template std::span<const Variant<bfloat16>> all_variants();
template Ops<float> resolve(std::span<const Variant<float>>, DeviceKind, const VariantChoice&);
template Ops<double> resolve(std::span<const Variant<double>>, DeviceKind, const VariantChoice&);
template Ops<bfloat16> resolve(std::span<const Variant<bfloat16>>, DeviceKind,
                               const VariantChoice&);
template Ops<float> ops_for(DeviceKind, const VariantChoice&);
template Ops<double> ops_for(DeviceKind, const VariantChoice&);
template Ops<bfloat16> ops_for(DeviceKind, const VariantChoice&);
template bool supports(std::span<const Variant<float>>, DeviceKind, std::string_view,
                       std::string_view, const OpShape&);
template bool supports(std::span<const Variant<double>>, DeviceKind, std::string_view,
                       std::string_view, const OpShape&);
template bool supports(std::span<const Variant<bfloat16>>, DeviceKind, std::string_view,
                       std::string_view, const OpShape&);
template bool variant_supports<float>(DeviceKind, std::string_view, std::string_view,
                                      const OpShape&);
template bool variant_supports<double>(DeviceKind, std::string_view, std::string_view,
                                       const OpShape&);
template bool variant_supports<bfloat16>(DeviceKind, std::string_view, std::string_view,
                                         const OpShape&);

}  // namespace bench::kernels
