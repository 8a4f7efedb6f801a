#include "parallel/gpt2/parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/base/status.h"

namespace bench::gpt2 {
namespace {

constexpr int64_t kAlignment = 16;  // elements: a cache line of floats

// Neighbours in the table lie side by side in the buffers up to a gap of zeros, which may be
// covered too.
void extend(std::vector<layout::Span>& runs, const Parameter& p) {
  if (!runs.empty() && p.offset - runs.back().end() < kAlignment) {
    runs.back().size = p.offset + p.size() - runs.back().begin;
  } else {
    runs.push_back({.begin = p.offset, .size = p.size()});
  }
}

// Parameters before the layers, and of a layer: what `index` counts.
constexpr uint64_t kEmbeddings = 2, kOfALayer = 12;

}  // namespace

struct ParameterTable::Declaration {
  std::string name;
  int64_t rows, cols;
  int dims;
  Sharding sharding;
  Init init;
  int64_t layer;
  uint64_t index;
};

int64_t Parameter::true_rows() const { return std::clamp<int64_t>(full_rows - first_row, 0, rows); }

ParameterTable::ParameterTable(const StepConfig& config, int tensor_rank, int stage)
    : shape_(rank_shape(config, tensor_rank, stage)),
      model_layers_(config.model.layers),
      tensor_size_(config.tp),
      tensor_rank_(tensor_rank),
      segment_unit_(kAlignment * config.dp) {
  if (shape_.has_embedding() || shape_.has_head()) declare_token_embedding();
  token_end_ = flat_size_;
  if (shape_.has_embedding()) declare_position_embedding();
  for (int64_t i = 0; i < shape_.layers; ++i) declare_layer(shape_.model_layer(i));
  if (shape_.has_head()) declare_final_norm();
  end_segment();
  collect_runs();
  if (config.spreads_state()) collect_gaps();
}

void ParameterTable::end_segment() {
  flat_size_ = (flat_size_ + segment_unit_ - 1) / segment_unit_ * segment_unit_;
}

void ParameterTable::declare_token_embedding() {
  token_ = declare({.name = "wte.weight",
                    .rows = shape_.true_vocab,
                    .cols = shape_.h,
                    .dims = 2,
                    .sharding = Sharding::rows,
                    .init = Init::normal,
                    .layer = -1,
                    .index = 0});
  end_segment();
}

void ParameterTable::declare_position_embedding() {
  position_ = declare({.name = "wpe.weight",
                       .rows = shape_.seq,
                       .cols = shape_.h,
                       .dims = 2,
                       .sharding = Sharding::replicated,
                       .init = Init::normal,
                       .layer = -1,
                       .index = 1});
}

void ParameterTable::declare_final_norm() {
  const uint64_t index = kEmbeddings + kOfALayer * static_cast<uint64_t>(model_layers_);
  const auto vector = [&](const char* name, Init init, uint64_t i) {
    return declare({.name = name,
                    .rows = shape_.h,
                    .cols = 1,
                    .dims = 1,
                    .sharding = Sharding::replicated,
                    .init = init,
                    .layer = model_layers_,
                    .index = i});
  };
  final_gain_ = vector("ln_f.weight", Init::ones, index);
  final_bias_ = vector("ln_f.bias", Init::zeros, index + 1);
}

// Matrices first, then sharded vectors, then replicated vectors: few, long runs.
void ParameterTable::declare_layer(int64_t layer) {
  const int64_t h = shape_.h;
  uint64_t index = kEmbeddings + kOfALayer * static_cast<uint64_t>(layer);
  const auto matrix = [&](const char* name, int64_t out, int64_t in, Sharding s, Init init) {
    return declare({.name = fmt::format("h.{}.{}.weight", layer, name),
                    .rows = out,
                    .cols = in,
                    .dims = 2,
                    .sharding = s,
                    .init = init,
                    .layer = layer,
                    .index = index++});
  };
  const auto vector = [&](const char* name, int64_t size, Sharding s, Init init) {
    return declare({.name = fmt::format("h.{}.{}", layer, name),
                    .rows = size,
                    .cols = 1,
                    .dims = 1,
                    .sharding = s,
                    .init = init,
                    .layer = layer,
                    .index = index++});
  };
  LayerOffsets o{};
  o.qkv_w = matrix("attn.c_attn", 3 * h, h, Sharding::rows, Init::normal);
  o.proj_w = matrix("attn.c_proj", h, h, Sharding::columns, Init::residual_normal);
  o.fc1_w = matrix("mlp.c_fc", 4 * h, h, Sharding::rows, Init::normal);
  o.fc2_w = matrix("mlp.c_proj", h, 4 * h, Sharding::columns, Init::residual_normal);
  o.qkv_b = vector("attn.c_attn.bias", 3 * h, Sharding::rows, Init::zeros);
  o.fc1_b = vector("mlp.c_fc.bias", 4 * h, Sharding::rows, Init::zeros);
  o.proj_b = vector("attn.c_proj.bias", h, Sharding::replicated, Init::zeros);
  o.fc2_b = vector("mlp.c_proj.bias", h, Sharding::replicated, Init::zeros);
  o.ln1_g = vector("ln_1.weight", h, Sharding::replicated, Init::ones);
  o.ln1_b = vector("ln_1.bias", h, Sharding::replicated, Init::zeros);
  o.ln2_g = vector("ln_2.weight", h, Sharding::replicated, Init::ones);
  o.ln2_b = vector("ln_2.bias", h, Sharding::replicated, Init::zeros);
  o.norms = {.begin = o.ln1_g, .size = o.ln2_b + h - o.ln1_g};
  layers_.push_back(o);
}

int64_t ParameterTable::declare(const Declaration& d) {
  Parameter p{.name = d.name,
              .full_rows = d.rows,
              .full_cols = d.cols,
              .rows = d.rows,
              .cols = d.cols,
              .dims = d.dims,
              .sharding = d.sharding,
              .init = d.init,
              .layer = d.layer,
              .index = d.index,
              .offset = flat_size_};
  if (d.name == "wte.weight") {
    p.first_row = shape_.vocab.first;
    p.rows = shape_.vocab.rows;
  } else if (d.sharding == Sharding::rows) {
    const layout::Span part = layout::even_part(d.name, d.rows, tensor_size_, tensor_rank_);
    p.first_row = part.begin;
    p.rows = part.size;
  } else if (d.sharding == Sharding::columns) {
    const layout::Span part = layout::even_part(d.name, d.cols, tensor_size_, tensor_rank_);
    p.first_col = part.begin;
    p.cols = part.size;
  }
  flat_size_ += (p.size() + kAlignment - 1) / kAlignment * kAlignment;
  all_.push_back(std::move(p));
  return all_.back().offset;
}

// The head writes the token embedding's gradient before the embedding adds to it; where there is no
// head, nothing writes it.
bool ParameterTable::is_added_to(const Parameter& p) const {
  if (p.name == "wte.weight") return !shape_.has_head();
  return p.name == "wpe.weight" || p.name.find("ln_") != std::string::npos;
}

bool ParameterTable::is_counted(const Parameter& p) const {
  if (p.name == "wte.weight") return shape_.has_embedding();
  return tensor_rank_ == 0 || p.sharding != Sharding::replicated;
}

void ParameterTable::collect_runs() {
  for (const Parameter& p : all_) {
    if (!optimizer_runs_.empty() && optimizer_runs_.back().decays == p.decays()) {
      layout::Span& span = optimizer_runs_.back().span;
      span.size = p.offset + p.size() - span.begin;
    } else {
      optimizer_runs_.push_back(
          {.span = {.begin = p.offset, .size = p.size()}, .decays = p.decays()});
    }
    if (is_counted(p)) extend(norm_runs_, p);
    if (is_added_to(p)) extend(added_to_runs_, p);
  }
}

// A reduce-scatter in place leaves sums where the gaps of the next step are.
void ParameterTable::collect_gaps() {
  for (size_t i = 0; i < all_.size(); ++i) {
    const int64_t begin = all_[i].offset + all_[i].size();
    const int64_t end = i + 1 < all_.size() ? all_[i + 1].offset : flat_size_;
    if (begin < end) added_to_runs_.push_back({.begin = begin, .size = end - begin});
  }
}

ParameterTable whole_table(const StepConfig& config, int tensor_rank) {
  StepConfig whole = config;
  whole.pp = whole.virtual_stages = 1;
  return {whole, tensor_rank};
}

const Parameter& ParameterTable::find(std::string_view name) const {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const Parameter& p) { return p.name == name; });
  if (found == all_.end()) {
    throw UsageError(
        fmt::format("the model has no parameter '{}' (names are like "
                    "h.0.attn.c_attn.weight)",
                    name));
  }
  return *found;
}

}  // namespace bench::gpt2
