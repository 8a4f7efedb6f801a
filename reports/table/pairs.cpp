#include <fmt/format.h>

#include "reports/table/grid.h"
#include "reports/table/parts.h"

namespace bench::reports {
namespace {

// More would not fit a line.
constexpr size_t kMostRanks = 16;

std::string matrix_text(const schema::PairSize& size) {
  std::vector<std::string> headings = {fmt::format("{} bytes: rank", size.bytes)};
  for (size_t r = 0; r < size.seconds.size(); ++r) headings.push_back(fmt::format(">{}", r));
  Grid grid(std::move(headings));
  for (size_t r = 0; r < size.seconds.size(); ++r) {
    std::vector<std::string> cells = {std::to_string(r)};
    for (const schema::Number& s : size.seconds[r]) cells.push_back(s ? seconds_text(*s) : "-");
    grid.add(std::move(cells));
  }
  return grid.text();
}

}  // namespace

std::string pairs_block(const schema::Report& report) {
  if (report.pairs.empty()) return "";
  const schema::Pairs& pairs = report.pairs.front();
  std::string out = "every two ranks against each other, messages both ways at once; slow: " +
                    (pairs.verdict == "slow" ? std::string() : pairs.verdict) + "\n";
  for (const std::string& words : pairs.findings) out += fmt::format("  {}\n", words);
  for (const schema::PairSize& size : pairs.sizes)
    if (size.seconds.size() <= kMostRanks) out += matrix_text(size);
  return out;
}

}  // namespace bench::reports
