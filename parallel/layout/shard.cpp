#include "parallel/layout/shard.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/base/status.h"
#include "bench/model/model.h"

namespace bench::layout {

Span overlap(const Span& a, const Span& b) {
  const int64_t begin = std::max(a.begin, b.begin);
  return {.begin = begin, .size = std::max<int64_t>(0, std::min(a.end(), b.end()) - begin)};
}

Span even_part(std::string_view what, int64_t total, int64_t parts, int64_t index) {
  if (parts < 1 || total % parts != 0) {
    throw UsageError(fmt::format("{} {} is not divisible by {} ranks", what, total, parts));
  }
  const int64_t size = total / parts;
  return {.begin = index * size, .size = size};
}

VocabPart vocab_part(int64_t vocab, int tensor_size, int tensor_rank) {
  const Span rows = even_part("padded vocabulary", model::padded_vocab(vocab, tensor_size),
                              tensor_size, tensor_rank);
  return {.first = rows.begin,
          .rows = rows.size,
          .true_rows = std::clamp<int64_t>(vocab - rows.begin, 0, rows.size)};
}

void BatchPlan::validate() const {
  if (global_batch < 1 || micro_batch < 1 || data_size < 1 ||
      global_batch % (micro_batch * data_size) != 0) {
    throw UsageError(fmt::format(
        "global batch {} is not a positive multiple of micro-batch {} x {} data-parallel ranks = "
        "{}: every rank must get whole micro-batches",
        global_batch, micro_batch, data_size, micro_batch * data_size));
  }
}

Span BatchPlan::rows_of_rank(int data_rank) const {
  return {.begin = data_rank * rows_per_rank(), .size = rows_per_rank()};
}

}  // namespace bench::layout
