#include "parallel/gpt2/workspace.h"

namespace bench::gpt2 {
namespace {

// Hands out pieces of a buffer; without one it only counts, so that one function both sizes and
// carves.
template <class T>
class Carver {
 public:
  explicit Carver(T* base) : base_(base) {}
  T* take(int64_t size) {
    T* piece = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (size + 15) / 16 * 16;  // 64 bytes at least
    return piece;
  }
  int64_t used() const { return used_; }

 private:
  T* base_;
  int64_t used_ = 0;
};

template <class T>
LayerActivations<T> carve_layer(Carver<T>& c, const RankShape& s, int64_t saved_bytes) {
  LayerActivations<T> a{};
  a.in = c.take(s.n * s.h);
  a.ln1 = c.take(s.n * s.h);
  a.ln1_mean = c.take(s.n);
  a.ln1_rstd = c.take(s.n);
  a.qkv = c.take(s.n * 3 * s.h_part);
  a.attention = c.take(s.n * s.h_part);
  a.saved =
      c.take((saved_bytes + static_cast<int64_t>(sizeof(T)) - 1) / static_cast<int64_t>(sizeof(T)));
  a.mid = c.take(s.n * s.h);
  a.ln2 = c.take(s.n * s.h);
  a.ln2_mean = c.take(s.n);
  a.ln2_rstd = c.take(s.n);
  a.fc1 = c.take(s.n * s.ff);
  a.gelu = c.take(s.n * s.ff);
  return a;
}

template <class T>
void carve(Carver<T>& c, Workspace<T>& w, const RankShape& s, int64_t accumulation,
           int64_t saved_bytes) {
  w.layers.clear();
  for (int64_t i = 0; i < s.layers; ++i) w.layers.push_back(carve_layer(c, s, saved_bytes));
  w.out = c.take(s.n * s.h);
  w.final_norm = c.take(s.n * s.h);
  w.final_mean = c.take(s.n);
  w.final_rstd = c.take(s.n);
  w.branch = c.take(s.n * s.h);
  w.logits = c.take(s.n * s.vocab.rows);
  w.row_max = c.take(s.n);
  w.sums = c.take(2 * s.n);
  w.loss = c.take(accumulation * s.n);
  w.d_residual = c.take(s.n * s.h);
  w.d_norm = c.take(s.n * s.h);
  w.d_part = c.take(s.n * s.h_part);
  w.d_wide = c.take(s.n * s.ff);
}

}  // namespace

template <class T>
Workspace<T>::Workspace(Device& device, const RankShape& shape, int64_t accumulation,
                        const kernels::Ops<T>& ops) {
  const int64_t saved =
      ops.attention_saved_bytes(shape.micro_batch, shape.seq, shape.heads, shape.d);
  Carver<T> counting(nullptr);
  carve(counting, *this, shape, accumulation, saved);
  memory_ = Buffer<T>(device, counting.used());
  Carver<T> carving(memory_.data());
  carve(carving, *this, shape, accumulation, saved);
}

template struct Workspace<float>;
template struct Workspace<double>;

}  // namespace bench::gpt2
