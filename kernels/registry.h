#pragma once
// Which ways of computing each op this build has: keyed by op, element type, device and variant. A
// new variant is a file of its own and one line in the list of kernels/CMakeLists.txt.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
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
  bool only_by_name = false;                   // never the default
};

// What the files of the variants add to, an element type a list. The first variant of an op that
// may be is its default.
class VariantList {
 public:
  template <class T>
  void add(const Variant<T>& variant) {
    std::get<std::vector<Variant<T>>>(lists_).push_back(variant);
  }
  // The same for several element types; `install` is a generic lambda without captures.
  template <class... T, class Install>
  void add(std::string_view op, std::string_view name, DeviceKind device, Install install) {
    (add<T>(Variant<T>{op, name, device, install}), ...);
  }
  template <class T>
  std::span<const Variant<T>> of() const {
    return std::get<std::vector<Variant<T>>>(lists_);
  }

 private:
  std::tuple<std::vector<Variant<float>>, std::vector<Variant<double>>,
             std::vector<Variant<bfloat16>>>
      lists_;
};

// One entry of a listing.
struct VariantInfo {
  std::string_view op, name;
  DType dtype;
  DeviceKind device;
  bool is_default;  // what ops_for takes where none is named
};

// Calls the register_… function of every file in the build's list, in its order. Made by the build,
// once for the library of each device.
void add_built_variants(VariantList& list);

// All of this build, in the order they were added.
template <class T>
std::span<const Variant<T>> all_variants();

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
