#pragma once
// How the data-parallel ranks share the flat buffers: the buckets in which gradients are summed,
// and with ZeRO stage 1 (Rajbhandari 2020, section 5.1) the part of each bucket whose optimizer
// state a rank keeps. A rank has an equal block of every bucket, so that a bucket's reduce-scatter
// and all-gather have one block a rank.

#include <cstdint>
#include <vector>

#include "parallel/gpt2/config.h"
#include "parallel/gpt2/parameters.h"
#include "parallel/layout/shard.h"

namespace bench::gpt2 {

struct Bucket {
  layout::Span span;  // of the flat buffers
  bool tied = false;  // of the token embedding, which two pipeline stages sum first
};

// What this rank updates: a run of the flat buffers.
struct OwnedPart {
  layout::Span span;
  int64_t gradient;  // where its gradients lie after the sum: a reduce-scatter in place leaves them
                     // in front of the bucket
  int64_t state;     // where its moments lie in theirs
};

class DataShards {
 public:
  DataShards(const StepConfig& config, const ParameterTable& table, int data_rank,
             int64_t element_bytes);

  // In the order in which the backward pass finishes them: from the end of the buffers forwards,
  // the token embedding's last. The same on every stage that has the token embedding.
  const std::vector<Bucket>& buckets() const { return buckets_; }
  // Whether each data rank keeps the optimizer's state of its parts alone.
  bool is_spread() const { return spread_; }
  // A data rank's block of a bucket.
  layout::Span block_of(const layout::Span& bucket, int data_rank) const;
  // One whole run where the state is not spread, else this rank's block of each bucket.
  const std::vector<OwnedPart>& owned() const { return owned_; }
  int64_t owned_size() const { return owned_size_; }

 private:
  void cut(const layout::Span& segment, bool tied, int64_t bucket_size);

  int64_t ranks_;
  bool spread_;
  std::vector<Bucket> buckets_;
  std::vector<OwnedPart> owned_;
  int64_t owned_size_;
};

// Elements of the optimizer's state on each data rank.
int64_t owned_elements(const StepConfig& config, const ParameterTable& table);

}  // namespace bench::gpt2
