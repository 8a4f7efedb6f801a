#pragma once
// What the semantic checks of a report have found. Private to this folder.

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "reports/schema/validate.h"

namespace bench::schema {

class Findings {
 public:
  void add(std::string path, std::string message) {
    list_.push_back({.path = std::move(path), .message = std::move(message)});
  }
  void expect(bool holds, const std::string& path, std::string message) {
    if (!holds) add(path, std::move(message));
  }
  std::vector<Violation> take() { return std::move(list_); }

 private:
  std::vector<Violation> list_;
};

// Roofline of each case, comparisons and closure; nothing where an older report has none.
void check_kernels(const nlohmann::json& report, Findings& out);

}  // namespace bench::schema
