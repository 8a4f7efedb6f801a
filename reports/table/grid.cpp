#include "reports/table/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bench::reports {
namespace {

// Characters, not bytes: "±" is one.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool finite(const schema::Number& x) { return x && std::isfinite(*x); }

}  // namespace

Grid::Grid(std::vector<std::string> headings) {
  for (std::string& heading : headings) {
    right_.push_back(heading.starts_with('>'));
    if (right_.back()) heading.erase(0, 1);
  }
  rows_.push_back(std::move(headings));
}

void Grid::add(std::vector<std::string> cells) {
  cells.resize(right_.size());
  rows_.push_back(std::move(cells));
}

void Grid::hide_idle_columns() {
  for (size_t column = right_.size(); column-- > 0;) {
    const auto idle = [&](const auto& row) { return row[column].empty() || row[column] == "-"; };
    if (!std::all_of(rows_.begin() + 1, rows_.end(), idle)) continue;
    for (auto& row : rows_) row.erase(row.begin() + static_cast<ptrdiff_t>(column));
    right_.erase(right_.begin() + static_cast<ptrdiff_t>(column));
  }
}

std::string Grid::text() const {
  std::vector<size_t> widths(right_.size());
  for (const auto& row : rows_)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - width_of(row[i]), ' ');
      line += (i == 0 ? "  " : "   ") + (right_[i] ? pad + row[i] : row[i] + pad);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "-";
  const double size = std::abs(seconds);  // a remainder may be negative
  if (size >= 1 || size == 0) return fmt::format("{:.4g} s", seconds);
  if (size >= 1e-3) return fmt::format("{:.4g} ms", seconds * 1e3);
  if (size >= 1e-6) return fmt::format("{:.4g} us", seconds * 1e6);
  return fmt::format("{:.4g} ns", seconds * 1e9);
}

std::string number_text(const schema::Number& x, int digits) {
  return finite(x) ? fmt::format("{:.{}g}", *x, digits) : "-";
}

std::string percent_text(const schema::Number& fraction) {
  return finite(fraction) ? fmt::format("{:.1f} %", *fraction * 100) : "-";
}

std::string rate_text(double per_second, const std::string& unit) {
  const char* prefixes[] = {"", "k", "M", "G", "T", "P"};
  size_t at = 0;
  for (; std::abs(per_second) >= 1000 && at + 1 < std::size(prefixes); ++at) per_second /= 1000;
  return fmt::format("{:.4g} {}{}", per_second, prefixes[at], unit);
}

}  // namespace bench::reports
