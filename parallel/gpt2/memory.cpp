#include "parallel/gpt2/memory.h"

#include "parallel/gpt2/training_step.h"

namespace bench::gpt2 {

template <class T>
StepMemory step_memory(const StepConfig& config, const kernels::Ops<T>& ops) {
  using Wide = kernels::Wide<T>;
  constexpr int64_t kWide = sizeof(Wide), kRounded = std::is_same_v<T, Wide> ? 0 : sizeof(T);
  const RankShape shape = rank_shape(config, 0);
  const int64_t elements = ParameterTable(config, 0).flat_size();
  const int64_t accumulation = config.batch().accumulation(), tokens = accumulation * shape.n;
  // Inputs and targets; a loss of each token on the host; losses and norms kept.
  const int64_t batch = tokens * (2 * static_cast<int64_t>(sizeof(int32_t)) + kWide) +
                        2 * TrainingStep<T>::kKept * static_cast<int64_t>(sizeof(double));
  return {.parameters = elements * (4 * kWide + kRounded),
          .workspace = workspace_bytes(shape, accumulation, ops),
          .batch = batch,
          .saved = elements * kWide};
}

template StepMemory step_memory(const StepConfig&, const kernels::Ops<float>&);
template StepMemory step_memory(const StepConfig&, const kernels::Ops<double>&);
template StepMemory step_memory(const StepConfig&, const kernels::Ops<bfloat16>&);

}  // namespace bench::gpt2
