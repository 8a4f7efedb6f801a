#include <algorithm>
#include <string>

#include "bench/base/status.h"
#include "kernels/ceiling/op.h"
#include "kernels/cuda/sum.cuh"
#include "kernels/dropout/philox.h"

namespace bench::kernels {
namespace cuda {
namespace {

// Of `kReads` arrays one number for each element, into `kWrites` of them. kStream: what is written
// leaves the caches first.
template <class Value, int kReads, int kWrites, bool kStream, int N>
struct StreamWalk : KeepsNothing {
  static constexpr int kWidth = N, kBlocks = 4, kInFlight = 8 / kReads;
  const float* in[kReads];
  float* out[kWrites];

  struct In {
    Pack<float, N> of[kReads];
  };

  __device__ In load(int64_t i, int count) const {
    In values;
#pragma unroll
    for (int k = 0; k < kReads; ++k) values.of[k] = cuda::load<N>(in[k] + i, count);
    return values;
  }
  __device__ void apply(int64_t i, int count, const In& values, const Kept&) const {
    float results[N];
#pragma unroll
    for (int e = 0; e < N; ++e) {
      float of_element[kReads];
#pragma unroll
      for (int k = 0; k < kReads; ++k) of_element[k] = values.of[k][e];
      results[e] = Value()(of_element);
    }
#pragma unroll
    for (int k = 0; k < kWrites; ++k) {
      if (kStream && count == N) {
        store_streaming(out[k] + i, rounded<float>(results));
      } else {
        store(out[k] + i, rounded<float>(results), count);
      }
    }
  }
};

struct Same {
  __device__ float operator()(const float (&x)[1]) const { return x[0]; }
};

struct Triad {
  __device__ float operator()(const float (&x)[2]) const { return fmaf(3.0f, x[1], x[0]); }
};

struct Mean {
  template <int kReads>
  __device__ float operator()(const float (&x)[kReads]) const {
    float sum = x[0];
#pragma unroll
    for (int k = 1; k < kReads; ++k) sum += x[k];
    return sum * (1.0f / kReads);
  }
};

template <class Value, int kReads, int kWrites>
struct Arrays {
  const float* in[kReads];
  float* out[kWrites];
  int64_t size;
  bool stream;
};

template <class Value, int kReads, int kWrites>
void run(const Context& context, const char* what, const Arrays<Value, kReads, kWrites>& a) {
  const auto is_aligned = [](const float* array) { return aligned(array); };
  const bool all = std::all_of(a.in, a.in + kReads, is_aligned) &&
                   std::all_of(a.out, a.out + kWrites, is_aligned);
  const auto walk_with = [&](auto op) {
    std::copy_n(a.in, kReads, op.in);
    std::copy_n(a.out, kWrites, op.out);
    run_walk(context, what, op, a.size);
  };
  with_width<float>(all, [&](auto width) {
    if (a.stream) {
      walk_with(StreamWalk<Value, kReads, kWrites, true, width>{});
    } else {
      walk_with(StreamWalk<Value, kReads, kWrites, false, width>{});
    }
  });
}

template <int kReads, int kWrites>
void run_pattern(const Context& context, const PatternPass& pass) {
  Arrays<Mean, kReads, kWrites> arrays{.size = pass.size, .stream = pass.non_temporal};
  std::copy_n(pass.in, kReads, arrays.in);
  std::copy_n(pass.out, kWrites, arrays.out);
  run(context, "pattern stream", arrays);
}

// Blocks of threads a multiprocessor, each with a part of the numbers.
constexpr int kPartsEach = 2, kArithmeticThreads = 1024;

// The blocks of numbers that a block of threads has.
struct Part {
  int64_t begin, end;
  __device__ explicit Part(int64_t size) {
    const int64_t blocks = size / kArithmeticBlock, parts = gridDim.x;
    begin = blocks * blockIdx.x / parts;
    end = blocks * (int64_t{blockIdx.x} + 1) / parts;
  }
};

// As the row ops have it: base 2, of what was multiplied before. Arguments are read again for each
// block, and all results are added up, or the assembler would compute only the last block.
__global__ void __launch_bounds__(kArithmeticThreads)
    exponentials_of_parts(const __grid_constant__ ExpPass pass) {
  constexpr int kEach = kArithmeticBlock / kArithmeticThreads;
  __shared__ volatile float x[kArithmeticBlock];
  for (int i = static_cast<int>(threadIdx.x); i < kArithmeticBlock; i += kArithmeticThreads) {
    x[i] = pass.x[i];
  }
  __syncthreads();
  float y[kEach], sums[kEach] = {};
  const Part part(pass.size);
  for (int64_t block = part.begin; block < part.end; ++block) {
#pragma unroll
    for (int k = 0; k < kEach; ++k) {
      y[k] = fast_exp2(x[k * kArithmeticThreads + threadIdx.x] * 1.44269504f);
      sums[k] += y[k];
    }
  }
  if (part.begin == part.end) return;
  float* const to = pass.y + blockIdx.x * kArithmeticBlock;
#pragma unroll
  for (int k = 0; k < kEach; ++k) {
    to[k * kArithmeticThreads + threadIdx.x] = sums[k] >= 0 ? y[k] : sums[k];  // never less
  }
}

struct RandomParts {
  RandomPass pass;
  Philox::Schedule keys;
};

// A thread draws for eight elements at a time, so the threads share several blocks of numbers.
__global__ void __launch_bounds__(kArithmeticThreads)
    random_parts(const __grid_constant__ RandomParts parts) {
  constexpr int kDraws = kArithmeticBlock / static_cast<int>(kPhiloxElements);
  const auto draw_of_block = static_cast<int>(threadIdx.x) % kDraws;
  const Part part(parts.pass.size);
  Philox::Counter draw{};
  int64_t block = part.begin + threadIdx.x / kDraws;
  for (; block < part.end; block += kArithmeticThreads / kDraws) {
    draw = dropout_draw(parts.keys, static_cast<uint64_t>(block * kDraws + draw_of_block));
    // Each counts, not only the last.
#pragma unroll
    for (int k = 0; k < 4; ++k) draw[k] = used(draw[k]);
  }
  if (part.begin == part.end || block - kArithmeticThreads / kDraws != part.end - 1) return;
  uint16_t* const to = parts.pass.bits + blockIdx.x * kArithmeticBlock +
                       draw_of_block * static_cast<int>(kPhiloxElements);
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    to[k] = static_cast<uint16_t>(draw[k / 2] >> (k % 2 * 16));
  }
}

void require_alignment(const float* to) {
  const auto address = reinterpret_cast<uintptr_t>(to);
  if (address % 64 == 0) return;
  throw UsageError("non-temporal stores need memory aligned to 64 bytes, not " +
                   std::to_string(address % 64) + " past such a multiple");
}

}  // namespace
}  // namespace cuda

