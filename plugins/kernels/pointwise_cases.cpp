// Bias + GELU, bias + dropout + residual, and conversions.
#include "kernels/convert/op.h"
#include "kernels/dropout/op.h"
#include "kernels/gelu/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;

constexpr int64_t kCheckedRows = 16, kCheckedColumns = 3;
constexpr double kRate = 0.1;

template <class T>
sdk::Case gelu_forward(const OpSetting<T>& s, Size size) {
  const int64_t n = size.n, cols = 4 * s.h;
  using Tensors = GeluForward<T>;
  return op_case<Tensors>(
      s,
      {.name = "gpt2.layer.mlp.gelu.fwd",
       .op = "gelu",
       .extents = {{"m", static_cast<double>(n)},
                   {"h", static_cast<double>(s.h)},
                   {"cols", static_cast<double>(cols)}},
       .bytes = 2.0 * static_cast<double>(n * cols * sizeof(T)),
       .pattern = "copy",
       .per_step = static_cast<double>(s.layers),
       .cold = size.cold,
       .flank = "ceiling.stream.copy_nt"},
      [=](Memory& memory) {
        return Tensors{.n = n,
                       .cols = cols,
                       .x = memory.uniform<T>(n * cols),
                       .bias = memory.uniform<T>(cols),
                       .y = memory.poisoned<T>(n * cols),
                       .stream_out = size.cold};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        const auto check = [a](HostView& host) {
          std::vector<T> y(static_cast<size_t>(a.cols));
          double error = 0;
          for (const int64_t r : spread(kCheckedRows, a.n)) {
            GeluForward<T> row = a;
            row.n = 1, row.x += r * a.cols, row.y += r * a.cols;
            row = host.arguments(row);
            const T* const got = std::exchange(row.y, y.data());
            reference_gelu_forward(row);
            error = worse(error, relative_error(got, y));
          }
          return judged(error, kGeluTolerance<T>, "rows of y");
        };
        return Running{.run = [ops, a, &c] { ops->gelu_forward(c, a); }, .check = check};
      });
}

template <class T>
sdk::Check check_gelu_backward(HostView& host, const GeluBackward<T>& a, int64_t times) {
  std::vector<T> dx(static_cast<size_t>(a.cols));
  double error = 0;
  for (const int64_t r : spread(kCheckedRows, a.n)) {
    GeluBackward<T> row = a;
    row.n = 1, row.dy += r * a.cols, row.x += r * a.cols;
    row.dx += r * a.cols, row.d_bias = nullptr;
    row = host.arguments(row);
    const T* const got = std::exchange(row.dx, dx.data());
    reference_gelu_backward(row);
    error = worse(error, relative_error(got, dx));
  }
  const sdk::Check rows = judged(error, kGeluTolerance<T>, "rows of dx");
  if (!rows.passed) return rows;
  double sums = 0;
  std::vector<T> unused(static_cast<size_t>(a.n));
  for (const int64_t c : spread(kCheckedColumns, a.cols)) {
    const auto dy = host.column(a.dy, a.n, a.cols, c), x = host.column(a.x, a.n, a.cols, c);
    Wide<T> d_bias = 0;
    reference_gelu_backward<T>({.n = a.n,
                                .cols = 1,
                                .dy = dy.data(),
                                .x = x.data(),
                                .bias = host.of(a.bias + c, 1),
                                .dx = unused.data(),
                                .d_bias = &d_bias});
    sums = worse(sums, sum_error(host.value(a.d_bias + c), d_bias, times, a.n));
  }
  const double tolerance = gelu_bias_tolerance<T>(a.n) + accumulation_tolerance(times);
  return judged(sums, tolerance, "columns of d_bias");
}

