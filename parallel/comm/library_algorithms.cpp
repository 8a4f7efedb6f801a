#include "parallel/comm/library_algorithms.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "bench/base/status.h"

namespace bench {
namespace {

using Sizes = std::vector<int64_t>;

constexpr int kLinear = 1, kReduceBroadcast = 2, kDoubling = 3, kRing = 4, kSegmentedRing = 5,
              kRabenseifner = 6;
constexpr std::array kAlgorithms = {LibraryAlgorithm{"linear", kLinear},
                                    LibraryAlgorithm{"reduce_broadcast", kReduceBroadcast},
                                    LibraryAlgorithm{"recursive_doubling", kDoubling},
                                    LibraryAlgorithm{"ring", kRing},
                                    LibraryAlgorithm{"segmented_ring", kSegmentedRing},
                                    LibraryAlgorithm{"rabenseifner", kRabenseifner}};

int64_t sum_of(const Sizes& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
}

// What is to be added on one rank of so many.
struct Place {
  int rank, ranks;
  int64_t count;
  int core() const { return static_cast<int>(std::bit_floor(static_cast<unsigned>(ranks))); }
  int surplus() const { return ranks - core(); }
  bool paired() const { return rank < 2 * surplus(); }  // with its neighbour, before the core
  int64_t rounds() const { return std::countr_zero(static_cast<unsigned>(core())); }
};

// Of `count` cut as even as can be into `parts`: any of them, or `parts` of them put together.
bool is_part(int64_t size, int64_t count, int64_t parts) {
  return size == count / parts || size == (count + parts - 1) / parts;
}

bool of_linear(const Place& at, const Sizes& sizes) {
  return sizes == (at.rank == 0 ? Sizes(static_cast<size_t>(at.ranks - 1), at.count) : Sizes());
}

// Of a pair the odd rank takes the even one's vector in.
bool of_doubling(const Place& at, const Sizes& sizes) {
  int64_t times = at.rounds();
  if (at.paired()) times = at.rank % 2 == 0 ? 0 : times + 1;
  return sizes == Sizes(static_cast<size_t>(times), at.count);
}

bool of_ring(const Place& at, const Sizes& sizes) {
  return sizes.size() == static_cast<size_t>(at.ranks - 1) &&
         std::all_of(sizes.begin(), sizes.end(),
                     [&](int64_t size) { return is_part(size, at.count, at.ranks); });
}

// The parts of a ring, each in more than one piece.
bool of_segmented_ring(const Place& at, const Sizes& sizes) {
  const int64_t times = at.ranks - 1, sum = sum_of(sizes);
  return sizes.size() > static_cast<size_t>(times) && sum >= times * (at.count / at.ranks) &&
         sum <= times * (at.count / at.ranks + 1);
}

// A half, a quarter, …; of a pair each rank adds a half, after which the even one goes on. Halves
// of halves are rounded either way: within one of the exact size.
bool of_rabenseifner(const Place& at, const Sizes& sizes) {
  Sizes halvings;
  if (at.paired()) halvings.push_back(2);
  if (!at.paired() || at.rank % 2 == 0)
    for (int64_t parts = 2; parts <= at.core(); parts *= 2) halvings.push_back(parts);
  return std::equal(sizes.begin(), sizes.end(), halvings.begin(), halvings.end(),
                    [&](int64_t size, int64_t parts) {
                      return size >= at.count / parts - 1 && size <= at.count / parts + 1;
                    });
}

bool fits(int number, const Place& at, const Sizes& sizes) {
  switch (number) {
    case kLinear: return of_linear(at, sizes);
    case kDoubling: return of_doubling(at, sizes);
    case kRing: return of_ring(at, sizes);
    case kSegmentedRing: return of_segmented_ring(at, sizes);
    case kRabenseifner: return of_rabenseifner(at, sizes);
    default: return true;  // by all ranks together, below
  }
}

// Whether every rank's elements were added once: not where several ranks make the same sums, as in
// doubling. Of few elements, that alone tells a vector from a part of it.
bool adds_once(int64_t count, const Additions& additions) {
  int64_t sum = 0;
  for (const Sizes& sizes : additions) sum += sum_of(sizes);
  return sum == static_cast<int64_t>(additions.size() - 1) * count;
}

// A reduction to rank 0 by whatever tree: not all ranks add.
bool of_reduce_broadcast(const Additions& additions) {
  const bool one_adds_nothing = std::any_of(additions.begin(), additions.end(),
                                            [](const Sizes& sizes) { return sizes.empty(); });
  return one_adds_nothing && !additions.front().empty();
}

std::string words_of(int rank, const Sizes& sizes) {
  constexpr size_t kMost = 4;
  std::string words = "rank " + std::to_string(rank) + " added ";
  if (sizes.empty()) return words + "nothing";
  for (size_t i = 0; i < std::min(kMost, sizes.size()); ++i)
    words += (i == 0 ? "" : ", ") + std::to_string(sizes[i]);
  return words + (sizes.size() > kMost ? ", …" : "") + " elements";
}

}  // namespace

std::span<const LibraryAlgorithm> library_algorithms() { return kAlgorithms; }

const LibraryAlgorithm& library_algorithm_named(std::string_view name) {
  std::string names;
  for (const LibraryAlgorithm& a : kAlgorithms) {
    if (a.name == name) return a;
    names += (names.empty() ? "" : ", ") + std::string(a.name);
  }
  throw UsageError("a library's all-reduce algorithm '" + std::string(name) +
                   "' is not known; there are: " + names);
}

std::string not_additions_of(const LibraryAlgorithm& algorithm, int64_t count,
                             const Additions& additions) {
  const int ranks = static_cast<int>(additions.size());
  const std::string took = "told to take " + std::string(algorithm.name) + " for " +
                           std::to_string(count) + " elements on " + std::to_string(ranks) +
                           " ranks, the MPI library took another algorithm: ";
  for (int r = 0; r < ranks; ++r) {
    const Sizes& sizes = additions[static_cast<size_t>(r)];
    if (!fits(algorithm.number, {.rank = r, .ranks = ranks, .count = count}, sizes))
      return took + words_of(r, sizes);
  }
  if ((algorithm.number != kDoubling && !adds_once(count, additions)) ||
      (algorithm.number == kReduceBroadcast && !of_reduce_broadcast(additions)))
    return took + words_of(0, additions.front());
  return "";
}

std::string proof_of(const LibraryAlgorithm& algorithm, int ranks) {
  const std::string seen = "sizes of its additions";
  if (algorithm.number == kReduceBroadcast)
    return seen + ", which linear may share: which tree it reduced by was not looked for";
  if (algorithm.number == kLinear) return seen + ", which reduce_broadcast may share";
  if (ranks != 2) return seen;
  if (algorithm.number == kRing) return seen + ", the same as rabenseifner's on 2 ranks";
  if (algorithm.number == kRabenseifner) return seen + ", the same as ring's on 2 ranks";
  return seen;
}

}  // namespace bench
