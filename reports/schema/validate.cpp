#include "reports/schema/validate.h"

#include <fmt/format.h>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "reports/schema/parse_text.h"
#include "reports/schema/semantics.h"

namespace bench::embedded {
extern const char* const kReportSchema;
}

namespace bench::schema {
namespace {

using Json = nlohmann::json;

// valijson gives the way as "<root>", "[cases]", "[3]".
std::string pointer_of(const std::vector<std::string>& context) {
  std::string path;
  for (const std::string& step : context)
    if (step.size() > 2 && step.front() == '[') path += "/" + step.substr(1, step.size() - 2);
  return path;
}

std::vector<Violation> against_schema(const Json& report) {
  const Json document = Json::parse(schema_text());
  valijson::Schema schema;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(document), schema);
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  const valijson::adapters::NlohmannJsonAdapter target(report);
  std::vector<Violation> found;
  if (validator.validate(schema, target, &results)) return found;
  for (const auto& error : results)
    found.push_back({.path = pointer_of(error.context), .message = error.description});
  return found;
}

}  // namespace

std::string_view schema_text() { return embedded::kReportSchema; }

std::vector<Violation> validate(std::string_view text, std::string_view origin) {
  const Json report = parse_text(text, origin);
  std::vector<Violation> found = against_schema(report);
  if (found.empty()) found = semantic_violations(report);
  return found;
}

}  // namespace bench::schema
