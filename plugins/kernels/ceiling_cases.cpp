#include "plugins/kernels/ceiling_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/ceiling/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using kernels::GemmShape;
using kernels::StreamKind;
using kernels::StreamPass;

// A check computes so many elements of a product again, spread over it.
constexpr int64_t kCheckedElements = 64;

class GemmInstance final : public sdk::Instance {
 public:
  GemmInstance(const sdk::Place& place, const GemmShape& shape)
      : context_(place.context), gemm_(place.context, shape) {}

  void enqueue(int64_t n) override {
    for (int64_t i = 0; i < n; ++i) gemm_.run(context_);
  }

  sdk::Check check() override {
    if (expected_.empty()) compute_expected();
    const GemmShape& s = gemm_.shape();
    const std::vector<float> c = gemm_.c();
    std::vector<float> got;
    for (int64_t e = 0; e < kCheckedElements; ++e)
      got.push_back(c[static_cast<size_t>(row(e) * s.n + column(e))]);
    return judged(relative_error(got.data(), expected_), kernels::gemm_tolerance(s),
                  fmt::format("{} elements of the product", kCheckedElements));
  }

 private:
  // Where the checked elements are: spread over the product.
  int64_t row(int64_t e) const { return e * (gemm_.shape().m - 1) / (kCheckedElements - 1); }
  int64_t column(int64_t e) const {
    return e * 37 % kCheckedElements * (gemm_.shape().n - 1) / (kCheckedElements - 1);
  }

  void compute_expected() {
    const GemmShape& s = gemm_.shape();
    const std::vector<float> a = gemm_.a(), b = gemm_.b();
    for (int64_t e = 0; e < kCheckedElements; ++e) {
      const int64_t i = row(e), j = column(e);
      double sum = 0;
      for (int64_t p = 0; p < s.k; ++p)
        sum +=
            static_cast<double>(a[static_cast<size_t>(s.transpose_a ? p * s.m + i : i * s.k + p)]) *
            b[static_cast<size_t>(s.transpose_b ? j * s.k + p : p * s.n + j)];
      expected_.push_back(static_cast<float>(sum));
    }
  }

  const Context& context_;
  kernels::GemmCeiling gemm_;
  std::vector<float> expected_;  // the operands stay as they are
};

// On a CPU the operands are held in f32 as well, or in a layout of the library's own.
double memory_of(const GemmShape& s) {
  const auto operands = static_cast<double>(s.m * s.k + s.k * s.n);
  const auto result = static_cast<double>(s.m * s.n);
  if (kDevice == DeviceKind::cpu) return 2.0 * sizeof(float) * (operands + result);
  const auto element = static_cast<double>(size_of(s.dtype));
  return element * operands + (s.transpose_a ? sizeof(float) : element) * result;
}

sdk::Case gemm_case(const GemmShape& shape) {
  sdk::Case made;
  made.dtype = shape.dtype;
  made.name =
      fmt::format("ceiling.gemm.{}{}", shape.name, shape.dtype == DType::f32 ? "" : ".bf16");
  made.text_params = {{"mode", "hot"},
                      {"layout", shape.way == kernels::kPreparedWay ? "prepared" : "plain"},
                      {"arithmetic", std::string(kernels::gemm_arithmetic(shape))}};
  made.number_params = {{"m", static_cast<double>(shape.m)},
                        {"n", static_cast<double>(shape.n)},
                        {"k", static_cast<double>(shape.k)}};
  made.flops = shape.flops();
  made.memory_bytes = memory_of(shape);
  made.ceiling = BENCH_CEILING_GEMM;
  made.open = [shape](const sdk::Place& place) {
    return std::make_unique<GemmInstance>(place, shape);
  };
  return made;
}

class StreamInstance final : public sdk::Instance {
 public:
  StreamInstance(const sdk::Place& place, StreamPass pass, uint64_t seed)
      : context_(place.context), memory_(&place.context, seed), pass_(pass) {
    pass_.a = memory_.uniform<float>(pass_.size);
    if (pass_.kind == StreamKind::kTriad) pass_.b = memory_.uniform<float>(pass_.size);
    if (pass_.kind != StreamKind::kRead) pass_.c = memory_.filled<float>(pass_.size, -1e9F);
    pass_.sum = memory_.filled<double>(1, 0);
  }

