#pragma once
// What the parts of a step share. The phases (forward, backward, gradient synchronisation,
// optimizer) are free functions over it, each in a file of its own.

#include <vector>

#include "bench/device/buffer.h"
#include "bench/device/context.h"
#include "kernels/ops.h"
#include "parallel/gpt2/config.h"
#include "parallel/gpt2/parameters.h"
#include "parallel/gpt2/workspace.h"
#include "parallel/layout/mesh.h"

namespace bench::gpt2 {

template <class T>
struct StepState {
  Context context;
  StepConfig config;
  kernels::Ops<T> ops;
  layout::Mesh mesh;
  RankShape shape;
  ParameterTable table;

  // Flat, table.flat_size() elements each.
  Buffer<T> weights;
  Buffer<T> gradients;
  Buffer<T> m;          // Adam's first moment
  Buffer<T> v;          // and second
  int64_t updates = 0;  // optimizer steps so far

  Buffer<int32_t> inputs;   // [accumulation * n]
  Buffer<int32_t> targets;  // [accumulation * n]
  Workspace<T> work;
  Buffer<double> scalars;    // [2] see Scalar
  std::vector<T> host_loss;  // [accumulation * n]

  T* weight(int64_t offset) { return weights.data() + offset; }
  T* gradient(int64_t offset) { return gradients.data() + offset; }
  bool first_tensor_rank() const { return mesh.rank(layout::Axis::tensor) == 0; }
};

// Elements of `scalars`.
enum Scalar : int { kLossSum = 0, kNormSquared = 1, kScalars = 2 };

}  // namespace bench::gpt2
