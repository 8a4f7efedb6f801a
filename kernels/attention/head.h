#pragma once
// Where one head of one sequence lies in the arguments of attention.

#include <cmath>
#include <cstdint>

#include "kernels/attention/op.h"

namespace bench::kernels::cpu {

template <class T, class Args>
struct Head {
  Head(const Args& a, int64_t task)  // task: batch index · heads + head
      : qkv_row(a.heads * 3 * a.d),
        out_row(a.heads * a.d),
        q(a.qkv + qkv_offset(a, task / a.heads, 0, task % a.heads, 0)),
        k(q + a.d),
        v(k + a.d),
        out((task / a.heads * a.seq * a.heads + task % a.heads) * a.d) {}

  int64_t qkv_row, out_row;  // distance of two rows
  const T *q, *k, *v;
  int64_t out;  // offset in [batch*seq, heads, d]
};

inline double score_scale(int64_t d) { return 1 / std::sqrt(static_cast<double>(d)); }

}  // namespace bench::kernels::cpu
