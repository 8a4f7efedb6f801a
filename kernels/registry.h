#pragma once
// Which ways of computing each op this build has: keyed by op, element type, device and variant. A
// new variant is its own file and one line in the list of its device (variants_cpu.cpp).

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/base/dtype.h"
#include "kernels/ops.h"

namespace bench::kernels {

// Extents of a call, as the argument structs name them; those an op does not have stay 0.
struct OpShape {
  int64_t n = 0, h = 0;                          // rows, hidden
  int64_t in = 0, out = 0;                       // linear
  int64_t batch = 0, seq = 0, heads = 0, d = 0;  // attention
};

template <class T>
struct Variant {
  std::string_view op;    // "attention"
  std::string_view name;  // "unfused"
  DeviceKind device;
  void (*install)(Ops<T>&);                    // sets the op's pointers
  bool (*supports)(const OpShape&) = nullptr;  // nullptr: any shape
};

// One entry of a listing.
struct VariantInfo {
  std::string_view op, name;
  DType dtype;
  DeviceKind device;
  bool is_default;  // what ops_for takes where none is named: the first of its key in the list
};

// The lists, a device each. The first variant of an op is its default.
template <class T>
std::span<const Variant<T>> cpu_variants();

// All that this build has.
std::vector<VariantInfo> list_variants();

// Whether the variant can compute this shape. Throws as ops_for does.
template <class T>
bool variant_supports(DeviceKind device, std::string_view op, std::string_view variant,
                      const OpShape& shape);

// What ops_for and variant_supports do, from a given list.
template <class T>
Ops<T> resolve(std::span<const Variant<T>> variants, DeviceKind device,
               const VariantChoice& choice);
template <class T>
bool supports(std::span<const Variant<T>> variants, DeviceKind device, std::string_view op,
              std::string_view variant, const OpShape& shape);

}  // namespace bench::kernels
