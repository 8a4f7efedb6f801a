#pragma once
// What a rank is doing, and who of several has not arrived: pure, so that it can be tested without
// hanging anything.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// One rank's state at one moment. Counts are of the case now running.
struct Whereabouts {
  int64_t place = 0;  // which of the run's cases, over all rounds
  std::string case_name, phase;
  int64_t entered = 0, left = 0;  // collectives
  std::string inside;             // the collective it is in, or empty
};

// One line of text, and back. A line that is none gives empty values.
std::string to_line(const Whereabouts& w);
Whereabouts from_line(std::string_view line);

struct RankView {
  int rank = 0;
  std::string host;
  Whereabouts where;
  double silent_s = 0;     // since the last sign of life
  bool connected = false;  // ever heard of
};

struct Laggard {
  int rank = 0;
  std::string host, why, last_range;
};

// A rank that says nothing for so long is stopped or dead: it reports five times a second.
inline constexpr double kSilenceSeconds = 1.5;

// Of the ranks that run a case together: those without a sign of life; if all live, those still at
// an earlier case than others; if all are at the same, those that have entered fewer collectives
// than others; if none has, those that are not inside the one the others wait in; else all.
std::vector<Laggard> who_is_late(std::span<const RankView> ranks);

}  // namespace bench
