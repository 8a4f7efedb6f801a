#pragma once
// JSON text with an error a person can act on. Private to this folder.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "bench/base/status.h"

namespace bench::schema {

inline nlohmann::json parse_text(std::string_view text, std::string_view origin) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    // The library's message names line and column behind its own error number.
    std::string_view words = e.what();
    if (const size_t end = words.find("] "); end != words.npos) words.remove_prefix(end + 2);
    throw UsageError(fmt::format("{} is no JSON: {}", origin, words));
  }
}

}  // namespace bench::schema
