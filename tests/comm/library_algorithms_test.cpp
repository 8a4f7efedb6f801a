// Whether the additions that were seen are those of the algorithm that was asked for. The sizes are
// those that Open MPI 4.1.4 made.
#include "parallel/comm/library_algorithms.h"

#include <gtest/gtest.h>

#include "bench/base/status.h"

namespace bench {
namespace {

struct Seen {
  const char* name;
  int64_t count;
  Additions additions;
};

const Seen kAsAsked[] = {
    {"linear", 2, {{2, 2}, {}, {}}},
    {"reduce_broadcast", 1001, {{1001, 1001}, {1001}, {}, {}}},
    {"recursive_doubling", 1001, {{1001}, {1001}}},
    {"recursive_doubling", 2, {{}, {2, 2}, {2}}},
    // So few elements that a whole vector is as long as a part, within rounding.
    {"recursive_doubling", 1, {{1}, {1}}},
    {"recursive_doubling", 2, {{2}, {2}}},
    {"recursive_doubling", 7, {{7, 7}, {7, 7}, {7, 7}, {7, 7}}},
    {"ring", 1001, {{500}, {501}}},
    {"ring", 1001, {{333, 334}, {334, 333}, {334, 334}}},
    {"segmented_ring", 100003, {{16667, 16667, 16667}, {16668, 16667, 16667}}},
    {"rabenseifner", 1001, {{500, 500}, {501}, {501}}},
    {"rabenseifner", 100003, {{50001, 25000}, {50002, 25001}, {50001, 25001}, {50002, 25001}}}};

std::string why_not(const Seen& seen, const char* asked) {
  return not_additions_of(library_algorithm_named(asked), seen.count, seen.additions);
}

TEST(LibraryAlgorithms, AreKnownByTheirAdditions) {
  for (const Seen& seen : kAsAsked)
    EXPECT_EQ(why_not(seen, seen.name), "") << seen.name << " of " << seen.count;
}

// Where two algorithms add the same, the report says so; all others are told apart.
bool may_look_alike(const std::string& a, const std::string& b, size_t ranks) {
  const auto are = [&](const char* one, const char* other) {
    return (a == one && b == other) || (a == other && b == one);
  };
  return a == b || are("linear", "reduce_broadcast") || (ranks == 2 && are("ring", "rabenseifner"));
}

TEST(LibraryAlgorithms, AreNotTakenForEachOther) {
  for (const Seen& seen : kAsAsked)
    for (const LibraryAlgorithm& other : library_algorithms()) {
      const std::string asked(other.name);
      if (may_look_alike(seen.name, asked, seen.additions.size())) continue;
      EXPECT_NE(why_not(seen, asked.c_str()), "") << seen.name << " for " << asked;
    }
}

TEST(LibraryAlgorithms, ThatWereReplacedAreNamedWithWhatWasSeen) {
  const std::string words = why_not({"ring", 2, {{}, {2, 2}, {2}}}, "ring");
  EXPECT_NE(words.find("ring for 2 elements on 3 ranks"), std::string::npos) << words;
  EXPECT_NE(words.find("rank 0 added nothing"), std::string::npos) << words;
}

TEST(LibraryAlgorithms, SayWhatTheirAdditionsCannotTell) {
  const auto proof = [](const char* name, int ranks) {
    return proof_of(library_algorithm_named(name), ranks);
  };
  EXPECT_NE(proof("ring", 2).find("rabenseifner"), std::string::npos);
  EXPECT_NE(proof("linear", 4).find("reduce_broadcast"), std::string::npos);
  EXPECT_EQ(proof("ring", 3), proof("recursive_doubling", 2));
}

TEST(LibraryAlgorithms, ThatAreNotThereAreAUsageErrorWithTheNames) {
  try {
    library_algorithm_named("star");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_NE(std::string(e.what()).find("rabenseifner"), std::string::npos);
  }
}

}  // namespace
}  // namespace bench
