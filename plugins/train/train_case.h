#pragma once
// From the options of a run to one GPT-2 training case.

#include <string>
#include <string_view>

#include "bench/sdk/plugin.h"
#include "kernels/ops.h"
#include "parallel/gpt2/config.h"

namespace bench::train {

// Whether steps are replayed as a recorded graph.
enum class Graphs { never, where_possible, always };

struct TrainCase {
  DType dtype = DType::f32;  // f32 or bf16
  gpt2::StepConfig config;
  kernels::VariantChoice variants;
  std::string data, weights, save_weights;  // files, or empty
  uint64_t seed = 1;
  Graphs graphs = Graphs::never;
  bool deterministic = true;
  int64_t stride = 0;        // tokens between the windows of an evaluation
  bool with_memory = false;  // its parts among the case's parameters
};

// For which device this library is made.
constexpr DeviceKind kDevice = std::string_view(sdk::Plugin::kDevice) == name_of(DeviceKind::cuda)
                                   ? DeviceKind::cuda
                                   : DeviceKind::cpu;

// Throws UsageError that names the options and numbers that do not fit together.
TrainCase read_train_case(const sdk::Request& request);

// The case as the host sees it, without `open`.
sdk::Case describe_case(const TrainCase& train);

}  // namespace bench::train
