// Ops over the vocabulary: embedding and cross entropy.
#include "kernels/cross_entropy/op.h"
#include "kernels/embedding/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;

constexpr int64_t kCheckedRows = 16;

// At least `rows` tokens in whole sequences: the ops of the embedding take no others.
struct Sequences {
  int64_t length, n;
  Sequences(int64_t rows, int64_t seq)
      : length(std::min(rows, seq)), n((rows + length - 1) / length * length) {}
};

// Rows of a table read or written once each, as far as tokens do not repeat.
double embedding_bytes(int64_t n, int64_t seq, int64_t h, double row_bytes, double table_bytes) {
  return static_cast<double>(n * h) * row_bytes + static_cast<double>(seq * h) * table_bytes;
}

template <class T>
sdk::Case embedding_forward(const OpSetting<T>& s, Size size) {
  const Sequences sequences(size.n, s.seq);
  const int64_t n = sequences.n, seq = sequences.length, h = s.h;
  using Tensors = EmbeddingForward<T>;
  return op_case<Tensors>(
      s,
      {.name = "gpt2.embedding.fwd",
       .op = "embedding",
       .extents = {{"m", static_cast<double>(n)}, {"h", static_cast<double>(h)}},
       .bytes = embedding_bytes(n, seq, h, 2 * sizeof(T), sizeof(T)),
       .pattern = "copy",
       .per_step = 1,
       .cold = size.cold,
       .flank = "ceiling.stream.copy"},
      [=, rows = s.padded_vocab, vocab = s.vocab](Memory& memory) {
        return Tensors{.n = n,
                       .h = h,
                       .seq = seq,
                       .first_row = 0,
                       .rows = rows,
                       .ids = memory.tokens(n, vocab),
                       .token = memory.uniform<T>(rows * h),
                       .position = memory.uniform<T>(seq * h),
                       .y = memory.poisoned<T>(n * h)};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        const auto check = [a](HostView& host) {
          std::vector<T> y(static_cast<size_t>(a.h));
          double error = 0;
          for (const int64_t r : spread(kCheckedRows, a.n)) {
            EmbeddingForward<T> row = a;
            row.n = 1, row.ids += r, row.y += r * a.h;
            row.seq = 1, row.position += r % a.seq * a.h;
            row.first_row = host.value(row.ids), row.rows = 1;  // the table's one row of this token
            row.token += row.first_row * a.h;
            row = host.arguments(row);
            const T* const got = std::exchange(row.y, y.data());
            reference_embedding_forward(row);
            error = worse(error, relative_error(got, y));
          }
          return judged(error, kEmbeddingTolerance<T>, "rows of y");
        };
        return Running{.run = [ops, a, &c] { ops->embedding_forward(c, a); }, .check = check};
      });
}

// Both gradients in some columns, to which every iteration has added.
template <class T>
sdk::Check check_embedding_backward(HostView& host, const EmbeddingBackward<T>& a, int64_t times) {
  double error = 0;
  for (const int64_t c : spread(3, a.h)) {
    const auto dy = host.column(a.dy, a.n, a.h, c);
    std::vector<Wide<T>> d_token(static_cast<size_t>(a.rows)),
        d_position(static_cast<size_t>(a.seq));
    reference_embedding_backward<T>({.n = a.n,
                                     .h = 1,
                                     .seq = a.seq,
                                     .first_row = a.first_row,
                                     .rows = a.rows,
                                     .ids = host.of(a.ids, a.n),
                                     .dy = dy.data(),
                                     .d_token = d_token.data(),
                                     .d_position = d_position.data()});
    for (auto* sums : {&d_token, &d_position})
      for (Wide<T>& x : *sums) x = static_cast<Wide<T>>(x * static_cast<double>(times));
    const auto tokens = host.column(a.d_token, a.rows, a.h, c);
    const auto positions = host.column(a.d_position, a.seq, a.h, c);
    error = worse(error, worse(relative_error(tokens.data(), d_token),
                               relative_error(positions.data(), d_position)));
  }
  // A token that occurs often is added to several times an iteration.
  const double tolerance =
      sum_tolerance<Wide<T>>(a.n) + accumulation_tolerance(times * (a.n / a.seq + 1));
  return judged(error, tolerance, "columns of d_token, d_position");
}

template <class T>
sdk::Case embedding_backward(const OpSetting<T>& s, Size size) {
  const Sequences sequences(size.n, s.seq);
  const int64_t n = sequences.n, seq = sequences.length, h = s.h;
  using Tensors = EmbeddingBackward<T>;
  return op_case<Tensors>(
      s,
      {.name = "gpt2.embedding.bwd",
       .op = "embedding",
       .extents = {{"m", static_cast<double>(n)}, {"h", static_cast<double>(h)}},
       .bytes = embedding_bytes(n, seq, h, sizeof(T) + 2 * sizeof(Wide<T>), 2 * sizeof(Wide<T>)),
       .pattern = "r2w1",
       .per_step = 1,
       .cold = size.cold,
       .flank = "ceiling.stream.r2w1"},
      [=, rows = s.padded_vocab, vocab = s.vocab](Memory& memory) {
        return Tensors{.n = n,
                       .h = h,
                       .seq = seq,
                       .first_row = 0,
                       .rows = rows,
                       .ids = memory.tokens(n, vocab),
                       .dy = memory.uniform<T>(n * h),
                       .d_token = memory.filled<Wide<T>>(rows * h, 0),
                       .d_position = memory.filled<Wide<T>>(seq * h, 0)};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        const auto times = std::make_shared<int64_t>(0);
        return Running{
            .run = [ops, a, times, &c] { ops->embedding_backward(c, a), ++*times; },
            .check = [a,
                      times](HostView& host) { return check_embedding_backward(host, a, *times); }};
      });
}

