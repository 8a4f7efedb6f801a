#pragma once
// Who holds which part: rows of a matrix or vocabulary, sequences of the global batch.

#include <cstdint>
#include <string_view>

namespace bench::layout {

struct Span {
  int64_t begin = 0;
  int64_t size = 0;
  int64_t end() const { return begin + size; }
};

// What both cover; of size 0 where that is nothing.
Span overlap(const Span& a, const Span& b);

// Part `index` of `total` cut into `parts` equal parts. Throws UsageError that names `what` if it
// does not divide.
Span even_part(std::string_view what, int64_t total, int64_t parts, int64_t index);

// A tensor rank's part of the vocabulary, padded to a multiple of 128 * ranks as Megatron-LM does.
struct VocabPart {
  int64_t first = 0;      // first row
  int64_t rows = 0;       // with padding; the same on every rank
  int64_t true_rows = 0;  // of them inside the true vocabulary; 0 where a rank holds only padding
};
VocabPart vocab_part(int64_t vocab, int tensor_size, int tensor_rank);

// How the sequences of one optimizer step are dealt out: data ranks take consecutive rows of the
// global batch, micro-batches consecutive rows of a rank's share.
struct BatchPlan {
  int64_t global_batch = 0;  // sequences of all data ranks together
  int64_t micro_batch = 0;   // sequences of one forward pass
  int64_t data_size = 1;

  // Throws UsageError that names the numbers when the global batch is no multiple of micro_batch *
  // data_size.
  void validate() const;
  int64_t accumulation() const { return global_batch / (micro_batch * data_size); }
  int64_t rows_per_rank() const { return global_batch / data_size; }
  Span rows_of_rank(int data_rank) const;
};

}  // namespace bench::layout
