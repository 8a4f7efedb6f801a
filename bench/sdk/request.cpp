#include "bench/sdk/request.h"

#include <charconv>

#include "bench/base/status.h"
#include "bench/sdk/host.h"

namespace bench::sdk {
namespace {

std::string text_or_empty(const char* text) { return text != nullptr ? text : ""; }

template <class N>
N parse(std::string_view option, const std::string& text, const char* what) {
  N value{};
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end)
    throw UsageError("--" + std::string(option) + " wants " + what + ", not '" + text + "'");
  return value;
}

}  // namespace

Request::Request(const bench_request& given) {
  const bench_request r = copy_sized(given);
  suite = text_or_empty(r.suite);
  set = text_or_empty(r.set);
  device = text_or_empty(r.device);
  dtype = text_or_empty(r.dtype);
  ranks = r.ranks;
  threads = r.threads;
  seed = r.seed;
  last_level_cache_bytes = r.last_level_cache_bytes;
  for (uint32_t i = 0; i < r.option_count; ++i)
    options_[r.options[i].key].push_back(text_or_empty(r.options[i].text));
}

std::string Request::text(std::string_view option, std::string_view otherwise) const {
  const auto found = options_.find(option);
  return found == options_.end() ? std::string(otherwise) : found->second.back();
}

int64_t Request::integer(std::string_view option, int64_t otherwise) const {
  return has(option) ? parse<int64_t>(option, text(option, ""), "a whole number") : otherwise;
}

double Request::real(std::string_view option, double otherwise) const {
  return has(option) ? parse<double>(option, text(option, ""), "a number") : otherwise;
}

bool Request::flag(std::string_view option) const {
  const std::string given = text(option, "false");
  if (given != "true" && given != "false")
    throw UsageError("--" + std::string(option) + " wants true or false, not '" + given + "'");
  return given == "true";
}

bool Request::is_on(std::string_view option, bool otherwise) const {
  if (!has(option)) return otherwise;
  const std::string given = text(option, "");
  if (given != "on" && given != "off")
    throw UsageError("--" + std::string(option) + " wants on or off, not '" + given + "'");
  return given == "on";
}

std::string Request::axis_text(std::string_view key) const {
  for (const std::string& text : list("axis"))
    if (text.size() > key.size() && text.starts_with(key) && text[key.size()] == '=')
      return text.substr(key.size() + 1);
  return {};
}

int64_t Request::axis(std::string_view key, int64_t otherwise) const {
  const std::string text = axis_text(key);
  if (text.empty()) return otherwise;
  return parse<int64_t>("axis " + std::string(key), text, "a whole number");
}

std::vector<std::string> Request::list(std::string_view option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? std::vector<std::string>{} : found->second;
}

}  // namespace bench::sdk
