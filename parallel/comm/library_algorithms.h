#pragma once
// All-reduce algorithms that an MPI library can be told to take, and how to see whether it did:
// every algorithm adds vectors of its own sizes, and an operation of ours sees them.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// Of Open MPI's component coll/tuned (coll_tuned_allreduce_algorithm).
struct LibraryAlgorithm {
  std::string_view name;
  int number;
};
std::span<const LibraryAlgorithm> library_algorithms();

// Throws UsageError that lists the names.
const LibraryAlgorithm& library_algorithm_named(std::string_view name);

// By rank: the elements of each addition it made, in order.
using Additions = std::vector<std::vector<int64_t>>;

// Why these are not what the algorithm adds to all-reduce `count` elements; empty: they are. A
// library replaces an algorithm that does not suit a size without a word.
std::string not_additions_of(const LibraryAlgorithm& algorithm, int64_t count,
                             const Additions& additions);

// What the additions prove on so many ranks, in words: where two algorithms add the same, that.
std::string proof_of(const LibraryAlgorithm& algorithm, int ranks);

}  // namespace bench