void stream(const Context& context, const StreamPass& pass) {
  using namespace cuda;
  if (pass.non_temporal && pass.kind != StreamKind::kRead) require_alignment(pass.c);
  switch (pass.kind) {
    case StreamKind::kRead:
      return sum_of<Itself>(context, "read stream", pass.a, pass.size, Total::kWrite, pass.sum);
    case StreamKind::kCopy:
      return run(context, "copy stream",
                 Arrays<Same, 1, 1>{{pass.a}, {pass.c}, pass.size, pass.non_temporal});
    case StreamKind::kTriad:
      return run(context, "triad stream",
                 Arrays<Triad, 2, 1>{{pass.a, pass.b}, {pass.c}, pass.size, pass.non_temporal});
  }
}

void pattern_stream(const Context& context, const PatternPass& pass) {
  using namespace cuda;
  for (int k = 0; pass.non_temporal && k < pass.pattern.writes; ++k) require_alignment(pass.out[k]);
  switch (10 * pass.pattern.reads + pass.pattern.writes) {
    case 21: return run_pattern<2, 1>(context, pass);
    case 22: return run_pattern<2, 2>(context, pass);
    case 31: return run_pattern<3, 1>(context, pass);
    case 43: return run_pattern<4, 3>(context, pass);
  }
  throw UsageError("no stream with " + std::to_string(pass.pattern.reads) + " reads and " +
                   std::to_string(pass.pattern.writes) + " writes");
}

int64_t arithmetic_parts(const Context&) {
  return int64_t{cuda::multiprocessors()} * cuda::kPartsEach;
}

void exponentials(const Context& context, const ExpPass& pass) {
  const auto parts = static_cast<unsigned>(arithmetic_parts(context));
  cuda::launch(context, "exponentials", {.blocks = parts, .threads = cuda::kArithmeticThreads},
               cuda::exponentials_of_parts, pass);
}

void random_numbers(const Context& context, const RandomPass& pass) {
  const auto parts = static_cast<unsigned>(arithmetic_parts(context));
  cuda::launch(context, "random numbers", {.blocks = parts, .threads = cuda::kArithmeticThreads},
               cuda::random_parts, {pass, dropout_keys(pass.seed)});
}

}  // namespace bench::kernels
