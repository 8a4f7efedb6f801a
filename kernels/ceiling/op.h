#pragma once
// What the machine can do at best: matrix products and memory streams, to hold other times against.
// The library of each device's kernels defines them; pointers are memory of the device.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/rounding.h"

namespace bench::kernels {

// c[m,n] = op(a)[m,k] · op(b)[k,n] from operands of type f32 or bf16, sums kept in f32. c is of the
// same type, but f32 where `a` is transposed, as in a weight gradient.
struct GemmShape {
  std::string_view name;
  int64_t m, n, k;
  bool transpose_a, transpose_b;  // stored as [k,m], as [n,k]
  std::string_view way;           // one of gemm_ways()
  DType dtype = DType::f32;

  double flops() const {
    return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  }
};

// The operands were brought into a layout of the library's own outside the timed part, as a weight
// that stays the same could be.
inline constexpr std::string_view kPreparedWay = "prepared";

// How this device can compute products of a type, f32 or bf16, by names of its own.
std::vector<std::string_view> gemm_ways(DType dtype);

// What the operands are multiplied in: "f32", "f32 after conversion".
std::string_view gemm_arithmetic(const GemmShape& shape);

// Large products in several shapes, layouts and ways: the ceiling is the best of them, since none
// is the best everywhere.
std::vector<GemmShape> gemm_ceiling_shapes(DType dtype);

inline void reference_gemm(const GemmShape& s, const float* a, const float* b, float* c) {
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < s.k; ++p) {
        sum += static_cast<double>(s.transpose_a ? a[p * s.m + i] : a[i * s.k + p]) *
               (s.transpose_b ? b[j * s.k + p] : b[p * s.n + j]);
      }
      c[i * s.n + j] = static_cast<float>(sum);
    }
  }
}

inline double gemm_tolerance(const GemmShape& s) {
  const bool narrow = s.dtype == DType::bf16 && !s.transpose_a;
  return narrow ? sum_tolerance<bfloat16>(s.k) : sum_tolerance<float>(s.k);
}

// A pass over memory: what is read and written for each element.
enum class StreamKind {
  kRead,   // sum of a        1 read
  kCopy,   // c = a           1 read, 1 write
  kTriad,  // c = a + 3 b     2 reads, 1 write (McCalpin 1995)
};

// Arrays of `size` elements, far larger than the caches where memory is to be measured.
// `non_temporal` stores go past the caches, so that a written line is not read first; they want c
// aligned to 64 bytes.
struct StreamPass {
  StreamKind kind;
  bool non_temporal;
  int64_t size;
  const float* a;         // [size]
  const float* b;         // [size], triad only
  float* c;               // [size], copy and triad
  double* sum = nullptr;  // read: where the sum goes, written

  // Bytes the loop names; a write that is not non-temporal makes the hardware read the line as
  // well.
  double bytes() const {
    const double arrays = kind == StreamKind::kRead ? 1 : kind == StreamKind::kCopy ? 2 : 3;
    return arrays * static_cast<double>(size) * sizeof(float);
  }
};

inline void reference_stream(const StreamPass& s) {
  double sum = 0;
  for (int64_t i = 0; i < s.size; ++i) {
    if (s.kind == StreamKind::kRead) sum += s.a[i];
    if (s.kind == StreamKind::kCopy) s.c[i] = s.a[i];
    if (s.kind == StreamKind::kTriad) s.c[i] = static_cast<float>(s.a[i] + 3.0 * s.b[i]);
  }
  if (s.kind == StreamKind::kRead) *s.sum = sum;
}

// Of kRead's sum, whose additions are in f32 within a thread's chunk; the others are exact but for
// one rounding.
inline double stream_tolerance(int64_t size) { return sum_tolerance<float>(size); }

// A pass with the traffic of an op: so many arrays read and written for each element, the written
// ones being the first of those read where it works in place. Named as ops name their pattern.
struct StreamPattern {
  std::string_view name;  // "r4w3"
  int reads, writes;
  bool in_place;
};

inline constexpr StreamPattern kStreamPatterns[] = {
    {"r2w1", 2, 1, true},   // a residual addition
    {"r2w2", 2, 2, false},  // layer norm forward with a residual
    {"r3w1", 3, 1, false},  // layer norm backward with one
    {"r4w3", 4, 3, true},   // AdamW
};

// Every output becomes the mean of the inputs. non_temporal: as for StreamPass, of every output,
// and not in place.
struct PatternPass {
  StreamPattern pattern;
  bool non_temporal;
  int64_t size;
  const float* in[4];  // [size] each, the first `reads` of them
  float* out[3];       // [size] each, the first `writes`; in place: what in[0], in[1], ... are

  double bytes() const {
    return static_cast<double>((pattern.reads + pattern.writes) * size) * sizeof(float);
  }
};

inline void reference_pattern_stream(const PatternPass& s) {
  for (int64_t i = 0; i < s.size; ++i) {
    double sum = 0;
    for (int k = 0; k < s.pattern.reads; ++k) sum += s.in[k][i];
    for (int k = 0; k < s.pattern.writes; ++k) {
      s.out[k][i] = static_cast<float>(sum / s.pattern.reads);
    }
  }
}

// How fast exponentials and random numbers can be made at all, without memory: `size` of them, in
// blocks of so many that stay in a first cache.
inline constexpr int64_t kArithmeticBlock = 2048;

// Into how many parts a pass is cut, evenly and in order: one for each thread of a CPU.
int64_t arithmetic_parts(const Context& context);

// y = exp(x), block after block of the same x.
struct ExpPass {
  int64_t size;
  const float* x;  // [kArithmeticBlock], <= 88
  float* y;        // [arithmetic_parts(), kArithmeticBlock]: the last block of each part
};

// The 16 bits of a dropout element each, from position 0 on; size a multiple of the block.
struct RandomPass {
  int64_t size;
  uint64_t seed;
  uint16_t* bits;  // [arithmetic_parts(), kArithmeticBlock]: the last block of each part
};

// A product prepared once and run many times; it owns operands of fixed content and the result.
class GemmCeiling {
 public:
  // Throws EnvironmentError where the device's library cannot.
  GemmCeiling(const Context& context, const GemmShape& shape);
  ~GemmCeiling();
  GemmCeiling(GemmCeiling&&) noexcept;
  GemmCeiling& operator=(GemmCeiling&&) noexcept;

  // Into the context's stream; on the thread that made it, one call at a time.
  void run(const Context& context);

  const GemmShape& shape() const;
  // Copies on the host; `c` waits for what was given to the stream.
  std::vector<float> a() const;  // as stored before preparing; exact in bf16, too
  std::vector<float> b() const;
  std::vector<float> c() const;  // [m,n] row-major

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

// One pass. Throws UsageError for non-temporal stores to an address that is not a multiple of 64.
void stream(const Context& context, const StreamPass& pass);
void pattern_stream(const Context& context, const PatternPass& pass);

void exponentials(const Context& context, const ExpPass& pass);
void random_numbers(const Context& context, const RandomPass& pass);

}  // namespace bench::kernels
