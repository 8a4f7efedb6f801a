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

bool is_added_to(const Parameter& p) {
  return p.name == "wpe.weight" || p.name.find("ln_") != std::string::npos;
}

}  // namespace

struct ParameterTable::Declaration {
  std::string name;
  int64_t rows, cols;
  int dims;
  Sharding sharding;
  Init init;
};

int64_t Parameter::true_rows() const { return std::clamp<int64_t>(full_rows - first_row, 0, rows); }

ParameterTable::ParameterTable(const StepConfig& config, int tensor_rank)
    : shape_(rank_shape(config, tensor_rank)), tensor_size_(config.tp), tensor_rank_(tensor_rank) {
  const int64_t h = shape_.h;
  token_ = declare({.name = "wte.weight",
                    .rows = shape_.true_vocab,
                    .cols = h,
                    .dims = 2,
                    .sharding = Sharding::rows,
                    .init = Init::normal});
  position_ = declare({.name = "wpe.weight",
                       .rows = shape_.seq,
                       .cols = h,
                       .dims = 2,
                       .sharding = Sharding::replicated,
                       .init = Init::normal});
  for (int64_t i = 0; i < shape_.layers; ++i) declare_layer(i);
  final_gain_ = declare({.name = "ln_f.weight",
                         .rows = h,
                         .cols = 1,
                         .dims = 1,
                         .sharding = Sharding::replicated,
                         .init = Init::ones});
  final_bias_ = declare({.name = "ln_f.bias",
                         .rows = h,
                         .cols = 1,
                         .dims = 1,
                         .sharding = Sharding::replicated,
                         .init = Init::zeros});
  collect_runs();
}

// Matrices first, then sharded vectors, then replicated vectors: few, long runs.
void ParameterTable::declare_layer(int64_t index) {
  const int64_t h = shape_.h;
  const auto matrix = [&](const char* name, int64_t out, int64_t in, Sharding s, Init init) {
    return declare({.name = fmt::format("h.{}.{}.weight", index, name),
                    .rows = out,
                    .cols = in,
                    .dims = 2,
                    .sharding = s,
                    .init = init});
  };
  const auto vector = [&](const char* name, int64_t size, Sharding s, Init init) {
    return declare({.name = fmt::format("h.{}.{}", index, name),
                    .rows = size,
                    .cols = 1,
                    .dims = 1,
                    .sharding = s,
                    .init = init});
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
              .index = all_.size(),
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

void ParameterTable::collect_runs() {
  for (const Parameter& p : all_) {
    if (!optimizer_runs_.empty() && optimizer_runs_.back().decays == p.decays()) {
      layout::Span& span = optimizer_runs_.back().span;
      span.size = p.offset + p.size() - span.begin;
    } else {
      optimizer_runs_.push_back(
          {.span = {.begin = p.offset, .size = p.size()}, .decays = p.decays()});
    }
    if (tensor_rank_ == 0 || p.sharding != Sharding::replicated) extend(norm_runs_, p);
    if (is_added_to(p)) extend(added_to_runs_, p);
  }
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
