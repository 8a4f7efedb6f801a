#include <fmt/format.h>

#include <algorithm>

#include "reports/schema/findings.h"

namespace bench::schema {
namespace {

using Json = nlohmann::json;

void check_roofline(const Json& c, const std::string& path, Findings& out) {
  const Json& r = c.at("roofline");
  out.expect(c.at("outcome") == "measured", path, "a case that was not measured has a roofline");
  out.expect(r.at("limit").is_null() == r.at("of_limit").is_null(), path + "/limit",
             "a limit and the fraction of it go together");
  const Json& gemm = r.at("gemm_fraction");
  const Json& stream = r.at("stream_fraction");
  if (r.at("limit").is_null() || gemm.is_null() || stream.is_null()) return;
  out.expect((r.at("limit") == "gemm") == (gemm.get<double>() >= stream.get<double>()),
             path + "/limit", "the nearer limit is the one with the larger fraction");
}

void check_comparison(const Json& comparison, const std::string& path, Findings& out) {
  const Json& variants = comparison.at("variants");
  out.expect(std::any_of(variants.begin(), variants.end(),
                         [&](const Json& v) {
                           return v.at("variant") == comparison.at("baseline_variant");
                         }),
             path + "/baseline_variant", "the baseline is none of the variants");
  for (size_t i = 0; i < variants.size(); ++i) {
    const std::string at = fmt::format("{}/variants/{}", path, i);
    const bool measured = variants[i].at("outcome") == "measured";
    out.expect(
        measured == variants[i].at("time_s").is_number(), at + "/time_s",
        measured ? "a measured variant has no time" : "a variant that was not measured has a time");
    const Json& ratio = variants[i].at("ratio");
    if (!ratio.is_object()) continue;
    out.expect(measured, at + "/ratio", "a variant that was not measured has a ratio");
    const double median = ratio.at("median").get<double>();
    out.expect(ratio.at("low").get<double>() <= median && median <= ratio.at("high").get<double>(),
               at + "/ratio", "the median is outside its range");
  }
}

void check_closure(const Json& closure, const Json& cases, const std::string& path, Findings& out) {
  const auto known = [&](const Json& name) {
    return std::any_of(cases.begin(), cases.end(),
                       [&](const Json& c) { return c.at("name") == name; });
  };
  out.expect(known(closure.at("case")), path + "/case", "the report has no case of this name");
  out.expect(!closure.at("parts").empty() || closure.at("kernels_s").is_null(), path + "/kernels_s",
             "a sum of no parts");
  for (size_t i = 0; i < closure.at("parts").size(); ++i)
    out.expect(known(closure.at("parts")[i].at("case")), fmt::format("{}/parts/{}/case", path, i),
               "the report has no case of this name");
}

}  // namespace

void check_kernels(const Json& report, Findings& out) {
  const Json& cases = report.at("cases");
  for (size_t i = 0; i < cases.size(); ++i)
    if (cases[i].contains("roofline") && cases[i].at("roofline").is_object())
      check_roofline(cases[i], fmt::format("/cases/{}/roofline", i), out);
  const Json none = Json::array();
  const Json& comparisons = report.contains("comparisons") ? report.at("comparisons") : none;
  for (size_t i = 0; i < comparisons.size(); ++i)
    check_comparison(comparisons[i], fmt::format("/comparisons/{}", i), out);
  const Json& closures = report.contains("closure") ? report.at("closure") : none;
  for (size_t i = 0; i < closures.size(); ++i)
    check_closure(closures[i], cases, fmt::format("/closure/{}", i), out);
}

}  // namespace bench::schema
