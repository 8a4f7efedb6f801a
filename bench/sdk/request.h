#pragma once
// What the user wants of a plugin, with typed access to the options.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/abi/bench_plugin.h"

namespace bench::sdk {

class Request {
 public:
  explicit Request(const bench_request& given);

  std::string suite, set, device, dtype;
  int ranks = 1;
  int threads = 1;
  uint64_t seed = 0;
  uint64_t last_level_cache_bytes = 0;

  bool has(std::string_view option) const { return options_.contains(option); }
  // The option's value or `otherwise`. Throw UsageError naming option and text where it is not of
  // that type.
  std::string text(std::string_view option, std::string_view otherwise) const;
  int64_t integer(std::string_view option, int64_t otherwise) const;
  double real(std::string_view option, double otherwise) const;
  bool flag(std::string_view option) const;
  bool is_on(std::string_view option, bool otherwise) const;  // "on" or "off"
  // --axis key=number, which sets the case parameter of that name; or `otherwise`. Throws
  // UsageError where it is no whole number.
  bool has_axis(std::string_view key) const { return !axis_text(key).empty(); }
  int64_t axis(std::string_view key, int64_t otherwise) const;
  // Values of an option that may be given several times: --variant op=name.
  std::vector<std::string> list(std::string_view option) const;

 private:
  std::string axis_text(std::string_view key) const;

  std::map<std::string, std::vector<std::string>, std::less<>> options_;
};

}  // namespace bench::sdk
