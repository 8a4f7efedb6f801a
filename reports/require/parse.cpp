#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "bench/base/status.h"
#include "reports/require/fields.h"
#include "reports/require/require.h"

namespace bench::reports {
namespace {

struct Operator {
  std::string_view text;
  Comparison comparison;
};
// The two-letter ones first: ">=" is no ">".
constexpr Operator kOperators[] = {{">=", Comparison::at_least},
                                   {"<=", Comparison::at_most},
                                   {"==", Comparison::equal},
                                   {">", Comparison::above},
                                   {"<", Comparison::below}};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

template <class T>
std::string names_of(std::span<const NamedField<T>> fields) {
  std::vector<std::string_view> names;
  for (const auto& field : fields) names.push_back(field.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw UsageError(fmt::format("--require '{}': {}", text, why));
}

template <class T>
std::string known_field(std::span<const NamedField<T>> fields, std::string_view name,
                        const Requirement& r) {
  if (find_field(fields, name) == nullptr)
    refuse(r.text, fmt::format("there is no figure '{}'; known: {}", name, names_of(fields)));
  return std::string(name);
}

void parse_scaling(std::string_view rest, Requirement& r) {
  const std::string_view first = rest.substr(0, rest.find('.'));
  int ranks = 0;
  const auto read = std::from_chars(first.data(), first.data() + first.size(), ranks);
  if (read.ec == std::errc() && read.ptr == first.data() + first.size()) {
    if (ranks < 1) refuse(r.text, "a point of the curve has at least 1 rank");
    r.of = Requirement::Of::point;
    r.ranks = ranks;
    rest.remove_prefix(std::min(rest.size(), first.size() + 1));
  }
  r.field = known_field(point_fields(), rest, r);
}

void parse_reference(std::string_view rest, Requirement& r) {
  r.of = Requirement::Of::reference;
  r.field = "ratio";
  for (const std::string_view id : kReferenceIds)
    if (rest == fmt::format("{}.ratio", id)) r.name = id;
  if (r.name.empty())
    refuse(r.text, fmt::format("known references are {}, each with .ratio",
                               fmt::join(kReferenceIds, ", ")));
}

// A case's name has dots itself: the figure is what a known name ends the path with. `prefix` is
// how the path begins, for the message.
template <class T>
void parse_named(std::string_view rest, std::string_view prefix,
                 std::span<const NamedField<T>> fields, Requirement& r) {
  for (const auto& field : fields) {
    const std::string ending = fmt::format(".{}", field.name);
    if (!rest.ends_with(ending) || rest.size() == ending.size()) continue;
    r.field = field.name;
    r.name = rest.substr(0, rest.size() - ending.size());
    return;
  }
  refuse(r.text, fmt::format("after {}. comes one of {}", prefix, names_of(fields)));
}

void parse_path(std::string_view path, Requirement& r) {
  if (take_prefix(path, "scaling.")) return parse_scaling(path, r);
  if (take_prefix(path, "references.")) return parse_reference(path, r);
  if (take_prefix(path, "cases.")) {
    r.of = Requirement::Of::cases;
    return parse_named(path, "cases.NAME", case_fields(), r);
  }
  if (take_prefix(path, "comparisons.")) {
    r.of = Requirement::Of::comparisons;
    return parse_named(path, "comparisons.NAME.VARIANT", variant_fields(), r);
  }
  if (take_prefix(path, "closure.")) {
    r.of = Requirement::Of::closure;
    r.field = known_field(closure_fields(), path, r);
    return;
  }
  if (take_prefix(path, "phases_s.")) {
    r.of = Requirement::Of::phase;
    r.field = known_field(phase_fields(), path, r);
    return;
  }
  refuse(
      r.text,
      fmt::format("unknown path '{}': it starts with scaling., references., cases., comparisons., "
                  "closure. or phases_s.",
                  path));
}

}  // namespace

Requirement parse_requirement(std::string_view text) {
  Requirement r;
  r.text = trimmed(text);
  const std::string_view whole = r.text;
  const size_t at = whole.find_first_of("<>=");
  const auto op = std::find_if(
      std::begin(kOperators), std::end(kOperators),
      [&](const Operator& o) { return at != whole.npos && whole.substr(at).starts_with(o.text); });
  if (op == std::end(kOperators))
    refuse(r.text, "expected PATH OP NUMBER with one of >= <= > < ==");
  const std::string_view number = trimmed(whole.substr(at + op->text.size()));
  const auto read = std::from_chars(number.data(), number.data() + number.size(), r.number);
  if (number.empty() || read.ec != std::errc() || read.ptr != number.data() + number.size() ||
      !std::isfinite(r.number))
    refuse(r.text, fmt::format("'{}' is no number", number));
  r.comparison = op->comparison;
  parse_path(trimmed(whole.substr(0, at)), r);
  return r;
}

void check_case_names(std::span<const Requirement> requirements,
                      std::span<const std::string> planned_names) {
  for (const Requirement& r : requirements) {
    const bool compares = r.of == Requirement::Of::comparisons;
    if (!compares && r.of != Requirement::Of::cases) continue;
    const auto is_meant = [&](const std::string& name) {
      return compares ? r.name.starts_with(name + ".") : r.name == name;
    };
    if (std::none_of(planned_names.begin(), planned_names.end(), is_meant))
      refuse(r.text, fmt::format("this run has no case {}; `bench list` shows the names", r.name));
  }
}

}  // namespace bench::reports