  void enqueue(int64_t n) override {
    for (int64_t i = 0; i < n; ++i) kernels::stream(context_, pass_);
  }

  sdk::Check check() override {
    HostView host(context_);
    return pass_.kind == StreamKind::kRead ? check_sum(host) : check_parts(host);
  }

 private:
  sdk::Check check_sum(HostView& host) const {
    const float* const a = host.of(pass_.a, pass_.size);
    double sum = 0;
    for (int64_t i = 0; i < pass_.size; ++i) sum += a[i];
    // Values in [-1, 1] cancel: the error is held against the size of a random sum.
    return judged(
        std::abs(host.value(pass_.sum) - sum) / std::sqrt(static_cast<double>(pass_.size)),
        kernels::stream_tolerance(pass_.size), "the sum");
  }

  // Of parts from beginning to end, no multiple of a vector or a line apart.
  sdk::Check check_parts(HostView& host) const {
    const int64_t size = std::min<int64_t>(kPart, pass_.size);
    std::vector<float> expected(static_cast<size_t>(size));
    double error = 0;
    for (const int64_t i : spread(kParts, pass_.size - size + 1)) {
      kernels::reference_stream({.kind = pass_.kind,
                                 .non_temporal = false,
                                 .size = size,
                                 .a = host.of(pass_.a + i, size),
                                 .b = pass_.b != nullptr ? host.of(pass_.b + i, size) : nullptr,
                                 .c = expected.data()});
      error = worse(error, relative_error(host.of(pass_.c + i, size), expected));
    }
    return judged(error, kernels::kElementTolerance<float>, "64 parts of the output");
  }

  static constexpr int64_t kParts = 64, kPart = 4099;

  const Context& context_;
  Memory memory_;
  StreamPass pass_;
};

sdk::Case stream_case(const char* name, StreamKind kind, bool non_temporal, int64_t size,
                      uint64_t seed) {
  const StreamPass pass{.kind = kind,
                        .non_temporal = non_temporal,
                        .size = size,
                        .a = nullptr,
                        .b = nullptr,
                        .c = nullptr,
                        .sum = nullptr};
  sdk::Case made;
  made.name = fmt::format("ceiling.stream.{}{}", name, non_temporal ? "_nt" : "");
  made.text_params = {
      {"mode", "cold"}, {"pattern", name}, {"stores", non_temporal ? "non-temporal" : "plain"}};
  made.number_params = {{"size", static_cast<double>(size)}};
  made.bytes = pass.bytes();
  made.memory_bytes = pass.bytes();   // each array once
  made.ceiling = BENCH_CEILING_COPY;  // of its own pattern; a copy of the others, too
  made.open = [pass, seed](const sdk::Place& place) {
    return std::make_unique<StreamInstance>(place, pass, seed);
  };
  return made;
}

// Elements of an array: twice the cache, so that two of them evict each other; the cache is shared
// by ranks and counted whole. A GPU needs more of them before its memory is busy all of the time.
int64_t stream_elements(uint64_t last_level_cache_bytes) {
  constexpr bool kGpu = kDevice == DeviceKind::cuda;
  constexpr int64_t kCaches = kGpu ? 8 : 2, kMost = int64_t{kGpu ? 256 : 64} << 20;
  return std::min(kMost, kCaches * static_cast<int64_t>(last_level_cache_bytes) /
                             static_cast<int64_t>(sizeof(float)));
}

}  // namespace

std::vector<sdk::Case> ceiling_cases(const sdk::Request& request) {
  std::vector<sdk::Case> all;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    if (dtype == DType::bf16 && request.dtype != "bf16") continue;
    for (const GemmShape& shape : kernels::gemm_ceiling_shapes(dtype))
      all.push_back(gemm_case(shape));
  }
  const int64_t size = stream_elements(request.last_level_cache_bytes);
  for (const bool non_temporal : {false, true}) {
    all.push_back(stream_case("copy", StreamKind::kCopy, non_temporal, size, request.seed));
    all.push_back(stream_case("triad", StreamKind::kTriad, non_temporal, size, request.seed));
  }
  all.push_back(stream_case("read", StreamKind::kRead, false, size, request.seed));
  for (sdk::Case& made : pattern_ceilings(size, request.seed)) all.push_back(std::move(made));
  return all;
}

}  // namespace bench::kernel_cases
