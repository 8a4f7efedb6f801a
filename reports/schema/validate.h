#pragma once
// Holds a report's text against the JSON Schema and against what a JSON Schema cannot say.

#include <string>
#include <string_view>
#include <vector>

namespace bench::schema {

struct Violation {
  std::string path;  // JSON pointer, "" for the whole report
  std::string message;
};

// What is wrong with the report; empty when it is valid. Throws UsageError with line and column
// when the text is no JSON at all; `origin` is the file's name for that message.
std::vector<Violation> validate(std::string_view text, std::string_view origin);

// The JSON Schema (draft 7) this build was made with; the same text is installed as data.
std::string_view schema_text();

}  // namespace bench::schema
