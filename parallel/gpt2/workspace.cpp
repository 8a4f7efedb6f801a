#include "parallel/gpt2/workspace.h"

namespace bench::gpt2 {
namespace {

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

template <class T>
std::vector<LayerActivations<T>> carve_layers(Carver& c, const RankShape& s, Recompute recompute,
                                              int64_t saved_bytes) {
  std::vector<LayerActivations<T>> layers;
  LayerActivations<T> a{};
  for (int64_t i = 0; i < s.layers; ++i) {
    c.take(a.in, s.n_part * s.h);
    if (i == 0 || recompute != Recompute::full) carve_inside(c, a, s);
    if (i == 0 || recompute == Recompute::none) a.saved = c.take_bytes(saved_bytes);
    layers.push_back(a);
  }
  return layers;
}

template <class T>
void carve(Carver& c, Workspace<T>& w, const RankShape& s, int64_t accumulation,
           Recompute recompute, const kernels::Ops<T>& ops) {
  w.layers = carve_layers<T>(c, s, recompute,
                             ops.attention_saved_bytes(s.micro_batch, s.seq, s.heads, s.d));
  c.take(w.out, s.n_part * s.h);
  c.take(w.final_norm, s.n_part * s.h);
  c.take(w.final_mean, s.n_part);
  c.take(w.final_rstd, s.n_part);
  c.take(w.branch, s.n_part * s.h);
  if (s.n_part < s.n) {
    c.take(w.gathered, s.n * s.h);
    c.take(w.partial, s.n * s.h);
  }
  c.take(w.logits, s.n * s.vocab.rows);
  c.take(w.local_max, s.n);
  c.take(w.row_max, s.n);
  c.take(w.sums, 2 * s.n);
  c.take(w.loss, accumulation * s.n);
  c.take(w.d_residual, s.n_part * s.h);
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
