#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "bench/base/status.h"
#include "bench/model/presets.h"

namespace bench::model {
namespace {

// Upper limits keep every product of the formulas inside 64 bits.
struct Key {
  const char* name;
  int64_t ModelConfig::*value;
  int64_t most;
};
constexpr std::array<Key, 5> kKeys = {{{"layers", &ModelConfig::layers, 10'000},
                                       {"hidden", &ModelConfig::hidden, 1 << 20},
                                       {"heads", &ModelConfig::heads, 1 << 20},
                                       {"seq", &ModelConfig::seq, 1 << 24},
                                       {"vocab", &ModelConfig::vocab, 1 << 28}}};

[[noreturn]] void reject(std::string_view text, const std::string& why) {
  throw UsageError(fmt::format(
      "model '{}': {}. Give a preset ({}), a preset with overrides (gpt2-124m,seq=256), "
      "or layers=…,hidden=…,heads=…,seq=…,vocab=…",
      text, why, fmt::join(preset_names(), ", ")));
}

void assign(ModelConfig& m, std::string_view text, std::string_view item) {
  const size_t equals = item.find('=');
  const std::string_view name = item.substr(0, equals), number = item.substr(equals + 1);
  const auto* key =
      std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& k) { return name == k.name; });
  if (key == kKeys.end()) reject(text, fmt::format("there is no key '{}'", name));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc{} || end != number.data() + number.size() || value < 1 ||
      value > key->most) {
    reject(text, fmt::format("{} must be a whole number from 1 to {}, not '{}'", name, key->most,
                             number));
  }
  m.*(key->value) = value;
}

void start_from_preset(ModelConfig& m, std::string_view text, std::string_view name) {
  for (const Preset& p : presets()) {
    if (name != p.name) continue;
    m = {.name = p.name,
         .layers = p.layers,
         .hidden = p.hidden,
         .heads = p.heads,
         .seq = p.seq,
         .vocab = p.vocab};
    return;
  }
  reject(text, fmt::format("there is no preset '{}'", name));
}

void finish(ModelConfig& m, std::string_view text) {
  for (const Key& key : kKeys) {
    if (m.*(key.value) == 0) reject(text, fmt::format("'{}' is missing", key.name));
  }
  if (m.hidden % m.heads != 0) {
    reject(text, fmt::format("hidden {} is not divisible by {} heads", m.hidden, m.heads));
  }
}

}  // namespace

ModelConfig parse_model(std::string_view text) {
  ModelConfig m;
  std::string_view rest = text;
  bool first = true, changed = false;
  while (first || !rest.empty()) {
    const size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (item.find('=') != std::string_view::npos) {
      assign(m, text, item);
      changed = true;
    } else if (first) {
      start_from_preset(m, text, item);
    } else {
      reject(text, fmt::format("'{}' is no key=value", item));
    }
    first = false;
    if (comma != std::string_view::npos && rest.empty()) reject(text, "it ends with a comma");
  }
  finish(m, text);
  if (changed) {
    m.name = fmt::format("l{}-h{}-a{}-s{}-v{}", m.layers, m.hidden, m.heads, m.seq, m.vocab);
  }
  return m;
}

}  // namespace bench::model
