#include "parallel/gpt2/memory.h"

#include "parallel/gpt2/data_shards.h"
#include "parallel/gpt2/training_step.h"

namespace bench::gpt2 {
namespace {

template <class T>
int64_t prepared_bytes(const RankShape& s, const kernels::Ops<T>& ops) {
  const auto weight = [&](int64_t in, int64_t out) {
    return ops.linear_prepared_bytes(s.n, in, out);
  };
  const int64_t layer =
      weight(s.h, 3 * s.h_part) + weight(s.h_part, s.h) + weight(s.h, s.ff) + weight(s.ff, s.h);
  return s.layers * layer + (s.has_head() ? weight(s.h, s.vocab.rows) : 0);
}

}  // namespace

template <class T>
StepMemory stage_memory(const StepConfig& config, const kernels::Ops<T>& ops, int stage) {
  using Wide = kernels::Wide<T>;
  constexpr int64_t kWide = sizeof(Wide), kRounded = std::is_same_v<T, Wide> ? 0 : sizeof(T);
  const RankShape shape = rank_shape(config, 0, stage);
  const ParameterTable table(config, 0, stage);
  const int64_t elements = table.flat_size(), owned = owned_elements(config, table);
  const int64_t masters = kRounded > 0 ? owned : elements;
  const int64_t accumulation = config.batch().accumulation(), tokens = accumulation * shape.n;
  // Inputs and targets; losses and norms kept.
  const int64_t batch = tokens * 2 * static_cast<int64_t>(sizeof(int32_t)) +
                        kScalars * TrainingStep<T>::kKept * static_cast<int64_t>(sizeof(double));
  return {.weights = masters * kWide + elements * kRounded,
          .gradients = elements * kWide,
          .optimizer = 2 * owned * kWide,
          .prepared = prepared_bytes(shape, ops),
          .workspace = workspace_bytes(shape, accumulation, config.recompute, ops),
          .batch = batch,
          .saved = masters * kWide};
}

template <class T>
StepMemory step_memory(const StepConfig& config, const kernels::Ops<T>& ops) {
  StepMemory most = stage_memory(config, ops, 0);
  for (int stage = 1; stage < config.pp; ++stage) {
    const StepMemory memory = stage_memory(config, ops, stage);
    if (memory.total() > most.total()) most = memory;
  }
  return most;
}

template StepMemory stage_memory(const StepConfig&, const kernels::Ops<float>&, int);
template StepMemory stage_memory(const StepConfig&, const kernels::Ops<double>&, int);
template StepMemory stage_memory(const StepConfig&, const kernels::Ops<bfloat16>&, int);
template StepMemory step_memory(const StepConfig&, const kernels::Ops<float>&);
template StepMemory step_memory(const StepConfig&, const kernels::Ops<double>&);
template StepMemory step_memory(const StepConfig&, const kernels::Ops<bfloat16>&);

}  // namespace bench::gpt2
