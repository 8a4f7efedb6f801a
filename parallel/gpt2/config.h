#pragma once
// What one training step is: the model, the batch, the layout over ranks, and the optimizer's
// constants.

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/model/model.h"
#include "parallel/gpt2/learning_rate.h"
#include "parallel/layout/mesh.h"
#include "parallel/layout/pipeline.h"
#include "parallel/layout/shard.h"

namespace bench::gpt2 {

// What the backward pass computes anew instead of keeping it (Korthikanti 2022, sections 4 and 5).
enum class Recompute {
  none,
  selective,  // the attention's core, between QKV and the projection: what grows with seq squared
              // where its probabilities are kept
  full,       // a whole layer, from the residual stream on its entry
};

const char* name_of(Recompute r);
// Throws UsageError for any other text than the names.
Recompute parse_recompute(std::string_view text);

struct StepConfig {
  model::ModelConfig model;
  int64_t micro_batch = 1;         // sequences of one forward pass
  int64_t global_batch = 1;        // sequences of one optimizer step, all data ranks together
  int tp = 1;                      // tensor-parallel ranks
  bool sequence_parallel = false;  // which also share norms and residual stream, by rows
  int dp = 1;                      // data-parallel ranks
  int pp = 1;                      // pipeline stages
  int virtual_stages = 1;          // pieces of the model a stage, for the interleaved schedule

  double lr = 1e-4;  // the highest
  LearningRateSchedule schedule;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;  // decoupled; on tensors of two dimensions only
  double clip = 1.0;           // global gradient norm at most this
  uint64_t seed = 1;           // of the initial weights

  int64_t bucket_bytes = int64_t{25} << 20;  // of gradients, one sum over data ranks; the size is
                                             // PyTorch's (Li 2020, section 4.2)
  bool overlap_gradients = true;             // sums start while the backward pass goes on
  int zero = 0;  // 1: each data rank keeps a part of the optimizer's state (Rajbhandari 2020)
  Recompute recompute = Recompute::none;

  // Part of the command line, but not of this step: validate() refuses any other value.
  double dropout = 0;

  // Throws UsageError that names the numbers that do not fit together.
  void validate() const;

  layout::MeshShape mesh() const { return {.tensor = tp, .data = dp, .pipeline = pp}; }
  layout::BatchPlan batch() const {
    return {.global_batch = global_batch, .micro_batch = micro_batch, .data_size = dp};
  }
  layout::PipelineShape pipeline() const {
    return {.stages = pp, .chunks = virtual_stages, .micro_batches = batch().accumulation()};
  }
  bool spreads_state() const { return zero == 1 && dp > 1; }
  int64_t padded_vocab() const { return model::padded_vocab(model.vocab, tp); }
  int64_t tokens_per_step() const { return global_batch * model.seq; }
};

// The sizes of one micro-batch on one rank, from which every buffer and op is dimensioned.
struct RankShape {
  int64_t micro_batch, seq;
  int64_t n;       // tokens of a micro-batch
  int64_t n_part;  // of them rows of the residual stream here: n, or n / tp
  int64_t h;       // hidden
  int64_t d;       // head size
  int64_t heads;   // here: all heads / tp
  int64_t h_part;  // h / tp = heads * d
  int64_t ff;      // 4h / tp
  layout::VocabPart vocab;
  int64_t true_vocab;
  int stage, stages;  // pipeline
  int chunks;         // of this stage
  int64_t layers;     // here, all chunks together
  bool has_embedding() const { return stage == 0; }
  bool has_head() const { return stage == stages - 1; }
  // Whether the model begins, or ends, in the turn's chunk.
  bool begins_in(const layout::Turn& turn) const { return has_embedding() && turn.chunk == 0; }
  bool ends_in(const layout::Turn& turn) const { return has_head() && turn.chunk == chunks - 1; }
  int64_t chunk_layers() const { return layers / chunks; }
  // Of the whole model's layers, the one that is the `index`-th here.
  int64_t model_layer(int64_t index) const {
    return (index / chunk_layers() * stages + stage) * chunk_layers() + index % chunk_layers();
  }
};

RankShape rank_shape(const StepConfig& config, int tensor_rank, int stage = 0);

// Which stage has the model's layer.
int stage_of_layer(const StepConfig& config, int64_t layer);

}  // namespace bench::gpt2
