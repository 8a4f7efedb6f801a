#include "parallel/gpt2/state_access.h"

#include <algorithm>
#include <span>

#include "bench/base/status.h"
#include "parallel/gpt2/gradient_sync.h"
#include "parallel/gpt2/hf_weights.h"
#include "parallel/gpt2/initialise.h"

namespace bench::gpt2 {
namespace {

using kernels::Wide;

constexpr int64_t kChunk = 1 << 22;  // elements that are changed at a time

using layout::Axis;

template <class T, class Element>
void copy_now(StepState<T>& st, Element* to, const Element* from, int64_t size) {
  st.context.device.copy(st.context.stream, to, from, static_cast<size_t>(size) * sizeof(Element));
  st.context.device.synchronize(st.context.stream);
}

template <class T>
void zero_moments(StepState<T>& st) {
  st.context.device.fill(st.context.stream, st.m.data(), 0, st.m.bytes());
  st.context.device.fill(st.context.stream, st.v.data(), 0, st.v.bytes());
  st.updates = 0;
}

// Puts a parameter's values where updates write: all of them, or this rank's owned parts of them.
template <class T>
void set_masters(StepState<T>& st, const Parameter& p, const std::vector<Wide<T>>& values) {
  if (!st.has_part_of_masters())
    return copy_now(st, st.weights.data() + p.offset, values.data(), p.size());
  for (const OwnedPart& part : st.shards.owned()) {
    const layout::Span piece = layout::overlap(part.span, {.begin = p.offset, .size = p.size()});
    if (piece.size == 0) continue;
    copy_now(st, st.master(part) + piece.begin - part.span.begin,
             values.data() + piece.begin - p.offset, piece.size);
  }
}

// Of what data ranks have in parts, all that `p` covers, on each of them.
template <class T>
Buffer<Wide<T>> gather_owned(StepState<T>& st, const Parameter& p, Held what) {
  Communicator& data = st.mesh.along(Axis::data);
  Buffer<Wide<T>> whole(st.context.device, p.size());
  for (size_t i = 0; i < st.shards.buckets().size(); ++i) {
    const layout::Span& bucket = st.shards.buckets()[i].span;
    const layout::Span piece = layout::overlap(bucket, {.begin = p.offset, .size = p.size()});
    if (piece.size == 0) continue;
    const OwnedPart& mine = st.shards.owned()[i];
    Buffer<Wide<T>> gathered(st.context.device, bucket.size);
    data.all_gather(st.context.stream,
                    what == Held::weight ? st.master(mine) : st.gradient(mine.gradient),
                    gathered.data(), mine.span.size, dtype_of<Wide<T>>());
    copy_now(st, whole.data() + piece.begin - p.offset,
             gathered.data() + piece.begin - bucket.begin, piece.size);
  }
  return whole;
}

// This rank's part of a full tensor; rows past its end (vocabulary padding) are zero.
template <class T>
std::vector<T> shard_of(const Parameter& p, std::span<const float> full) {
  std::vector<T> part(static_cast<size_t>(p.size()), T(0));
  for (int64_t r = 0; r < p.true_rows(); ++r) {
    const int64_t from = (p.first_row + r) * p.full_cols + p.first_col;
    const auto row = full.subspan(static_cast<size_t>(from), static_cast<size_t>(p.cols));
    std::copy(row.begin(), row.end(), part.begin() + r * p.cols);
  }
  return part;
}

// [tp, rows, cols] parts of all tensor ranks -> [full_rows, full_cols].
template <class T>
std::vector<T> assemble(const Parameter& p, const std::vector<T>& parts, int ranks) {
  std::vector<T> full(static_cast<size_t>(p.full_size()));
  for (int64_t rank = 0; rank < ranks; ++rank) {
    const int64_t first_row = p.sharding == Sharding::rows ? rank * p.rows : 0;
    const int64_t first_col = p.sharding == Sharding::columns ? rank * p.cols : 0;
    const int64_t rows = std::clamp<int64_t>(p.full_rows - first_row, 0, p.rows);
    for (int64_t r = 0; r < rows; ++r) {
      const auto from = parts.begin() + (rank * p.rows + r) * p.cols;
      std::copy(from, from + p.cols, full.begin() + (first_row + r) * p.full_cols + first_col);
    }
  }
  return full;
}

int stage_with(const StepConfig& config, const Parameter& p) {
  if (p.layer < 0) return 0;
  return p.layer == config.model.layers ? config.pp - 1 : stage_of_layer(config, p.layer);
}

// [tp, rows, cols] on every tensor rank.
template <class T>
void gather_parts(StepState<T>& st, const Parameter& p, Held what, Buffer<Wide<T>>& parts) {
  const bool in_parts = what == Held::weight ? st.has_part_of_masters() : st.shards.is_spread();
  const Buffer<Wide<T>> owned = in_parts ? gather_owned(st, p, what) : Buffer<Wide<T>>();
  const Buffer<Wide<T>>& flat = what == Held::weight ? st.weights : st.gradients;
  const Wide<T>* local = in_parts ? owned.data() : flat.data() + p.offset;
  if (parts.size() == p.size()) return copy_now(st, parts.data(), local, p.size());
  st.mesh.along(Axis::tensor)
      .all_gather(st.context.stream, local, parts.data(), p.size(), dtype_of<Wide<T>>());
  st.context.device.synchronize(st.context.stream);  // what was gathered goes
}

}  // namespace

template <class T>
void init_weights(StepState<T>& st, uint64_t seed) {
  std::vector<float> values;
  std::vector<Wide<T>> typed;
  for (const Parameter& p : st.table.all()) {
    values.resize(static_cast<size_t>(p.size()));
    initial_values(p, seed, st.config.model.layers, st.context.device.threads(), values);
    typed.assign(values.begin(), values.end());
    set_masters(st, p, typed);
  }
  round_weights(st);
  zero_moments(st);
}

template <class T>
void load_weights(StepState<T>& st, const Safetensors& file) {
  const HfWeights weights(file, st.config.model, st.table);
  for (const Parameter& p : st.table.all()) {
    set_masters(st, p, shard_of<Wide<T>>(p, weights.read(p)));
  }
  round_weights(st);
  zero_moments(st);
}

template <class T>
void round_weights(StepState<T>& st) {
  st.weights_written();
  if constexpr (!std::is_same_v<T, Wide<T>>) {
    for (const OwnedPart& part : st.shards.owned()) {
      st.ops.convert_narrow(
          st.context,
          {.size = part.span.size, .x = st.master(part), .y = st.weight(part.span.begin)});
    }
  }
  share_weights(st);
  st.context.device.synchronize(st.context.stream);
}

template <class T>
std::vector<Wide<T>> copy_of_weights(StepState<T>& st) {
  std::vector<Wide<T>> weights(static_cast<size_t>(st.weights.size()));
  copy_now(st, weights.data(), st.weights.data(), st.weights.size());
  return weights;
}

template <class T>
std::vector<T> copy_of_rounded(StepState<T>& st) {
  std::vector<T> weights(static_cast<size_t>(st.rounded.size()));
  copy_now(st, weights.data(), st.rounded.data(), st.rounded.size());
  return weights;
}

template <class T>
void set_weights(StepState<T>& st, const std::vector<Wide<T>>& weights) {
  copy_now(st, st.weights.data(), weights.data(), st.weights.size());
  round_weights(st);
}

// With an eps that dwarfs every gradient AdamW is gradient descent: w -= lr g / (|g| + eps).
template <class T>
void add_gradient_to_weights(StepState<T>& st, double factor) {
  constexpr double kEps = 1e12;
  const int64_t chunk = std::min(kChunk, st.shards.owned_size());
  Buffer<Wide<T>> moments(st.context.device, 2 * chunk);
  const auto add = [&](const OwnedPart& part, int64_t at) {
    st.context.device.fill(st.context.stream, moments.data(), 0, moments.bytes());
    st.ops.adamw(st.context, {.size = std::min(chunk, part.span.size - at),
                              .lr = -factor * kEps,
                              .beta1 = 0,
                              .beta2 = 0,
                              .eps = kEps,
                              .weight_decay = 0,
                              .clip = 1,
                              .step = 1,
                              .g = st.gradient(part.gradient + at),
                              .w = st.master(part) + at,
                              .m = moments.data(),
                              .v = moments.data() + chunk});
  };
  for (const OwnedPart& part : st.shards.owned())
    for (int64_t at = 0; at < part.span.size; at += chunk) add(part, at);
  st.context.device.synchronize(st.context.stream);  // the moments go
  round_weights(st);
}

template <class T>
KeptWeights<T>::KeptWeights(StepState<T>& state) : state_(state) {
  try {
    on_device_ = Buffer<Wide<T>>(state.context.device, state.weights.size());
  } catch (const EnvironmentError&) {
    on_host_ = copy_of_weights(state);
    return;
  }
  copy_now(state, on_device_.data(), state.weights.data(), state.weights.size());
}

template <class T>
void KeptWeights<T>::put_back() {
  if (!on_host_.empty()) return set_weights(state_, on_host_);
  copy_now(state_, state_.weights.data(), on_device_.data(), state_.weights.size());
  round_weights(state_);
}

template <class T>
std::vector<Wide<T>> gather_full(StepState<T>& st, std::string_view name, Held what) {
  const Parameter p =
      whole_table(st.config, st.mesh.rank(Axis::tensor)).find(name);  // of some stage
  const int ranks = p.sharding == Sharding::replicated ? 1 : st.config.tp;
  const int holder = stage_with(st.config, p);
  Buffer<Wide<T>> parts(st.context.device, ranks * p.size());
  if (st.shape.stage == holder) gather_parts(st, st.table.find(name), what, parts);
  if (st.config.pp > 1)
    st.mesh.along(Axis::pipeline)
        .broadcast(st.context.stream, parts.data(), parts.size(), dtype_of<Wide<T>>(), holder);
  std::vector<Wide<T>> host(static_cast<size_t>(parts.size()));
  copy_now(st, host.data(), parts.data(), parts.size());
  return assemble(p, host, ranks);
}

template <class T>
void Snapshot<T>::take(StepState<T>& st) {
  const auto keep = [&](std::vector<Wide<T>>& to, const Buffer<Wide<T>>& from) {
    to.resize(static_cast<size_t>(from.size()));
    copy_now(st, to.data(), from.data(), from.size());
  };
  weights_ = copy_of_weights(st);
  updates_ = st.updates;
  if (updates_ > 0) {
    keep(m_, st.m);
    keep(v_, st.v);
  }
  taken_ = true;
}

template <class T>
void Snapshot<T>::restore(StepState<T>& st) const {
  if (!taken_) throw UsageError("restore_state: no state was saved; call save_state first");
  zero_moments(st);
  if (updates_ > 0) {
    copy_now(st, st.m.data(), m_.data(), st.m.size());
    copy_now(st, st.v.data(), v_.data(), st.v.size());
  }
  st.updates = updates_;
  set_weights(st, weights_);
}

template void init_weights(StepState<float>&, uint64_t);
template void init_weights(StepState<double>&, uint64_t);
template void init_weights(StepState<bfloat16>&, uint64_t);
template void load_weights(StepState<float>&, const Safetensors&);
template void load_weights(StepState<double>&, const Safetensors&);
template void load_weights(StepState<bfloat16>&, const Safetensors&);
template void round_weights(StepState<float>&);
template void round_weights(StepState<double>&);
template void round_weights(StepState<bfloat16>&);
template std::vector<float> copy_of_weights(StepState<float>&);
template std::vector<double> copy_of_weights(StepState<double>&);
template std::vector<float> copy_of_weights(StepState<bfloat16>&);
template std::vector<float> copy_of_rounded(StepState<float>&);
template std::vector<double> copy_of_rounded(StepState<double>&);
template std::vector<bfloat16> copy_of_rounded(StepState<bfloat16>&);
template void set_weights(StepState<float>&, const std::vector<float>&);
template void set_weights(StepState<double>&, const std::vector<double>&);
template void set_weights(StepState<bfloat16>&, const std::vector<float>&);
template class KeptWeights<float>;
template class KeptWeights<double>;
template class KeptWeights<bfloat16>;
template void add_gradient_to_weights(StepState<float>&, double);
template void add_gradient_to_weights(StepState<double>&, double);
template void add_gradient_to_weights(StepState<bfloat16>&, double);
template std::vector<float> gather_full(StepState<float>&, std::string_view, Held);
template std::vector<double> gather_full(StepState<double>&, std::string_view, Held);
template std::vector<float> gather_full(StepState<bfloat16>&, std::string_view, Held);
template class Snapshot<float>;
template class Snapshot<double>;
template class Snapshot<bfloat16>;

}  // namespace bench::gpt2
