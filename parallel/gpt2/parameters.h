#pragma once
// The table of a rank's parameters: names, shapes, how each is sharded, and where it lies in the
// flat buffers that hold weights, gradients and the optimizer's moments. A pipeline stage has its
// layers' alone; the token embedding, which is the head's weight too, is on the first and the last.
//
// Names are Hugging Face's. Linear weights are [out, in], one row an output feature. QKV rows are
// ordered per head [heads, 3, d], so that a tensor rank's consecutive rows are whole heads.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parallel/gpt2/config.h"
#include "parallel/layout/shard.h"

namespace bench::gpt2 {

enum class Sharding {
  replicated,  // the same on every tensor rank
  rows,        // dimension 0 is cut: column-parallel weights and biases, the vocabulary
  columns,     // dimension 1 is cut: row-parallel weights
};

enum class Init { normal, residual_normal, zeros, ones };

struct Parameter {
  std::string name;
  int64_t full_rows = 0, full_cols = 0;  // unsharded, unpadded; a vector is [rows, 1]
  int64_t rows = 0, cols = 0;            // here (the vocabulary: with padding)
  int64_t first_row = 0, first_col = 0;  // of the full tensor
  int dims = 2;                          // 1 for vectors
  Sharding sharding = Sharding::replicated;
  Init init = Init::zeros;
  int64_t layer = 0;   // of the model: -1 for embeddings, the number of layers for the last norm
  uint64_t index = 0;  // the same for every layout: seeds the initial values
  int64_t offset = 0;  // in the flat buffers
  int64_t size() const { return rows * cols; }
  int64_t full_size() const { return full_rows * full_cols; }
  int64_t true_rows() const;  // rows here that are no padding
  bool decays() const { return dims == 2; }
};

// Places of one layer's parameters in the flat buffers.
struct LayerOffsets {
  int64_t qkv_w, proj_w, fc1_w, fc2_w, qkv_b, fc1_b;  // sharded
  int64_t proj_b, fc2_b;                              // replicated
  int64_t ln1_g, ln1_b, ln2_g, ln2_b;                 // replicated, side by side:
  layout::Span norms;
};

class ParameterTable {
 public:
  ParameterTable(const StepConfig& config, int tensor_rank, int stage = 0);

  const std::vector<Parameter>& all() const { return all_; }
  const Parameter& find(std::string_view name) const;  // throws UsageError
  // Elements of a flat buffer. Tensors start at multiples of 16 elements; gaps hold zeros.
  int64_t flat_size() const { return flat_size_; }
  // The token embedding comes first, in a segment of its own: its gradient takes part in another
  // sum than the others'. Segments are multiples of the unit, 16 elements a data rank.
  layout::Span token_segment() const { return {.begin = 0, .size = token_end_}; }
  layout::Span other_segment() const {
    return {.begin = token_end_, .size = flat_size_ - token_end_};
  }
  int64_t segment_unit() const { return segment_unit_; }

  // The i-th of this stage's layers.
  const LayerOffsets& layer(int64_t i) const { return layers_[static_cast<size_t>(i)]; }
  // These are of meaning where the stage has them.
  int64_t token_embedding() const { return token_; }
  int64_t position_embedding() const { return position_; }
  int64_t final_gain() const { return final_gain_; }
  int64_t final_bias() const { return final_bias_; }
  // Gain and bias of the last norm.
  layout::Span final_norm() const {
    return {.begin = final_gain_, .size = final_bias_ + shape_.h - final_gain_};
  }

  // Maximal runs of neighbours: what one optimizer call covers, and what this rank counts in the
  // global gradient norm (replicated tensors on tensor rank 0 alone, the token embedding on the
  // first stage alone).
  struct Run {
    layout::Span span;
    bool decays;
  };
  const std::vector<Run>& optimizer_runs() const { return optimizer_runs_; }
  const std::vector<layout::Span>& norm_runs() const { return norm_runs_; }
  // Gradients that are not written but added to, by ops or, in gaps, by sums over spread buckets:
  // zeroed before the first micro-batch.
  const std::vector<layout::Span>& added_to_runs() const { return added_to_runs_; }

 private:
  struct Declaration;
  int64_t declare(const Declaration& d);
  void declare_token_embedding();
  void declare_position_embedding();
  void end_segment();
  void declare_layer(int64_t model_layer);
  void declare_final_norm();
  bool is_added_to(const Parameter& p) const;
  bool is_counted(const Parameter& p) const;
  void collect_runs();
  void collect_gaps();

  RankShape shape_;
  int64_t model_layers_;
  int tensor_size_;
  int tensor_rank_;
  std::vector<Parameter> all_;
  std::vector<LayerOffsets> layers_;
  int64_t segment_unit_;
  int64_t flat_size_ = 0, token_end_ = 0;
  int64_t token_ = 0, position_ = 0, final_gain_ = 0, final_bias_ = 0;
  std::vector<Run> optimizer_runs_;
  std::vector<layout::Span> norm_runs_;
  std::vector<layout::Span> added_to_runs_;
};

// The table of a tensor rank as if there were one pipeline stage.
ParameterTable whole_table(const StepConfig& config, int tensor_rank);

}  // namespace bench::gpt2
