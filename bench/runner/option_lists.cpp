#include "bench/runner/option_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "bench/base/status.h"

namespace bench::runner {
namespace {

constexpr size_t kMostValues = 1000;        // of one key
constexpr size_t kMostCombinations = 1000;  // of all keys

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (size_t from = 0; from <= text.size();) {
    const size_t to = std::min(text.find(at, from), text.size());
    parts.emplace_back(text.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end || value < 1) return {};
  return value;
}

// Splits off the key; empty where there is none.
KeyedList keyed(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return {};
  return {.key = text.substr(0, equals), .values = split(text.substr(equals + 1), ',')};
}

// A number, or the numbers of a range; empty where it is neither or too long.
std::vector<int64_t> numbers_of(const std::string& item) {
  const std::vector<std::string> parts = split(item, ':');
  const auto low = whole_number(parts[0]);
  if (!low) return {};
  if (parts.size() == 1) return {*low};
  if (parts.size() != 3) return {};
  const auto high = whole_number(parts[1]);
  const bool geometric = parts[2].starts_with('*');
  const auto step = whole_number(std::string_view(parts[2]).substr(geometric ? 1 : 0));
  if (!high || !step || *high < *low || (geometric && *step < 2)) return {};
  std::vector<int64_t> numbers;
  for (int64_t n = *low; n <= *high && numbers.size() <= kMostValues;) {
    numbers.push_back(n);
    const bool last = geometric ? n > *high / *step : n > *high - *step;
    if (last) break;
    n = geometric ? n * *step : n + *step;
  }
  return numbers;
}

void add_once(std::vector<std::string>& list, const std::string& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

// All of `sets`, once for each value of the list.
std::vector<OptionSet> times(const std::vector<OptionSet>& sets, std::string_view option,
                             const KeyedList& list) {
  std::vector<OptionSet> product;
  if (sets.size() * list.values.size() > kMostCombinations)
    throw UsageError(
        fmt::format("--{} {}={}…: with the other lists, more than {} combinations; shorten them",
                    option, list.key, list.values.front(), kMostCombinations));
  for (const OptionSet& set : sets)
    for (const std::string& value : list.values) {
      product.push_back(set);
      product.back().set(option, list.key + "=" + value, "list");
    }
  return product;
}

}  // namespace

KeyedList parse_names(std::string_view option, const std::string& text, std::string_view where) {
  KeyedList list = keyed(text);
  const bool good =
      !list.key.empty() && std::none_of(list.values.begin(), list.values.end(),
                                        [](const std::string& name) { return name.empty(); });
  if (!good)
    throw UsageError(fmt::format("{}: --{} wants op=name[,name…], not '{}'", where, option, text));
  return list;
}

KeyedList parse_numbers(std::string_view option, const std::string& text, std::string_view where) {
  const KeyedList given = keyed(text);
  KeyedList list{.key = given.key, .values = {}};
  bool good = !given.key.empty();
  for (const std::string& item : given.values) {
    const std::vector<int64_t> numbers = numbers_of(item);
    good = good && !numbers.empty() && list.values.size() + numbers.size() <= kMostValues;
    if (!good) break;
    for (const int64_t n : numbers) list.values.push_back(std::to_string(n));
  }
  if (!good)
    throw UsageError(fmt::format(
        "{}: --{} wants key=LIST, whole numbers from 1 and ranges lo:hi:step or lo:hi:*factor "
        "separated by commas, {} numbers at most; not '{}'",
        where, option, kMostValues, text));
  return list;
}

std::vector<KeyedList> keyed_lists(const OptionSet& options, std::string_view option) {
  std::vector<KeyedList> lists;
  for (const std::string& text : options.list(option)) {
    const KeyedList given = find_option(option)->kind == OptionKind::numbers
                                ? parse_numbers(option, text, "options")
                                : parse_names(option, text, "options");
    auto at = std::find_if(lists.begin(), lists.end(),
                           [&](const KeyedList& l) { return l.key == given.key; });
    if (at == lists.end()) at = lists.insert(lists.end(), {.key = given.key, .values = {}});
    for (const std::string& value : given.values) add_once(at->values, value);
  }
  return lists;
}

std::vector<OptionSet> expand(const OptionSet& options) {
  OptionSet rest = options;
  for (const char* option : {"variant", "axis"}) rest.remove(option);
  std::vector<OptionSet> sets = {rest};
  for (const char* option : {"variant", "axis"})
    for (const KeyedList& list : keyed_lists(options, option)) sets = times(sets, option, list);
  return sets;
}

}  // namespace bench::runner
