#include "parallel/gpt2/data_shards.h"

#include <algorithm>

namespace bench::gpt2 {

DataShards::DataShards(const StepConfig& config, const ParameterTable& table, int data_rank,
                       int64_t element_bytes)
    : ranks_(config.dp),
      spread_(config.spreads_state()),
      owned_size_(owned_elements(config, table)) {
  const int64_t unit = table.segment_unit();
  const int64_t size = std::max(config.bucket_bytes / element_bytes / unit, int64_t{1}) * unit;
  cut(table.other_segment(), false, size);
  cut(table.token_segment(), true, size);
  if (!spread_) {
    owned_ = {{.span = {.begin = 0, .size = table.flat_size()}, .gradient = 0, .state = 0}};
    return;
  }
  int64_t state = 0;
  for (const Bucket& b : buckets_) {
    const layout::Span mine = block_of(b.span, data_rank);
    owned_.push_back({.span = mine, .gradient = b.span.begin, .state = state});
    state += mine.size;
  }
}

void DataShards::cut(const layout::Span& segment, bool tied, int64_t bucket_size) {
  for (int64_t end = segment.end(); end > segment.begin; end -= bucket_size) {
    const int64_t begin = std::max(segment.begin, end - bucket_size);
    buckets_.push_back({.span = {.begin = begin, .size = end - begin}, .tied = tied});
  }
}

layout::Span DataShards::block_of(const layout::Span& bucket, int data_rank) const {
  const int64_t size = bucket.size / ranks_;
  return {.begin = bucket.begin + data_rank * size, .size = size};
}

int64_t owned_elements(const StepConfig& config, const ParameterTable& table) {
  return config.spreads_state() ? table.flat_size() / config.dp : table.flat_size();
}

}  // namespace bench::gpt2
