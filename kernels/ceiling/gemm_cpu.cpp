#include <fmt/format.h>

#include <array>
#include <dnnl.hpp>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/base/status.h"
#include "kernels/ceiling/op.h"
#include "kernels/cpu/parallel.h"
#include "kernels/linear/gemm.h"
#include "kernels/linear/op.h"
#include "kernels/linear/packed.h"

namespace bench::kernels {
namespace {

constexpr std::string_view kMatmul = "matmul",  // oneDNN's primitive
    kSgemm = "sgemm",                           // oneDNN's BLAS-like call, f32 only
    kPacked = "packed";                         // the micro-kernel of our own

// Squares, and the products of a GPT-2 layer for 1024 tokens at hidden 768. Large enough for the
// best, small enough that a round of them takes about a second on two cores.
constexpr std::array kShapes = {
    GemmShape{"square-1536", 1536, 1536, 1536, false, false, kMatmul},
    GemmShape{"square-1536-nt", 1536, 1536, 1536, false, true, kMatmul},
    GemmShape{"square-1536-prepared", 1536, 1536, 1536, false, false, kPreparedWay},
    GemmShape{"square-2048-prepared", 2048, 2048, 2048, false, false, kPreparedWay},
    GemmShape{"mlp-768-prepared", 1024, 3072, 768, false, true, kPreparedWay},
    GemmShape{"mlp-768-nt", 1024, 3072, 768, false, true, kMatmul},
    GemmShape{"weights-768-tn", 3072, 768, 1024, true, false, kMatmul},
    GemmShape{"input-768-sgemm", 1024, 768, 3072, false, false, kSgemm},
    GemmShape{"input-768-packed", 1024, 768, 3072, false, false, kPacked},
};

constexpr std::array kPackedShapes = {
    GemmShape{"square-1536-packed", 1536, 1536, 1536, false, false, kPacked},
    GemmShape{"square-1536-nt-packed", 1536, 1536, 1536, false, true, kPacked},
    GemmShape{"square-1536-tn-packed", 1536, 1536, 1536, true, false, kPacked},
    GemmShape{"mlp-768-packed", 1024, 3072, 768, false, true, kPacked},
    GemmShape{"weights-768-packed", 3072, 768, 1024, true, false, kPacked},
    GemmShape{"input-768-packed", 1024, 768, 3072, false, false, kPacked},
};

}  // namespace

std::vector<std::string_view> gemm_ways(DType dtype) {
  if (dtype != DType::bf16) return {kMatmul, kPreparedWay, kSgemm, kPacked};
  if (cpu::onednn_bf16_arithmetic().empty()) return {kPacked};
  return {kPacked, kMatmul, kPreparedWay};
}

std::string_view gemm_arithmetic(const GemmShape& shape) {
  if (shape.dtype == DType::f32) return "f32";
  return shape.way == kPacked ? "f32 after conversion" : cpu::onednn_bf16_arithmetic();
}

// bf16: by oneDNN only where it multiplies it here.
std::vector<GemmShape> gemm_ceiling_shapes(DType dtype) {
  if (dtype != DType::bf16) return {kShapes.begin(), kShapes.end()};
  std::vector<GemmShape> shapes(kPackedShapes.begin(), kPackedShapes.end());
  if (!cpu::onednn_bf16_arithmetic().empty()) {
    for (const GemmShape& s : kShapes) {
      if (s.way == kMatmul || s.way == kPreparedWay) shapes.push_back(s);
    }
  }
  for (GemmShape& s : shapes) s.dtype = dtype;
  return shapes;
}

namespace {

using Type = dnnl::memory::data_type;

dnnl::memory::desc stored(Type type, int64_t rows, int64_t columns, bool transposed) {
  const auto strides = transposed ? dnnl::memory::dims{1, rows} : dnnl::memory::dims{columns, 1};
  return {{rows, columns}, type, strides};
}

dnnl::memory::desc any(Type type, int64_t rows, int64_t columns) {
  return {{rows, columns}, type, dnnl::memory::format_tag::any};
}

// Multiples of 1/256 in [-0.5, 0.5) that do not repeat along a row.
std::vector<float> fixed_content(int64_t size, uint64_t seed) {
  std::vector<float> out(size);
  uint64_t state = seed;
  for (float& x : out) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth's MMIX
    x = static_cast<float>(state >> 56) / 256 - 0.5f;
  }
  return out;
}

bool is_onednn(std::string_view way) { return way == kMatmul || way == kPreparedWay; }

}  // namespace

