#include "parallel/gpt2/workspace.h"

namespace bench::gpt2 {
namespace {

layout::PipelineRoom room_of(const RankShape& s, int64_t micro_batches) {
  const layout::PipelineShape pipeline{
      .stages = s.stages, .chunks = s.chunks, .micro_batches = micro_batches};
  return layout::plan_pipeline(pipeline, s.stage, layout::Passes::training).room;
}

// Hands out pieces of a buffer; without one it only counts, so that one function both sizes and
// carves.
class Carver {
 public:
  explicit Carver(std::byte* base) : base_(base) {}

  void* take_bytes(int64_t bytes) {
    void* piece = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return piece;
  }
  template <class U>
  void take(U*& piece, int64_t elements) {
    piece = static_cast<U*>(take_bytes(elements * static_cast<int64_t>(sizeof(U))));
  }
  int64_t used() const { return used_; }

 private:
  static constexpr int64_t kAlignment = 64;  // a cache line
  std::byte* base_;
  int64_t used_ = 0;
};

// All of a layer but its entry and what attention saves.
template <class T>
void carve_inside(Carver& c, LayerActivations<T>& a, const RankShape& s) {
  c.take(a.ln1, s.n_part * s.h);
  c.take(a.ln1_mean, s.n_part);
  c.take(a.ln1_rstd, s.n_part);
  c.take(a.qkv, s.n * 3 * s.h_part);
  c.take(a.attention, s.n * s.h_part);
  c.take(a.mid, s.n_part * s.h);
  c.take(a.ln2, s.n_part * s.h);
  c.take(a.ln2_mean, s.n_part);
  c.take(a.ln2_rstd, s.n_part);
  c.take(a.fc1, s.n * s.ff);
  c.take(a.gelu, s.n * s.ff);
}

// Carves layers one after the other; what is recomputed lies in one place for all of them.
template <class T>
class LayerCarver {
 public:
  LayerCarver(Carver& carver, const RankShape& shape, Recompute recompute, int64_t saved_bytes)
      : c_(carver), s_(shape), recompute_(recompute), saved_bytes_(saved_bytes) {}

  // Without the entry of a chunk's first layer.
  LayerActivations<T> next(bool first_of_chunk) {
    if (!first_of_chunk) c_.take(a_.in, s_.n_part * s_.h);
    if (is_first_ || recompute_ != Recompute::full) carve_inside(c_, a_, s_);
    if (is_first_ || recompute_ == Recompute::none) a_.saved = c_.take_bytes(saved_bytes_);
    is_first_ = false;
    return a_;
  }

 private:
  Carver& c_;
  const RankShape& s_;
  Recompute recompute_;
  int64_t saved_bytes_;
  LayerActivations<T> a_{};
  bool is_first_ = true;
};

template <class T>
void carve_chunks(Carver& c, Workspace<T>& w, const RankShape& s, const layout::PipelineRoom& room,
                  Recompute recompute, const kernels::Ops<T>& ops) {
  LayerCarver<T> layers(c, s, recompute,
                        ops.attention_saved_bytes(s.micro_batch, s.seq, s.heads, s.d));
  w.chunk_layers = s.chunk_layers();
  for (size_t i = 0; i < room.slots.size(); ++i) {
    ChunkActivations<T>& chunk = w.chunks.emplace_back();
    chunk.entries.resize(static_cast<size_t>(room.entries[i]));
    for (T*& entry : chunk.entries) c.take(entry, s.n_part * s.h);
    for (int64_t l = 0; l < room.slots[i] * s.chunk_layers(); ++l)
      chunk.layers.push_back(layers.next(l % s.chunk_layers() == 0));
  }
}

// What only the last stage has: the head's logits and losses.
template <class T>
void carve_head(Carver& c, Workspace<T>& w, const RankShape& s, int64_t accumulation) {
  c.take(w.out, s.n_part * s.h);
  c.take(w.final_norm, s.n_part * s.h);
  c.take(w.final_mean, s.n_part);
  c.take(w.final_rstd, s.n_part);
  c.take(w.logits, s.n * s.vocab.rows);
  c.take(w.local_max, s.n);
  c.take(w.row_max, s.n);
  c.take(w.sums, 2 * s.n);
  c.take(w.loss, accumulation * s.n);
}

template <class T>
void carve(Carver& c, Workspace<T>& w, const RankShape& s, int64_t accumulation,
           Recompute recompute, const kernels::Ops<T>& ops) {
  const layout::PipelineRoom room = room_of(s, accumulation);
  carve_chunks(c, w, s, room, recompute, ops);
  if (s.has_head()) carve_head(c, w, s, accumulation);
  if (s.stages > 1) c.take(w.boundary, s.n_part * s.h);
  c.take(w.branch, s.n_part * s.h);
  if (s.n_part < s.n) {
    c.take(w.gathered, s.n * s.h);
    c.take(w.partial, s.n * s.h);
  }
  w.d_residuals.resize(static_cast<size_t>(room.gradients));
  for (T*& gradient : w.d_residuals) c.take(gradient, s.n_part * s.h);
  c.take(w.d_norm, s.n_part * s.h);
  c.take(w.d_part, s.n * s.h_part);
  c.take(w.d_wide, s.n * s.ff);
}

}  // namespace

template <class T>
int64_t workspace_bytes(const RankShape& shape, int64_t accumulation, Recompute recompute,
                        const kernels::Ops<T>& ops) {
  Workspace<T> nowhere;
  Carver counting(nullptr);
  carve(counting, nowhere, shape, accumulation, recompute, ops);
  return counting.used();
}

template <class T>
Workspace<T>::Workspace(Device& device, const RankShape& shape, int64_t accumulation,
                        Recompute recompute, const kernels::Ops<T>& ops)
    : memory_(device, workspace_bytes(shape, accumulation, recompute, ops)) {
  Carver carving(memory_.data());
  carve(carving, *this, shape, accumulation, recompute, ops);
}

template struct Workspace<float>;
template struct Workspace<double>;
template struct Workspace<bfloat16>;
template int64_t workspace_bytes(const RankShape&, int64_t, Recompute, const kernels::Ops<float>&);
template int64_t workspace_bytes(const RankShape&, int64_t, Recompute, const kernels::Ops<double>&);
template int64_t workspace_bytes(const RankShape&, int64_t, Recompute,
                                 const kernels::Ops<bfloat16>&);

}  // namespace bench::gpt2
