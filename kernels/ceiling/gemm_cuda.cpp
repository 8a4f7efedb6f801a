#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "bench/base/status.h"
#include "bench/device/buffer.h"
#include "kernels/ceiling/op.h"
#include "kernels/linear/lt_product.h"
#include "kernels/linear/op.h"
#include "kernels/linear/probe.h"

namespace bench::kernels {
namespace {

constexpr std::string_view kWay = "cublaslt";

// Large enough to fill every multiprocessor many times: what is left over at the end is then little
// beside the whole.
constexpr std::array kShapes = {
    GemmShape{"square-8192", 8192, 8192, 8192, false, false, kWay, DType::bf16},
    GemmShape{"square-8192-nt", 8192, 8192, 8192, false, true, kWay, DType::bf16},
    GemmShape{"square-4096-nt", 4096, 4096, 4096, false, true, kWay, DType::bf16},
    GemmShape{"deep-4096-nt", 4096, 4096, 16384, false, true, kWay, DType::bf16},
    GemmShape{"mlp-4096-nt", 8192, 16384, 4096, false, true, kWay, DType::bf16},
    GemmShape{"weights-4096-tn", 4096, 4096, 16384, true, false, kWay, DType::bf16},
    GemmShape{"square-4096", 4096, 4096, 4096, false, false, kWay, DType::f32},
    GemmShape{"square-4096-nt", 4096, 4096, 4096, false, true, kWay, DType::f32},
    GemmShape{"mlp-2048-nt", 4096, 8192, 2048, false, true, kWay, DType::f32},
    GemmShape{"weights-2048-tn", 8192, 2048, 4096, true, false, kWay, DType::f32},
    GemmShape{"deep-2048-nt", 2048, 2048, 16384, false, true, kWay, DType::f32},
    GemmShape{"input-2048", 4096, 2048, 8192, false, false, kWay, DType::f32},
};

size_t bytes_of(int64_t rows, int64_t columns, DType dtype) {
  return static_cast<size_t>(rows * columns) * size_of(dtype);
}

}  // namespace

std::vector<std::string_view> gemm_ways(DType) { return {kWay}; }

std::string_view gemm_arithmetic(const GemmShape& shape) {
  return shape.dtype == DType::bf16 ? kBf16TensorCores : "f32";
}

std::vector<GemmShape> gemm_ceiling_shapes(DType dtype) {
  std::vector<GemmShape> shapes;
  for (const GemmShape& s : kShapes) {
    if (s.dtype == dtype) shapes.push_back(s);
  }
  return shapes;
}

struct GemmCeiling::Prepared {
  Prepared(const Context& context, const GemmShape& s)
      : shape(s),
        result(s.transpose_a ? DType::f32 : s.dtype),
        device(context.device),
        stream(context.stream),
        a(device, static_cast<int64_t>(bytes_of(s.m, s.k, s.dtype))),
        b(device, static_cast<int64_t>(bytes_of(s.k, s.n, s.dtype))),
        c(device, static_cast<int64_t>(bytes_of(s.m, s.n, result))) {
    cuda::fill_probe(context, s.dtype, s.m * s.k, 1, a.data());
    cuda::fill_probe(context, s.dtype, s.k * s.n, 2, b.data());
    if (run(context)) return;
    throw EnvironmentError(fmt::format("cuBLASLt cannot prepare the product '{}'", s.name));
  }

  bool run(const Context& context) {
    const RowMajorProduct extents{.m = shape.m,
                                  .n = shape.n,
                                  .k = shape.k,
                                  .transpose_a = shape.transpose_a,
                                  .transpose_b = shape.transpose_b};
    return cuda::lt_multiply(context,
                             {.shape = extents,
                              .operands = shape.dtype,
                              .result = result,
                              .a = a.data(),
                              .b = b.data(),
                              .c = c.data()},
                             // No result that has to be the same bits.
                             cuda::kExhaustiveSearch);
  }

  template <class T>
  std::vector<T> copied(const Buffer<std::byte>& from) const {
    std::vector<T> values(from.bytes() / sizeof(T));
    device.copy(stream, values.data(), from.data(), from.bytes());
    device.synchronize(stream);
    return values;
  }

  std::vector<float> on_host(const Buffer<std::byte>& from, DType dtype) const {
    if (dtype == DType::f32) return copied<float>(from);
    const auto narrow = copied<bfloat16>(from);
    return {narrow.begin(), narrow.end()};
  }

  GemmShape shape;
  DType result;
  Device& device;
  Stream stream;
  Buffer<std::byte> a, b, c;
};

GemmCeiling::GemmCeiling(const Context& context, const GemmShape& shape)
    : prepared_(std::make_unique<Prepared>(context, shape)) {}

GemmCeiling::~GemmCeiling() = default;
GemmCeiling::GemmCeiling(GemmCeiling&&) noexcept = default;
GemmCeiling& GemmCeiling::operator=(GemmCeiling&&) noexcept = default;

void GemmCeiling::run(const Context& context) { prepared_->run(context); }

const GemmShape& GemmCeiling::shape() const { return prepared_->shape; }
std::vector<float> GemmCeiling::a() const {
  return prepared_->on_host(prepared_->a, prepared_->shape.dtype);
}
std::vector<float> GemmCeiling::b() const {
  return prepared_->on_host(prepared_->b, prepared_->shape.dtype);
}
std::vector<float> GemmCeiling::c() const {
  return prepared_->on_host(prepared_->c, prepared_->result);
}

}  // namespace bench::kernels
