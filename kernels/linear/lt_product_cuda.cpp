#include <compare>
#include <map>
#include <mutex>

#include "kernels/cuda/check.h"
#include "kernels/cuda/scratch.h"
#include "kernels/cuda/stopwatch.h"
#include "kernels/linear/lt_call_cuda.h"
#include "kernels/linear/lt_product.h"
#include "kernels/linear/lt_search_cuda.h"

namespace bench::kernels::cuda {
namespace {

// All that a choice depends on.
struct Key {
  RowMajorProduct shape;
  DType operands, result;
  bool accumulate;
  cublasLtEpilogue_t epilogue;
  LtAlignments alignments;
  int candidates;
  bool same_bits;

  auto operator<=>(const Key&) const = default;
};

// Of this process: the first call of a shape decides for all that follow.
class Choices {
 public:
  std::optional<LtChoice> of(const Context& context, const LtProduct& p, const LtSearch& search) {
    const Key key{.shape = p.shape,
                  .operands = p.operands,
                  .result = p.result,
                  .accumulate = p.accumulate,
                  .epilogue = epilogue_of(p),
                  .alignments = alignments_of(p),
                  .candidates = search.candidates,
                  .same_bits = context.deterministic && !search.any_bits};
    const std::scoped_lock lock(mutex_);
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    const auto candidates = LtCall(p).candidates(search.candidates);
    if (candidates.empty()) return known_[key] = std::nullopt;
    if (is_capturing(stream_of(context))) return LtChoice{.algorithm = candidates.front().algo};
    return known_[key] = fastest(context, p, candidates, key.same_bits);
  }

 private:
  std::mutex mutex_;
  std::map<Key, std::optional<LtChoice>> known_;
};

Choices& choices() {
  static Choices all;
  return all;
}

}  // namespace

bool lt_multiply(const Context& context, const LtProduct& product, const LtSearch& search) {
  const auto choice = choices().of(context, product, search);
  if (!choice) return false;
  check_lt(LtCall(product).run(choice->algorithm, scratch(context, kLtWorkspaceBytes),
                               stream_of(context)),
           "running a product");
  return true;
}

std::optional<double> lt_seconds(const Context& context, const LtProduct& product,
                                 const LtSearch& search) {
  const auto choice = choices().of(context, product, search);
  if (!choice || choice->seconds == 0) return std::nullopt;
  return choice->seconds;
}

std::byte* lt_scratch(const Context& context, size_t bytes) {
  return scratch(context, kLtWorkspaceBytes + bytes) + kLtWorkspaceBytes;
}

}  // namespace bench::kernels::cuda
