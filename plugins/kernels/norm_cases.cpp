// Layer norm, alone and with the residual addition before it, and the addition by itself.
#include "kernels/elementwise/op.h"
#include "kernels/layer_norm/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;

constexpr int64_t kCheckedRows = 16, kCheckedColumns = 3;

template <class T>
sdk::Check check_forward(HostView& host, const LayerNormForward<T>& a) {
  const auto h = static_cast<size_t>(a.h);
  std::vector<T> y(h), sum(h);
  double error = 0, statistics = 0;
  for (const int64_t r : spread(kCheckedRows, a.n)) {
    Wide<T> mean = 0, rstd = 0;
    LayerNormForward<T> row = a;
    row.n = 1, row.x += r * a.h, row.y += r * a.h, row.mean += r, row.rstd += r;
    if (a.residual != nullptr) row.residual += r * a.h, row.sum += r * a.h;
    const LayerNormForward<T> got = host.arguments(row);
    row = got;
    row.y = y.data(), row.sum = sum.data(), row.mean = &mean, row.rstd = &rstd;
    reference_layer_norm_forward(row);
    error = worse(error, relative_error(got.y, y));
    if (a.residual != nullptr) error = worse(error, relative_error(got.sum, sum));
    statistics = worse(statistics, std::abs(*got.rstd - rstd) / rstd);
  }
  // The statistics are kept wide, but of what was rounded to T on the way.
  return judged(worse(error, statistics), layer_norm_tolerance<T>(1, a.h), "rows of y, sum, rstd");
}

template <class T>
sdk::Case forward(const OpSetting<T>& s, const std::string& name, bool residual, double per_step,
                  Size size) {
  const int64_t n = size.n, h = s.h;
  const double passes = residual ? 4 : 2;
  using Tensors = LayerNormForward<T>;
  return op_case<Tensors>(
      s,
      {.name = name,
       .op = "layer_norm",
       .extents = {{"m", static_cast<double>(n)}, {"h", static_cast<double>(h)}},
       .bytes = passes * static_cast<double>(n * h * sizeof(T)),
       .pattern = residual ? "r2w2" : "copy",
       .per_step = per_step,
       .cold = size.cold,
       .flank = "ceiling.stream.copy_nt"},
      [=](Memory& memory) {
        return Tensors{.n = n,
                       .h = h,
                       .eps = Wide<T>(1e-5),
                       .x = memory.uniform<T>(n * h),
                       .residual = residual ? memory.uniform<T>(n * h) : nullptr,
                       .sum = residual ? memory.poisoned<T>(n * h) : nullptr,
                       .gamma = memory.uniform<T>(h),
                       .beta = memory.uniform<T>(h),
                       .y = memory.poisoned<T>(n * h),
                       .mean = memory.poisoned<Wide<T>>(n),
                       .rstd = memory.poisoned<Wide<T>>(n),
                       .stream_out = size.cold};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        return Running{.run = [ops, a, &c] { ops->layer_norm_forward(c, a); },
                       .check = [a](HostView& host) { return check_forward(host, a); }};
      });
}

template <class T>
sdk::Check check_backward_rows(HostView& host, const LayerNormBackward<T>& a) {
  std::vector<T> dx(static_cast<size_t>(a.h));
  std::vector<Wide<T>> unused(static_cast<size_t>(a.h));
  double error = 0;
  for (const int64_t r : spread(kCheckedRows, a.n)) {
    LayerNormBackward<T> row = a;
    row.n = 1, row.dy += r * a.h, row.x += r * a.h, row.mean += r, row.rstd += r;
    if (a.d_residual != nullptr) row.d_residual += r * a.h;
    row.dx += r * a.h;
    row = host.arguments(row);
    const T* const got = std::exchange(row.dx, dx.data());
    row.d_gamma = unused.data(), row.d_beta = unused.data();
    reference_layer_norm_backward(row);
    error = worse(error, relative_error(got, dx));
  }
  return judged(error, layer_norm_tolerance<T>(1, a.h), "rows of dx");
}

// Rows of dx and columns of d_gamma and d_beta, to which every iteration has added.
template <class T>
sdk::Check check_backward(HostView& host, const LayerNormBackward<T>& a, int64_t times) {
  const sdk::Check rows = check_backward_rows(host, a);
  if (!rows.passed) return rows;
  double sums = 0;
  std::vector<T> column_dx(static_cast<size_t>(a.n));
  for (const int64_t c : spread(kCheckedColumns, a.h)) {
    const auto dy = host.column(a.dy, a.n, a.h, c), x = host.column(a.x, a.n, a.h, c);
    Wide<T> d_gamma = 0, d_beta = 0;
    reference_layer_norm_backward<T>({.n = a.n,
                                      .h = 1,
                                      .dy = dy.data(),
                                      .x = x.data(),
                                      .gamma = host.of(a.gamma + c, 1),
                                      .mean = host.of(a.mean, a.n),
                                      .rstd = host.of(a.rstd, a.n),
                                      .d_residual = nullptr,
                                      .dx = column_dx.data(),
                                      .d_gamma = &d_gamma,
                                      .d_beta = &d_beta});
    sums = worse(sums, worse(sum_error(host.value(a.d_gamma + c), d_gamma, times, a.n),
                             sum_error(host.value(a.d_beta + c), d_beta, times, a.n)));
  }
  const double tolerance = layer_norm_tolerance<Wide<T>>(a.n, a.h) + accumulation_tolerance(times);
  return judged(sums, tolerance, "columns of d_gamma, d_beta");
}