template <class T>
sdk::Case gelu_backward(const OpSetting<T>& s, Size size) {
  const int64_t n = size.n, cols = 4 * s.h;
  using Tensors = GeluBackward<T>;
  return op_case<Tensors>(
      s,
      {.name = "gpt2.layer.mlp.gelu.bwd",
       .op = "gelu",
       .extents = {{"m", static_cast<double>(n)},
                   {"h", static_cast<double>(s.h)},
                   {"cols", static_cast<double>(cols)}},
       .bytes = 3.0 * static_cast<double>(n * cols * sizeof(T)),
       .pattern = "triad",
       .per_step = static_cast<double>(s.layers),
       .cold = size.cold,
       .flank = "ceiling.stream.copy_nt"},
      [=](Memory& memory) {
        return Tensors{.n = n,
                       .cols = cols,
                       .dy = memory.uniform<T>(n * cols),
                       .x = memory.uniform<T>(n * cols),
                       .bias = memory.uniform<T>(cols),
                       .dx = memory.poisoned<T>(n * cols),
                       .d_bias = memory.filled<Wide<T>>(cols, 0),
                       .stream_out = size.cold};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        const auto times = std::make_shared<int64_t>(0);
        return Running{
            .run = [ops, a, times, &c] { ops->gelu_backward(c, a), ++*times; },
            .check = [a, times](HostView& host) { return check_gelu_backward(host, a, *times); }};
      });
}

template <class T>
sdk::Case dropout_forward(const OpSetting<T>& s, Size size) {
  const int64_t n = size.n, h = s.h;
  using Tensors = DropoutForward<T>;
  return op_case<Tensors>(
      s,
      {.name = "gpt2.layer.dropout.fwd",
       .op = "dropout",
       .extents = {{"m", static_cast<double>(n)}, {"h", static_cast<double>(h)}, {"rate", kRate}},
       .bytes = 3.0 * static_cast<double>(n * h * sizeof(T)),
       .pattern = "triad",
       .cold = size.cold,
       .flank = "ceiling.stream.triad_nt"},
      [=, seed = s.seed](Memory& memory) {
        return Tensors{.n = n,
                       .h = h,
                       .rate = kRate,
                       .seed = seed,
                       .offset = 0,
                       .x = memory.uniform<T>(n * h),
                       .bias = memory.uniform<T>(h),
                       .residual = memory.uniform<T>(n * h),
                       .y = memory.poisoned<T>(n * h),
                       .stream_out = size.cold};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        const auto check = [a](HostView& host) {
          std::vector<T> y(static_cast<size_t>(a.h));
          double error = 0;
          for (const int64_t r : spread(kCheckedRows, a.n)) {
            DropoutForward<T> row = a;
            row.n = 1, row.x += r * a.h, row.residual += r * a.h, row.y += r * a.h;
            row.offset += static_cast<uint64_t>(r * a.h);
            row = host.arguments(row);
            const T* const got = std::exchange(row.y, y.data());
            reference_dropout_forward(row);
            error = worse(error, relative_error(got, y));
          }
          return judged(error, kDropoutTolerance<T>, "rows of y");
        };
        return Running{.run = [ops, a, &c] { ops->dropout_forward(c, a); }, .check = check};
      });
}

template <class T>
sdk::Check check_dropout_backward(HostView& host, const DropoutBackward<T>& a) {
  std::vector<T> dx(static_cast<size_t>(a.h));
  double error = 0;
  for (const int64_t r : spread(kCheckedRows, a.n)) {
    DropoutBackward<T> row = a;
    row.n = 1, row.dy += r * a.h, row.dx += r * a.h, row.d_bias = nullptr;
    row.offset += static_cast<uint64_t>(r * a.h);
    row = host.arguments(row);
    const T* const got = std::exchange(row.dx, dx.data());
    reference_dropout_backward(row);
    error = worse(error, relative_error(got, dx));
  }
  return judged(error, kDropoutTolerance<T>, "rows of dx");
}

