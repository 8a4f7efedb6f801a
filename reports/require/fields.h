#pragma once
// The figures of a report that can be required, by name. Private to this folder.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

template <class T>
struct NamedField {
  std::string_view name;
  schema::Number (*read)(const T&);
};

std::span<const NamedField<schema::CaseResult>> case_fields();     // "time_s.median", …
std::span<const NamedField<schema::ScalingPoint>> point_fields();  // "efficiency.flops", …
std::span<const NamedField<schema::Phases>> phase_fields();
std::span<const NamedField<schema::ComparedVariant>> variant_fields();  // "ratio.median", …
std::span<const NamedField<schema::Closure>> closure_fields();          // "kernels_fraction", …

template <class T>
const NamedField<T>* find_field(std::span<const NamedField<T>> fields, std::string_view name) {
  for (const auto& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

inline constexpr std::string_view kReferenceIds[] = {"megatron2019.single_gpu_tflops",
                                                     "megatron2019.scaling_efficiency"};

}  // namespace bench::reports
