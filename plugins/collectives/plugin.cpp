// Collectives over the host's communicator, at sizes from latency to what training sends.
#include "bench/sdk/plugin.h"

#include "plugins/collectives/collective_case.h"

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

class CollectivesPlugin final : public sdk::Plugin {
 public:
  std::vector<sdk::Case> cases(const sdk::Request& request) override {
    std::vector<sdk::Case> all;
    if (request.set == "smoke") {
      for (const int64_t bytes : kSmoke)
        all.push_back(collective_case(Operation::all_reduce, bytes, request.ranks));
      return all;
    }
    if (!request.set.empty())
      throw UsageError("the collectives plugin has no set '" + request.set +
                       "'; it has: smoke, and the default");
    for (const int64_t bytes : kSweep)
      all.push_back(collective_case(Operation::all_reduce, bytes, request.ranks));
    if (request.device == "cuda")
      for (const int64_t bytes : kGpuSweep)
        all.push_back(collective_case(Operation::all_reduce, bytes, request.ranks));
    for (const Operation op :
         {Operation::reduce_scatter, Operation::all_gather, Operation::broadcast})
      for (const int64_t bytes : kOthers) all.push_back(collective_case(op, bytes, request.ranks));
    return all;
  }
};

}  // namespace
}  // namespace bench::collectives

BENCH_PLUGIN(bench::collectives::CollectivesPlugin, "collectives", "1",
             "all-reduce, reduce-scatter, all-gather, broadcast")
