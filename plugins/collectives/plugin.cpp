// Collectives at sizes from latency to what training sends: over the library in use, and by other
// ways beside it.
#include "bench/sdk/plugin.h"

#include <fmt/format.h>

#include <map>

#include "plugins/collectives/collective_case.h"
#include "plugins/collectives/pairs.h"
#include "plugins/collectives/variants.h"

namespace bench::collectives {
namespace {

constexpr int64_t kKiB = 1024, kMiB = 1024 * 1024;

// Powers of four, and sizes that Megatron sends: activations of 124M at batch 8 (12 MiB), of 1.5B
// (25 MiB).
constexpr int64_t kSweep[] = {8,    64,       512,       4 * kKiB,  32 * kKiB, 256 * kKiB,
                              kMiB, 4 * kMiB, 12 * kMiB, 25 * kMiB, 64 * kMiB};
// What a GPU's links need to come near their limit: the tied embedding of 124M, and beyond.
constexpr int64_t kGpuSweep[] = {147 * kMiB, 512 * kMiB};
constexpr int64_t kSmoke[] = {8, 4 * kKiB, kMiB};
constexpr int64_t kOthers[] = {4 * kKiB, kMiB, 16 * kMiB};

// --variant op=name, an op once.
std::map<std::string, std::string> chosen_variants(const sdk::Request& request) {
  std::map<std::string, std::string> chosen;
  for (const std::string& text : request.list("variant")) {
    const size_t equals = text.find('=');
    const auto op = operation_named(text.substr(0, equals));
    if (!op) continue;  // another plugin's
    check_variant(*op, text.substr(equals + 1));
    chosen[name_of(*op)] = text.substr(equals + 1);
  }
  return chosen;
}

std::vector<int64_t> sizes_of(const sdk::Request& request, Operation op) {
  if (request.has_axis("bytes")) return {request.axis("bytes", 0)};
  const bool reduces = op == Operation::all_reduce;
  if (request.set == "smoke")
    return reduces ? std::vector<int64_t>(std::begin(kSmoke), std::end(kSmoke))
                   : std::vector<int64_t>();
  if (!reduces) return {std::begin(kOthers), std::end(kOthers)};
  std::vector<int64_t> sizes(std::begin(kSweep), std::end(kSweep));
  if (request.device == "cuda")
    sizes.insert(sizes.end(), std::begin(kGpuSweep), std::end(kGpuSweep));
  return sizes;
}

// A small message for the latency, a large one for the bandwidth.
constexpr int64_t kPairSizes[] = {8, 4 * kMiB};
constexpr size_t kLinkRounds = 3;
constexpr int64_t kReduced = 4 * kMiB;

std::vector<sdk::Case> all_pairs(const sdk::Request& request) {
  std::vector<sdk::Case> all;
  auto rounds = tournament(request.ranks);
  // Some of the pairs are enough to know what a message costs.
  if (request.set == "links") rounds.resize(std::min<size_t>(rounds.size(), kLinkRounds));
  if (request.ranks == 1) rounds.emplace_back();  // a round of no pair, which says why
  for (const int64_t bytes : kPairSizes)
    for (size_t round = 0; round < rounds.size(); ++round)
      all.push_back(pairs_case(rounds[round], static_cast<int>(round), bytes));
  if (request.set == "links") all.push_back(reduce_case(kReduced));
  return all;
}

class CollectivesPlugin final : public sdk::Plugin {
 public:
  std::vector<sdk::Case> cases(const sdk::Request& request) override {
    if (request.set == "pairs" || request.set == "links") return all_pairs(request);
    if (!request.set.empty() && request.set != "smoke")
      throw UsageError("the collectives plugin has no set '" + request.set +
                       "'; it has: smoke, pairs, links, and the default");
    const auto variants = chosen_variants(request);
    std::vector<sdk::Case> all;
    for (const Operation op : kOperations) {
      // One rank alone has nobody to send to.
      if (op == Operation::send_recv && request.ranks == 1) continue;
      const auto chosen = variants.find(name_of(op));
      for (const int64_t bytes : sizes_of(request, op))
        all.push_back(
            collective_case({.operation = op,
                             .bytes = bytes,
                             .dtype = request.dtype == "bf16" ? DType::bf16 : DType::f32,
                             .variant = chosen == variants.end() ? "library" : chosen->second},
                            request.ranks));
    }
    return all;
  }
};

}  // namespace
}  // namespace bench::collectives

BENCH_PLUGIN(bench::collectives::CollectivesPlugin, "collectives", "2",
             "all-reduce, reduce-scatter, all-gather, broadcast, all-to-all, send and receive")
