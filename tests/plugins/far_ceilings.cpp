// The ceilings as a kernel library defines them, for tensors of a FarDevice: by their formulas.
// Products have no tensors outside of their class and are left out.
#include <cmath>
#include <cstddef>
#include <cstring>

#include "kernels/ceiling/op.h"
#include "kernels/copy_column.h"
#include "kernels/dropout/op.h"
#include "tests/kernels/far_device.h"

namespace bench::kernels {
namespace {
using test::to_near;

// The last block of each part, as first block and place.
template <class Body>
void for_each_last_block(const Context& context, int64_t size, const Body& body) {
  const int64_t blocks = size / kArithmeticBlock, parts = arithmetic_parts(context);
  for (int64_t part = 0; part < parts; ++part) {
    body((blocks * (part + 1) / parts - 1) * kArithmeticBlock, part * kArithmeticBlock);
  }
}

}  // namespace

std::string_view gemm_arithmetic(const GemmShape&) { return "f32"; }
std::vector<GemmShape> gemm_ceiling_shapes(DType) { return {}; }

struct GemmCeiling::Prepared {
  GemmShape shape;
};
GemmCeiling::GemmCeiling(const Context&, const GemmShape& shape)
    : prepared_(new Prepared{.shape = shape}) {}
GemmCeiling::~GemmCeiling() = default;
void GemmCeiling::run(const Context&) {}
const GemmShape& GemmCeiling::shape() const { return prepared_->shape; }
std::vector<float> GemmCeiling::a() const { return {}; }
std::vector<float> GemmCeiling::b() const { return {}; }
std::vector<float> GemmCeiling::c() const { return {}; }

void stream(const Context&, const StreamPass& given) {
  StreamPass pass = given;
  pass.a = to_near(pass.a), pass.b = to_near(pass.b), pass.c = to_near(pass.c);
  pass.sum = to_near(pass.sum);
  reference_stream(pass);
}

void pattern_stream(const Context&, const PatternPass& given) {
  PatternPass pass = given;
  for (const float*& array : pass.in) array = to_near(array);
  for (float*& array : pass.out) array = to_near(array);
  reference_pattern_stream(pass);
}

int64_t arithmetic_parts(const Context&) { return 3; }

void exponentials(const Context& context, const ExpPass& pass) {
  for_each_last_block(context, pass.size, [&](int64_t, int64_t place) {
    for (int64_t i = 0; i < kArithmeticBlock; ++i)
      to_near(pass.y)[place + i] = std::exp(to_near(pass.x)[i]);
  });
}

void random_numbers(const Context& context, const RandomPass& pass) {
  for_each_last_block(context, pass.size, [&](int64_t first, int64_t place) {
    for (int64_t i = 0; i < kArithmeticBlock; ++i) {
      const auto position = static_cast<uint64_t>(first + i);
      to_near(pass.bits)[place + i] = static_cast<uint16_t>(dropout_bits(pass.seed, position));
    }
  });
}

void copy_column(const Context&, void* to, const void* from, int64_t rows, int64_t pitch_bytes,
                 int64_t element_bytes) {
  for (int64_t r = 0; r < rows; ++r) {
    std::memcpy(static_cast<std::byte*>(to) + r * element_bytes,
                static_cast<const std::byte*>(to_near(from)) + r * pitch_bytes,
                static_cast<size_t>(element_bytes));
  }
}

}  // namespace bench::kernels