struct GemmCeiling::Prepared {
  explicit Prepared(const GemmShape& s)
      : shape(s),
        narrow(s.dtype == DType::bf16),
        narrow_c(narrow && !s.transpose_a),
        a(fixed_content(s.m * s.k, 1)),
        b(fixed_content(s.k * s.n, 2)),
        c(narrow_c ? 0 : static_cast<size_t>(s.m * s.n)),
        c16(narrow_c ? static_cast<size_t>(s.m * s.n) : 0) {
    if (narrow) {
      for (const float x : a) a16.emplace_back(x);
      for (const float x : b) b16.emplace_back(x);
    }
    if (is_onednn(s.way)) make_primitive();
  }

  void make_primitive() {
    const GemmShape& s = shape;
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const Type type = narrow ? Type::bf16 : Type::f32;
    const bool own_layout = s.way == kPreparedWay;
    const auto plain_a = stored(type, s.m, s.k, s.transpose_a);
    const auto plain_b = stored(type, s.k, s.n, s.transpose_b);
    const auto plain_c = stored(narrow_c ? Type::bf16 : Type::f32, s.m, s.n, false);
    const dnnl::matmul::primitive_desc chosen(
        dnnl::matmul::desc(own_layout ? any(type, s.m, s.k) : plain_a,
                           own_layout ? any(type, s.k, s.n) : plain_b, plain_c),
        attributes, engine);
    primitive = dnnl::matmul(chosen);
    arguments = {{DNNL_ARG_SRC, in_layout(plain_a, chosen.src_desc(), address(a, a16))},
                 {DNNL_ARG_WEIGHTS, in_layout(plain_b, chosen.weights_desc(), address(b, b16))},
                 {DNNL_ARG_DST, dnnl::memory(plain_c, engine,
                                             narrow_c ? static_cast<void*>(c16.data()) : c.data())},
                 {DNNL_ARG_SCRATCHPAD, dnnl::memory(chosen.scratchpad_desc(), engine)}};
  }

  void* address(std::vector<float>& wide, std::vector<bfloat16>& values) const {
    return narrow ? static_cast<void*>(values.data()) : wide.data();
  }

  // The values as they are where that is the wanted layout, else a reordered copy.
  dnnl::memory in_layout(const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted,
                         void* values) {
    dnnl::memory from(plain, engine, values);
    if (plain == wanted) return from;
    dnnl::memory to(wanted, engine);
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    return to;
  }

  cpu::Gemm<float> as_gemm() {
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

  template <class T, class Out>
  cpu::PackedProduct<T, Out> as_packed(const T* left, const T* right, Out* to) const {
    const GemmShape& s = shape;
    return {.m = s.m,
            .n = s.n,
            .k = s.k,
            .left = {.at = left,
                     .line_step = s.transpose_a ? 1 : s.k,
                     .depth_step = s.transpose_a ? s.m : 1},
            .right = {.at = right,
                      .line_step = s.transpose_b ? s.k : 1,
                      .depth_step = s.transpose_b ? 1 : s.n},
            .c = to};
  }

  void run_packed(const Context& context) {
    if (!narrow) return cpu::multiply_packed(context, as_packed(a.data(), b.data(), c.data()));
    if (narrow_c)
      return cpu::multiply_packed(context, as_packed(a16.data(), b16.data(), c16.data()));
    cpu::multiply_packed(context, as_packed(a16.data(), b16.data(), c.data()));
  }

  GemmShape shape;
  bool narrow, narrow_c;  // the operands, the result are bf16
  std::vector<float> a, b, c;
  std::vector<bfloat16> a16, b16, c16;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::matmul primitive;
  std::unordered_map<int, dnnl::memory> arguments;
};

GemmCeiling::GemmCeiling(const Context& context, const GemmShape& shape) {
  const cpu::ScopedThreads threads(context);
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
  const cpu::ScopedThreads threads(context);
  if (prepared_->shape.way == kSgemm) return cpu::gemm(prepared_->as_gemm());
  if (prepared_->shape.way == kPacked) return prepared_->run_packed(context);
  prepared_->primitive.execute(prepared_->stream, prepared_->arguments);
  prepared_->stream.wait();
}

const GemmShape& GemmCeiling::shape() const { return prepared_->shape; }
std::vector<float> GemmCeiling::a() const { return prepared_->a; }
std::vector<float> GemmCeiling::b() const { return prepared_->b; }
std::vector<float> GemmCeiling::c() const {
  if (!prepared_->narrow_c) return prepared_->c;
  return {prepared_->c16.begin(), prepared_->c16.end()};
}

}  // namespace bench::kernels
