#pragma once
// The shapes and choices that all ops of a request share.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/sdk/plugin.h"
#include "bench/sdk/request.h"
#include "kernels/registry.h"

namespace bench::kernel_cases {

// The device that this flavour of the plugin is built for.
inline constexpr DeviceKind kDevice =
    std::string_view(sdk::Plugin::kDevice) == "cuda" ? DeviceKind::cuda : DeviceKind::cpu;

// How many rows a case takes, and whether the caches are empty before each iteration.
struct Size {
  int64_t n;
  bool cold;
};

struct Setting {
  std::string model;  // preset or numbers
  int64_t batch, seq, layers, h, heads, d, vocab, padded_vocab, parameters;
  std::map<std::string, int64_t> axes;  // what --axis says in the model's place
  kernels::VariantChoice variants;
  DType dtype;
  bool with_cold;
  uint64_t seed, last_level_cache_bytes;

  // Rows: tokens of a micro-batch, or the axis m.
  int64_t n() const;
  int64_t axis(const std::string& name, int64_t otherwise) const;
  // The chosen variant of an op, or its default here, or "" where there is none.
  std::string variant_of(const std::string& op) const;
  // Why the op cannot be run here, or "".
  std::string why_not(const std::string& op, const kernels::OpShape& shape) const;
  // As many rows as the model has, and for the cold case of an op that moves `row_bytes` a row, at
  // least eight times the last-level cache.
  std::vector<Size> stream_sizes(double row_bytes) const;
  // The same rows hot and cold: for ops whose time is arithmetic.
  std::vector<Size> product_sizes() const;
};

template <class T>
struct OpSetting : Setting {
  std::shared_ptr<const kernels::Ops<T>> ops;
};

// Throws UsageError naming what does not fit.
Setting read_setting(const sdk::Request& request, const std::string& default_model);

}  // namespace bench::kernel_cases
