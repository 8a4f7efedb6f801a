#include "bench/world/whereabouts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace bench {
namespace {

std::string last_range(const Whereabouts& w) {
  return w.case_name.empty() ? "no case"
         : w.phase.empty()   ? w.case_name
                             : w.case_name + " / " + w.phase;
}

// The ranks for which `late` gives a reason.
template <class F>
std::vector<Laggard> pick(std::span<const RankView> ranks, F&& late) {
  std::vector<Laggard> picked;
  for (const RankView& r : ranks) {
    const std::string why = late(r);
    if (!why.empty())
      picked.push_back(
          {.rank = r.rank, .host = r.host, .why = why, .last_range = last_range(r.where)});
  }
  return picked;
}

int64_t number(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::string to_line(const Whereabouts& w) {
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", w.place, w.case_name, w.phase, w.entered, w.left,
                     w.inside);
}

Whereabouts from_line(std::string_view line) {
  std::vector<std::string_view> fields;
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  for (;;) {
    const size_t tab = line.find('\t');
    fields.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) break;
    line.remove_prefix(tab + 1);
  }
  if (fields.size() != 6) return {};
  return {.place = number(fields[0]),
          .case_name = std::string(fields[1]),
          .phase = std::string(fields[2]),
          .entered = number(fields[3]),
          .left = number(fields[4]),
          .inside = std::string(fields[5])};
}

std::vector<Laggard> who_is_late(std::span<const RankView> ranks) {
  auto late = pick(ranks, [](const RankView& r) {
    return r.connected && r.silent_s > kSilenceSeconds
               ? fmt::format("no sign of life for {:.1f} s", r.silent_s)
               : "";
  });
  if (!late.empty() || ranks.empty()) return late;

  // Counts are of one case: between ranks at different cases they say nothing.
  const int64_t ahead =
      std::max_element(ranks.begin(), ranks.end(), [](const RankView& a, const RankView& b) {
        return a.where.place < b.where.place;
      })->where.place;
  late = pick(ranks, [&](const RankView& r) {
    return r.where.place < ahead ? "still at an earlier case than the others" : std::string();
  });
  if (!late.empty()) return late;

  const auto furthest = std::max_element(
      ranks.begin(), ranks.end(),
      [](const RankView& a, const RankView& b) { return a.where.entered < b.where.entered; });
  const int64_t most = furthest->where.entered;
  late = pick(ranks, [&](const RankView& r) {
    return r.where.entered < most
               ? fmt::format("not in collective #{}{} that others wait in", most,
                             furthest->where.inside.empty() ? "" : " " + furthest->where.inside)
               : "";
  });
  if (!late.empty()) return late;

  const auto waits = [](const RankView& r) { return !r.where.inside.empty(); };
  if (std::any_of(ranks.begin(), ranks.end(), waits) &&
      !std::all_of(ranks.begin(), ranks.end(), waits))
    return pick(ranks, [&](const RankView& r) {
      return waits(r) ? "" : fmt::format("has left collective #{} that others are still in", most);
    });
  return pick(ranks, [&](const RankView& r) {
    return waits(r) ? "waits in " + r.where.inside + " like all others"
                    : std::string("still working, like all others");
  });
}

}  // namespace bench
