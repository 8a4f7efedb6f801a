#include "parallel/gpt2/config.h"

#include <fmt/format.h>

#include <cmath>

#include "bench/base/status.h"

namespace bench::gpt2 {
namespace {

void require(bool holds, const std::string& otherwise) {
  if (!holds) throw UsageError(otherwise);
}

void validate_model(const StepConfig& c) {
  const model::ModelConfig& m = c.model;
  require(m.layers >= 1 && m.hidden >= 1 && m.heads >= 1 && m.seq >= 1 && m.vocab >= 1,
          fmt::format("model {} has layers {}, hidden {}, heads {}, seq {}, vocab {}: all must be "
                      "at least 1",
                      m.name, m.layers, m.hidden, m.heads, m.seq, m.vocab));
  require(m.hidden % m.heads == 0,
          fmt::format("hidden {} is not divisible by {} heads", m.hidden, m.heads));
  require(c.tp >= 1 && c.dp >= 1 && c.pp >= 1 && c.virtual_stages >= 1,
          fmt::format("tp {}, dp {}, pp {} and virtual-stages {} must be at least 1", c.tp, c.dp,
                      c.pp, c.virtual_stages));
  require(m.heads % c.tp == 0,
          fmt::format("{} heads are not divisible by {} tensor-parallel ranks: choose a --tp that "
                      "divides {}",
                      m.heads, c.tp, m.heads));
  require(m.layers % (int64_t{c.pp} * c.virtual_stages) == 0,
          fmt::format("{} layers do not divide into {} pipeline stages with {} equal pieces each: "
                      "choose a --pp and --virtual-stages whose product divides {}",
                      m.layers, c.pp, c.virtual_stages, m.layers));
}

void validate_optimizer(const StepConfig& c) {
  require(std::isfinite(c.lr) && c.lr >= 0,
          fmt::format("learning rate {} must be finite and not negative", c.lr));
  c.schedule.validate(c.lr);
  require(c.clip > 0, fmt::format("gradient clip {} must be positive", c.clip));
  require(c.beta1 >= 0 && c.beta1 < 1 && c.beta2 >= 0 && c.beta2 < 1,
          fmt::format("betas {} and {} must lie in [0, 1)", c.beta1, c.beta2));
  require(c.eps > 0, fmt::format("eps {} must be positive", c.eps));
  require(c.bucket_bytes > 0, fmt::format("bucket of {} bytes is empty", c.bucket_bytes));
  require(c.zero == 0 || c.zero == 1,
          fmt::format("zero {}: this step has stage 0 (the optimizer's state whole on every data "
                      "rank) and 1 (a part of it on each)",
                      c.zero));
}

void refuse_what_is_not_here(const StepConfig& c) {
  require(c.dropout == 0, fmt::format("dropout {}: this step has none; use 0", c.dropout));
}

constexpr Recompute kRecomputes[] = {Recompute::none, Recompute::selective, Recompute::full};

}  // namespace

const char* name_of(Recompute r) {
  switch (r) {
    case Recompute::none: return "none";
    case Recompute::selective: return "selective";
    case Recompute::full: return "full";
  }
  return "";
}

Recompute parse_recompute(std::string_view text) {
  for (const Recompute r : kRecomputes)
    if (text == name_of(r)) return r;
  throw UsageError(fmt::format("recompute '{}': there is none, selective, full", text));
}

void StepConfig::validate() const {
  validate_model(*this);
  batch().validate();
  pipeline().validate();
  require(!sequence_parallel || micro_batch * model.seq % tp == 0,
          fmt::format("sequence-parallel: micro-batch {} x seq {} tokens are not divisible by {} "
                      "tensor-parallel ranks: choose another --micro-batch or --tp",
                      micro_batch, model.seq, tp));
  validate_optimizer(*this);
  refuse_what_is_not_here(*this);
}

RankShape rank_shape(const StepConfig& c, int tensor_rank, int stage) {
  const model::ModelConfig& m = c.model;
  const int64_t n = c.micro_batch * m.seq;
  return {.micro_batch = c.micro_batch,
          .seq = m.seq,
          .n = n,
          .n_part = c.sequence_parallel ? n / c.tp : n,
          .h = m.hidden,
          .d = m.hidden / m.heads,
          .heads = m.heads / c.tp,
          .h_part = m.hidden / c.tp,
          .ff = 4 * m.hidden / c.tp,
          .vocab = layout::vocab_part(m.vocab, c.tp, tensor_rank),
          .true_vocab = m.vocab,
          .stage = stage,
          .stages = c.pp,
          .chunks = c.virtual_stages,
          .layers = m.layers / c.pp};
}

int stage_of_layer(const StepConfig& c, int64_t layer) {
  const int64_t piece = layer / (c.model.layers / (int64_t{c.pp} * c.virtual_stages));
  return static_cast<int>(piece % c.pp);
}

}  // namespace bench::gpt2
