#pragma once
// What the parts of a step share. The phases (forward, backward, gradient synchronisation,
// optimizer) are free functions over it, each in a file of its own.

#include <map>
#include <type_traits>
#include <vector>

#include "bench/device/buffer.h"
#include "bench/device/context.h"
#include "kernels/linear/prepared.h"
#include "kernels/ops.h"
#include "parallel/gpt2/config.h"
#include "parallel/gpt2/data_shards.h"
#include "parallel/gpt2/parameters.h"
#include "parallel/gpt2/workspace.h"
#include "parallel/layout/mesh.h"

namespace bench::gpt2 {

// Elements of StepState::scalars: sums over the global batch's tokens and over the parameters.
enum Scalar : int { kLossSum = 0, kNormSquared = 1, kScalars = 2 };

template <class T>
struct StepState {
  using Wide = kernels::Wide<T>;

  Context context;
  StepConfig config;
  kernels::Ops<T> ops;
  layout::Mesh mesh;
  RankShape shape;
  layout::PipelinePlan training, forward_only;  // what this stage does in a step
  ParameterTable table;
  DataShards shards;

  // What an update reads and writes is wide (Micikevicius 2018, section 3.1): a step of Adam is
  // smaller than the rounding of a bfloat16 weight. Flat, table.flat_size() elements; what only the
  // update needs, shards.owned_size() elements.
  Buffer<Wide> weights;  // all where the ops read them, else the owned parts
  Buffer<Wide> gradients;
  Buffer<Wide> m;     // Adam's first moment, of the owned parts
  Buffer<Wide> v;     // and second
  Buffer<T> rounded;  // what the ops read, the weights rounded to T; empty where T is Wide
  // Started sums of the first of shards.buckets().
  std::vector<Communicator::Ticket> sums_under_way;
  // What products keep of each linear layer's weight, by its offset.
  std::map<int64_t, kernels::PreparedWeights> prepared;
  int64_t updates = 0;  // optimizer steps so far

  Buffer<int32_t> inputs;   // [accumulation * n]
  Buffer<int32_t> targets;  // [accumulation * n]
  Workspace<T> work;
  Buffer<double> scalars;         // [kScalars]
  Buffer<int64_t> update_number;  // [1] of the update under way, as AdamW reads it
  Buffer<double> update_lr;       // [1] its learning rate
  double lr = 0;                  // the same, here

  // As the ops read it.
  T* weight(int64_t offset) {
    if constexpr (std::is_same_v<T, Wide>)
      return weights.data() + offset;
    else
      return rounded.data() + offset;
  }
  // After every write to the weights.
  void weights_written() {
    for (auto& [offset, weight] : prepared) weight.invalidate();
  }
  // Whether this rank has the weights that an update writes for its own parts alone.
  bool has_part_of_masters() const { return !std::is_same_v<T, Wide> && shards.is_spread(); }
  Wide* master(const OwnedPart& part) {
    return weights.data() + (has_part_of_masters() ? part.state : part.span.begin);
  }
  Wide* gradient(int64_t offset) { return gradients.data() + offset; }
  bool first_tensor_rank() const { return mesh.rank(layout::Axis::tensor) == 0; }
};

}  // namespace bench::gpt2
