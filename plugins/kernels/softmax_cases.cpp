// The masked softmax between attention's two products, as the unfused form takes it.
#include "kernels/softmax/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;

// Bytes of a row: what is not masked is read, on the average half of it; all is written.
template <class T>
double row_bytes(const Setting& s, double read) {
  const auto seq = static_cast<double>(s.seq);
  return (read * (seq + 1) / 2 + seq) * sizeof(T);
}

// Which columns are masked depends on the row's place in its square: the last one is checked whole.
template <class T, class Args>
sdk::Check check_last_square(HostView& host, Args a, T* Args::*output,
                             void (*reference)(const Args&)) {
  std::vector<T> expected(static_cast<size_t>(a.seq * a.seq));
  const int64_t first = (a.rows - a.seq) * a.seq;
  for_each_pointer(a, [&](auto*& tensor, int64_t) { tensor += first; });
  a.rows = a.seq;
  a = host.arguments(a);
  const T* const got = std::exchange(a.*output, expected.data());
  reference(a);
  return judged(relative_error(got, expected), softmax_tolerance<T>(a.seq),
                "the last square of scores");
}

template <class T>
OpWork work(const Setting& s, const char* name, double read, Size size) {
  return {.name = name,
          .op = "softmax",
          .extents = {{"rows", static_cast<double>(size.n)}, {"seq", static_cast<double>(s.seq)}},
          .bytes = static_cast<double>(size.n) * row_bytes<T>(s, read),
          .pattern = "copy",
          .cold = size.cold,
          .flank = "ceiling.stream.copy"};
}

template <class T>
sdk::Case forward(const OpSetting<T>& s, Size size) {
  using Tensors = SoftmaxForward<T>;
  return op_case<Tensors>(
      s, work<T>(s, "gpt2.layer.attention.softmax.fwd", 1, size),
      [rows = size.n, seq = s.seq](Memory& memory) {
        return Tensors{.rows = rows,
                       .seq = seq,
                       .scale = Wide<T>(0.125),
                       .x = memory.uniform<T>(rows * seq),
                       .y = memory.poisoned<T>(rows * seq)};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        const auto check = [a](HostView& host) {
          return check_last_square<T>(host, a, &Tensors::y, reference_softmax_forward<T>);
        };
        return Running{.run = [ops, a, &c] { ops->softmax_forward(c, a); }, .check = check};
      });
}

template <class T>
sdk::Case backward(const OpSetting<T>& s, Size size) {
  using Tensors = SoftmaxBackward<T>;
  return op_case<Tensors>(
      s, work<T>(s, "gpt2.layer.attention.softmax.bwd", 2, size),
      [rows = size.n, seq = s.seq](Memory& memory) {
        return Tensors{.rows = rows,
                       .seq = seq,
                       .scale = Wide<T>(0.125),
                       .dy = memory.uniform<T>(rows * seq),
                       .y = memory.uniform<T>(rows * seq),
                       .dx = memory.poisoned<T>(rows * seq)};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        const auto check = [a](HostView& host) {
          return check_last_square<T>(host, a, &Tensors::dx, reference_softmax_backward<T>);
        };
        return Running{.run = [ops, a, &c] { ops->softmax_backward(c, a); }, .check = check};
      });
}

// Whole squares: of every head and sequence, or as many as make a cold case.
std::vector<Size> squares(const Setting& s, double bytes_a_row) {
  std::vector<Size> sizes = s.stream_sizes(bytes_a_row);
  for (Size& size : sizes) {
    const int64_t rows = std::max(s.batch * s.heads * s.seq, size.cold ? size.n : 0);
    size.n = (rows + s.seq - 1) / s.seq * s.seq;
  }
  return sizes;
}

}  // namespace

template <class T>
void add_softmax_cases(const OpSetting<T>& s, CaseList& all) {
  for (const Size& size : squares(s, row_bytes<T>(s, 1))) all.push_back(forward(s, size));
  for (const Size& size : squares(s, row_bytes<T>(s, 2))) all.push_back(backward(s, size));
}

template void add_softmax_cases(const OpSetting<float>&, CaseList&);
template void add_softmax_cases(const OpSetting<bfloat16>&, CaseList&);

}  // namespace bench::kernel_cases
