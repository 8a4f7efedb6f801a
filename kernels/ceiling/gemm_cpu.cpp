#include <fmt/format.h>

#include <array>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "bench/base/status.h"
#include "kernels/ceiling/op.h"
#include "kernels/cpu/parallel.h"
#include "kernels/linear/gemm.h"

namespace bench::kernels {
namespace {

// Squares, and the products of a GPT-2 layer for 1024 tokens at hidden 768. Large enough for the
// library's best, small enough that a round of them takes about a second on two cores.
constexpr std::array<GemmShape, 8> kShapes{{
    {"square-1536", 1536, 1536, 1536, false, false, false},
    {"square-1536-nt", 1536, 1536, 1536, false, true, false},
    {"square-1536-prepared", 1536, 1536, 1536, false, false, true},
    {"square-2048-prepared", 2048, 2048, 2048, false, false, true},
    {"mlp-768-prepared", 1024, 3072, 768, false, true, true},
    {"mlp-768-nt", 1024, 3072, 768, false, true, false},
    {"weights-768-tn", 3072, 768, 1024, true, false, false},
    {"input-768-sgemm", 1024, 768, 3072, false, false, false, true},
}};

}  // namespace

std::span<const GemmShape> gemm_ceiling_shapes() { return kShapes; }

namespace cpu {
namespace {

dnnl::memory::desc stored(int64_t rows, int64_t columns, bool transposed) {
  const auto strides = transposed ? dnnl::memory::dims{1, rows} : dnnl::memory::dims{columns, 1};
  return {{rows, columns}, dnnl::memory::data_type::f32, strides};
}

dnnl::memory::desc any(int64_t rows, int64_t columns) {
  return {{rows, columns}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
}

// Multiples of 1/512 in [-0.5, 0.5) that do not repeat along a row.
std::vector<float> fixed_content(int64_t size, uint64_t seed) {
  std::vector<float> out(size);
  uint64_t state = seed;
  for (float& x : out) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth's MMIX
    x = static_cast<float>(state >> 55) / 512 - 0.5f;
  }
  return out;
}

}  // namespace

struct GemmCeiling::Prepared {
  explicit Prepared(const GemmShape& s)
      : shape(s),
        a(fixed_content(s.m * s.k, 1)),
        b(fixed_content(s.k * s.n, 2)),
        c(static_cast<size_t>(s.m * s.n)) {
    if (s.sgemm) return;
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const auto plain_a = stored(s.m, s.k, s.transpose_a), plain_b = stored(s.k, s.n, s.transpose_b);
    const auto plain_c = stored(s.m, s.n, false);
    const dnnl::matmul::primitive_desc chosen(
        dnnl::matmul::desc(s.prepared ? any(s.m, s.k) : plain_a,
                           s.prepared ? any(s.k, s.n) : plain_b, plain_c),
        attributes, engine);
    primitive = dnnl::matmul(chosen);
    arguments = {{DNNL_ARG_SRC, in_layout(plain_a, chosen.src_desc(), a)},
                 {DNNL_ARG_WEIGHTS, in_layout(plain_b, chosen.weights_desc(), b)},
                 {DNNL_ARG_DST, dnnl::memory(plain_c, engine, c.data())},
                 {DNNL_ARG_SCRATCHPAD, dnnl::memory(chosen.scratchpad_desc(), engine)}};
  }

  // The values as they are where that is the wanted layout, else a reordered copy.
  dnnl::memory in_layout(const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted,
                         std::vector<float>& values) {
    dnnl::memory from(plain, engine, values.data());
    if (plain == wanted) return from;
    dnnl::memory to(wanted, engine);
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    return to;
  }

  Gemm<float> as_gemm() {
    return {.transpose_a = shape.transpose_a,
            .transpose_b = shape.transpose_b,
            .m = shape.m,
            .n = shape.n,
            .k = shape.k,
            .a = a.data(),
            .lda = shape.transpose_a ? shape.m : shape.k,
            .b = b.data(),
            .ldb = shape.transpose_b ? shape.k : shape.n,
            .c = c.data(),
            .ldc = shape.n};
  }

  GemmShape shape;
  std::vector<float> a, b, c;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::matmul primitive;
  std::unordered_map<int, dnnl::memory> arguments;
};

GemmCeiling::GemmCeiling(const Context& context, const GemmShape& shape) {
  const ScopedThreads threads(context);
  try {
    prepared_ = std::make_unique<Prepared>(shape);
  } catch (const dnnl::error& e) {
    throw EnvironmentError(
        fmt::format("oneDNN cannot prepare the product '{}': {}", shape.name, e.what()));
  }
}

GemmCeiling::~GemmCeiling() = default;
GemmCeiling::GemmCeiling(GemmCeiling&&) noexcept = default;
GemmCeiling& GemmCeiling::operator=(GemmCeiling&&) noexcept = default;

void GemmCeiling::run(const Context& context) {
  const ScopedThreads threads(context);
  if (prepared_->shape.sgemm) return gemm(prepared_->as_gemm());
  prepared_->primitive.execute(prepared_->stream, prepared_->arguments);
  prepared_->stream.wait();
}

const GemmShape& GemmCeiling::shape() const { return prepared_->shape; }
std::span<const float> GemmCeiling::a() const { return prepared_->a; }
std::span<const float> GemmCeiling::b() const { return prepared_->b; }
std::span<const float> GemmCeiling::c() const { return prepared_->c; }

}  // namespace cpu
}  // namespace bench::kernels
