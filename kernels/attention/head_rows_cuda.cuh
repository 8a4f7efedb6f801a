#pragma once
// What the kernels of attention share.

#include <cmath>
#include <cstdint>

#include "kernels/attention/tiles.h"

namespace bench::kernels::cuda {

inline constexpr float kLog2E = 1.44269504088896341f;
inline constexpr unsigned kWholeWarp = 0xffffffff;

// Where one head of one sequence (task: batch index · heads + head) lies in [batch*seq, heads, 3,
// d] and [batch*seq, heads, d].
template <class Args>
struct HeadRows {
  __device__ __forceinline__ HeadRows(const Args& a, int task)
      : qkv((task / a.heads * a.seq * a.heads + task % a.heads) * 3 * a.d),
        out((task / a.heads * a.seq * a.heads + task % a.heads) * a.d),
        qkv_step(a.heads * 3 * a.d),
        out_step(a.heads * a.d) {}
  int64_t qkv, out;            // of the first row
  int64_t qkv_step, out_step;  // distance of two rows
};

// How a forward's grid shares the work: tiles::share_of.
struct ForwardGrid {
  int tasks, tiles_per_task, section;
  __host__ __device__ int64_t blocks() const { return int64_t{tasks} * tiles_per_task; }
  __device__ __forceinline__ tiles::Share share(int block) const {
    return tiles::share_of(block, tasks, tiles_per_task, section);
  }
};

// What exponents are taken relative to: a row of nothing but -infinity so far stays zero.
__device__ __forceinline__ float shift_of(float most, float scale) {
  return most == -INFINITY ? 0 : most * scale;
}

}  // namespace bench::kernels::cuda