template <class T>
sdk::Check check_loss(HostView& host, const CrossEntropy<T>& a) {
  std::vector<T> d_logits(static_cast<size_t>(a.cols));
  double error = 0;
  for (const int64_t r : spread(kCheckedRows, a.n)) {
    CrossEntropy<T> row = a;
    row.n = 1, row.logits += r * a.cols, row.targets += r;
    row.loss += r, row.d_logits += r * a.cols;
    row = host.arguments(row);
    const CrossEntropy<T> got = row;
    Wide<T> loss = 0;
    row.loss = &loss, row.d_logits = d_logits.data();
    reference_cross_entropy(row);
    error = worse(error,
                  worse(std::abs(*got.loss - loss) / loss, relative_error(got.d_logits, d_logits)));
  }
  return judged(error, cross_entropy_tolerance<T>(a.cols), "loss and d_logits of 16 rows");
}

// Of one rank that holds the whole vocabulary; the logits stay as they are.
template <class T>
CrossEntropy<T> whole_loss(const OpSetting<T>& s, Size size, Memory& memory) {
  return {.n = size.n,
          .cols = s.padded_vocab,
          .true_vocab = s.vocab,
          .scale = 1,
          .logits = memory.uniform<T>(size.n * s.padded_vocab),
          .targets = memory.tokens(size.n, s.vocab),
          .loss = memory.poisoned<Wide<T>>(size.n),
          .d_logits = memory.poisoned<T>(size.n * s.padded_vocab),
          .stream_out = size.cold};
}

template <class T>
OpWork loss_work(const OpSetting<T>& s, Size size, double passes) {
  return {.name = "gpt2.cross_entropy.fwd_bwd",
          .op = "cross_entropy",
          .extents = {{"m", static_cast<double>(size.n)}, {"vocab", static_cast<double>(s.vocab)}},
          .bytes = passes * static_cast<double>(size.n * s.padded_vocab) * sizeof(T),
          .pattern = "copy",
          .per_step = 1,
          .cold = size.cold,
          .flank = "ceiling.stream.copy_nt"};
}

template <class T>
sdk::Case cross_entropy(const OpSetting<T>& s, Size size) {
  using Tensors = CrossEntropy<T>;
  return op_case<Tensors>(
      s, loss_work(s, size, 2), [=](Memory& memory) { return whole_loss(s, size, memory); },
      [ops = s.ops](const Context& c, const Tensors& a) {
        return Running{.run = [ops, a, &c] { ops->cross_entropy(c, a); },
                       .check = [a](HostView& host) { return check_loss(host, a); }};
      });
}

// As every tensor rank of several does it, less the reductions.
template <class T>
sdk::Case parallel_cross_entropy(const OpSetting<T>& s, Size size) {
  struct Tensors {
    CrossEntropy<T> whole;
    Wide<T>*row_max, *sums;
  };
  OpWork work = loss_work(s, size, 3);
  work.name = "gpt2.cross_entropy.parallel.fwd_bwd";
  work.pattern = "triad";
  work.per_step = 0;
  return op_case<Tensors>(
      s, work,
      [=](Memory& memory) {
        return Tensors{.whole = whole_loss(s, size, memory),
                       .row_max = memory.poisoned<Wide<T>>(size.n),
                       .sums = memory.poisoned<Wide<T>>(2 * size.n)};
      },
      [ops = s.ops](const Context& c, const Tensors& t) {
        const auto forward = forward_of(t.whole, 0, t.whole.n, t.row_max, t.sums);
        const auto grad = grad_of<T>(t.whole, 0, t.whole.n, t.row_max, t.sums);
        return Running{.run =
                           [ops, forward, grad, &c] {
                             ops->cross_entropy_forward(c, forward);
                             ops->cross_entropy_grad(c, grad);
                           },
                       .check = [a = t.whole](HostView& host) { return check_loss(host, a); }};
      });
}

}  // namespace

template <class T>
void add_vocabulary_cases(const OpSetting<T>& s, CaseList& all) {
  const auto row = [](int64_t passes, int64_t width, size_t element) {
    return static_cast<double>(passes * width) * static_cast<double>(element);
  };
  for (const Size& size : s.stream_sizes(row(2, s.h, sizeof(T))))
    all.push_back(embedding_forward(s, size));
  for (const Size& size : s.stream_sizes(row(3, s.h, sizeof(Wide<T>))))
    all.push_back(embedding_backward(s, size));
  for (const Size& size : s.stream_sizes(row(2, s.padded_vocab, sizeof(T))))
    all.push_back(cross_entropy(s, size));
  for (const Size& size : s.stream_sizes(row(3, s.padded_vocab, sizeof(T))))
    all.push_back(parallel_cross_entropy(s, size));
}

template void add_vocabulary_cases(const OpSetting<float>&, CaseList&);
template void add_vocabulary_cases(const OpSetting<bfloat16>&, CaseList&);

}  // namespace bench::kernel_cases