template <class T>
sdk::Case backward(const OpSetting<T>& s, const std::string& name, bool residual, double per_step,
                   Size size) {
  const int64_t n = size.n, h = s.h;
  using Tensors = LayerNormBackward<T>;
  return op_case<Tensors>(
      s,
      {.name = name,
       .op = "layer_norm",
       .extents = {{"m", static_cast<double>(n)}, {"h", static_cast<double>(h)}},
       .bytes = (residual ? 4.0 : 3.0) * static_cast<double>(n * h * sizeof(T)),
       .pattern = residual ? "r3w1" : "triad",
       .per_step = per_step,
       .cold = size.cold,
       .flank = "ceiling.stream.copy_nt"},
      [=](Memory& memory) {
        return Tensors{.n = n,
                       .h = h,
                       .dy = memory.uniform<T>(n * h),
                       .x = memory.uniform<T>(n * h),
                       .gamma = memory.uniform<T>(h),
                       .mean = memory.uniform<Wide<T>>(n),
                       .rstd = memory.filled<Wide<T>>(n, Wide<T>(1.7)),
                       .d_residual = residual ? memory.uniform<T>(n * h) : nullptr,
                       .dx = memory.poisoned<T>(n * h),
                       .d_gamma = memory.filled<Wide<T>>(h, 0),
                       .d_beta = memory.filled<Wide<T>>(h, 0),
                       .stream_out = size.cold};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        const auto times = std::make_shared<int64_t>(0);
        return Running{
            .run = [ops, a, times, &c] { ops->layer_norm_backward(c, a), ++*times; },
            .check = [a, times](HostView& host) { return check_backward(host, a, *times); }};
      });
}

// y grows by x with every iteration, and the oracle takes the same steps with the same roundings.
template <class T>
sdk::Case add(const OpSetting<T>& s, Size size) {
  const int64_t count = size.n * s.h;
  using Tensors = Add<T>;
  return op_case<Tensors>(
      s,
      {.name = "gpt2.layer.residual.fwd",
       .op = "elementwise",
       .extents = {{"m", static_cast<double>(size.n)}, {"h", static_cast<double>(s.h)}},
       .bytes = 3.0 * static_cast<double>(count * sizeof(T)),
       .pattern = "r2w1",
       .cold = size.cold,
       .flank = "ceiling.stream.r2w1"},
      [=](Memory& memory) {
        return Tensors{
            .size = count, .x = memory.uniform<T>(count), .y = memory.filled<T>(count, T(0))};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        const auto times = std::make_shared<int64_t>(0);
        const auto check = [a, times](HostView& host) {
          double error = 0, largest = 0;
          for (const int64_t i : spread(64, a.size)) {
            const T* const x = host.of(a.x + i, 1);
            T y = T(0);
            for (int64_t k = 0; k < *times; ++k) reference_add<T>({.size = 1, .x = x, .y = &y});
            error = worse(
                error, std::abs(static_cast<double>(host.value(a.y + i)) - static_cast<double>(y)));
            largest = std::max(largest, std::abs(static_cast<double>(y)));
          }
          return judged(error / std::max(largest, 1e-30), kAddTolerance<T>, "elements of y");
        };
        return Running{.run = [ops, a, times, &c] { ops->add(c, a), ++*times; }, .check = check};
      });
}

}  // namespace

template <class T>
void add_norm_cases(const OpSetting<T>& s, CaseList& all) {
  const auto layers = static_cast<double>(s.layers);
  const auto row = [&](double passes) { return passes * static_cast<double>(s.h * sizeof(T)); };
  // The first norm has no branch to add; the last of the backward pass no gradient beside it.
  for (const Size& size : s.stream_sizes(row(2)))
    all.push_back(forward(s, "gpt2.layer.ln1.fwd", false, 1, size));
  for (const Size& size : s.stream_sizes(row(4)))
    all.push_back(forward(s, "gpt2.layer.ln2.fwd", true, 2 * layers, size));
  for (const Size& size : s.stream_sizes(row(3)))
    all.push_back(backward(s, "gpt2.layer.ln1.bwd", false, 1, size));
  for (const Size& size : s.stream_sizes(row(4)))
    all.push_back(backward(s, "gpt2.layer.ln2.bwd", true, 2 * layers, size));
  for (const Size& size : s.stream_sizes(row(3))) all.push_back(add(s, size));
}

template void add_norm_cases(const OpSetting<float>&, CaseList&);
template void add_norm_cases(const OpSetting<bfloat16>&, CaseList&);

}  // namespace bench::kernel_cases