template <class T>
sdk::Case dropout_backward(const OpSetting<T>& s, Size size) {
  const int64_t n = size.n, h = s.h;
  using Tensors = DropoutBackward<T>;
  return op_case<Tensors>(
      s,
      {.name = "gpt2.layer.dropout.bwd",
       .op = "dropout",
       .extents = {{"m", static_cast<double>(n)}, {"h", static_cast<double>(h)}, {"rate", kRate}},
       .bytes = 2.0 * static_cast<double>(n * h * sizeof(T)),
       .pattern = "copy",
       .cold = size.cold,
       .flank = "ceiling.stream.copy_nt"},
      [=, seed = s.seed](Memory& memory) {
        return Tensors{.n = n,
                       .h = h,
                       .rate = kRate,
                       .seed = seed,
                       .offset = 0,
                       .dy = memory.uniform<T>(n * h),
                       .dx = memory.poisoned<T>(n * h),
                       .d_bias = nullptr,
                       .stream_out = size.cold};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        return Running{.run = [ops, a, &c] { ops->dropout_backward(c, a); },
                       .check = [a](HostView& host) { return check_dropout_backward(host, a); }};
      });
}

// One of the two conversions between T and what it is computed in.
template <class T, class Tensors, class From, class To>
sdk::Case conversion(const OpSetting<T>& s, const char* name, OpFunction<Tensors> run,
                     void (*reference)(const Tensors&), Size size) {
  const int64_t count = size.n * s.h;
  return op_case<Tensors>(
      s,
      {.name = name,
       .op = "convert",
       .extents = {{"m", static_cast<double>(size.n)}, {"h", static_cast<double>(s.h)}},
       .bytes = static_cast<double>(count) * (sizeof(From) + sizeof(To)),
       .pattern = "copy",
       .cold = size.cold,
       .flank = "ceiling.stream.copy_nt"},
      [=](Memory& memory) {
        return Tensors{.size = count,
                       .x = memory.uniform<From>(count),
                       .y = memory.poisoned<To>(count),
                       .stream_out = size.cold};
      },
      [run, reference](const Context& c, const Tensors& a) {
        const auto check = [a, reference](HostView& host) {
          Tensors part = a;
          part.size = std::min<int64_t>(256, a.size);
          std::vector<To> expected(static_cast<size_t>(part.size));
          double error = 0;
          for (const int64_t i : spread(kCheckedRows, a.size - part.size + 1)) {
            part.x = a.x + i, part.y = a.y + i;
            Tensors near = host.arguments(part);
            const To* const got = std::exchange(near.y, expected.data());
            reference(near);
            error = worse(error, relative_error(got, expected));
          }
          return judged(error, 0, "16 parts, to the bit");
        };
        return Running{.run = [run, a, &c] { run(c, a); }, .check = check};
      });
}

}  // namespace

template <class T>
void add_pointwise_cases(const OpSetting<T>& s, CaseList& all) {
  const auto row = [](int64_t passes, int64_t width) {
    return static_cast<double>(passes * width * static_cast<int64_t>(sizeof(T)));
  };
  for (const Size& size : s.stream_sizes(row(2, 4 * s.h))) all.push_back(gelu_forward(s, size));
  for (const Size& size : s.stream_sizes(row(3, 4 * s.h))) all.push_back(gelu_backward(s, size));
  for (const Size& size : s.stream_sizes(row(3, s.h))) all.push_back(dropout_forward(s, size));
  for (const Size& size : s.stream_sizes(row(2, s.h))) all.push_back(dropout_backward(s, size));
  if constexpr (!std::is_same_v<T, Wide<T>>) {
    const auto element =
        static_cast<double>(s.h * static_cast<int64_t>(sizeof(T) + sizeof(Wide<T>)));
    for (const Size& size : s.stream_sizes(element)) {
      all.push_back(conversion<T, ConvertNarrow<T>, Wide<T>, T>(
          s, "gpt2.convert.narrow", s.ops->convert_narrow, reference_convert_narrow<T>, size));
      all.push_back(conversion<T, ConvertWiden<T>, T, Wide<T>>(
          s, "gpt2.convert.widen", s.ops->convert_widen, reference_convert_widen<T>, size));
    }
  }
}

template void add_pointwise_cases(const OpSetting<float>&, CaseList&);
template void add_pointwise_cases(const OpSetting<bfloat16>&, CaseList&);

}  // namespace bench::kernel_cases
