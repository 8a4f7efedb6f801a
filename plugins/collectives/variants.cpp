#include "plugins/collectives/variants.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "bench/base/hash.h"
#include "bench/device/cpu/host_facts.h"
#include "parallel/comm/algorithms/algorithm_communicator.h"
#include "parallel/comm/library_algorithms.h"
#include "parallel/comm/shared/shared_communicator.h"
#include "plugins/collectives/local_work.h"

namespace bench::collectives {
namespace {

constexpr const char* kLibrary = "library";
constexpr const char* kKept = "library_kept";
constexpr const char* kShared = "shared";
constexpr std::string_view kTold = "library.";  // and the algorithm that it is told to take

}  // namespace

std::vector<std::string> variants_of(Operation op) {
  if (op == Operation::all_to_all || op == Operation::send_recv) return {kLibrary};
  std::vector<std::string> names = {kLibrary, kKept, kShared};
  if (op != Operation::all_reduce) {
    // What an AlgorithmCommunicator does by whatever all-reduce; both names are those of one.
    names.emplace_back(op == Operation::broadcast ? "binomial" : "ring");
    return names;
  }
  for (const algorithms::AllReduce& a : algorithms::all_reduces()) names.emplace_back(a.name);
  for (const LibraryAlgorithm& a : library_algorithms())
    names.push_back(std::string(kTold) + std::string(a.name));
  return names;
}

void check_variant(Operation op, const std::string& variant) {
  const std::vector<std::string> names = variants_of(op);
  if (std::find(names.begin(), names.end(), variant) == names.end())
    throw UsageError(fmt::format("--variant {}={}: there is no such way of it; there are: {}",
                                 name_of(op), variant, fmt::join(names, ", ")));
}

std::unique_ptr<Communicator> make_variant(const std::string& variant, const sdk::Place& place,
                                           int64_t count, DType dtype) {
  if (variant == kLibrary || variant == kKept) return nullptr;
  if (variant.starts_with(kTold))
    return place.comm.by_library_algorithm(variant.substr(kTold.size()), count, dtype);
  if (variant == kShared) {
    if (place.context.device.info().kind != DeviceKind::cpu)
      throw Unsupported("variant '" + variant + "' is for buffers in the host's memory");
    const auto cache = static_cast<int64_t>(place.context.device.info().last_level_cache_bytes);
    return std::make_unique<SharedCommunicator>(place.comm, cache / (2 * place.comm.size()));
  }
  return std::make_unique<AlgorithmCommunicator>(place.comm, algorithms::all_reduce_named(variant),
                                                 hash_bytes(host_name()),
                                                 local_work(place.context));
}

std::vector<std::pair<std::string, std::string>> facts_of(const std::string& variant, DType dtype,
                                                          int ranks) {
  std::vector<std::pair<std::string, std::string>> facts = {{"variant", variant}};
  if (variant == kKept) facts.emplace_back("allocator", "keeps freed memory (M_MMAP_MAX 0)");
  if (variant.starts_with(kTold))
    facts.emplace_back("proof",
                       proof_of(library_algorithm_named(variant.substr(kTold.size())), ranks));
  if (dtype == DType::bf16)
    facts.emplace_back("accumulation", variant == kShared
                                           ? "f32, rounded once"
                                           : "f32, rounded to bf16 after every addition");
  return facts;
}

}  // namespace bench::collectives
