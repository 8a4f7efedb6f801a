#include "reports/schema/semantics.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/schema/findings.h"

namespace bench::schema {
namespace {

using Json = nlohmann::json;

void check_interval(const Json& interval, const std::string& path, Findings& out) {
  if (!interval.is_array() || !interval[0].is_number() || !interval[1].is_number()) return;
  out.expect(interval[0].get<double>() <= interval[1].get<double>(), path,
             "the interval's lower end is above its upper end");
}

void check_time(const Json& time, const std::string& path, Findings& out) {
  check_interval(time.at("ci95"), path + "/ci95", out);
  const char* order[] = {"min", "p5", "p25", "p75", "p95", "p99", "max"};
  double last = -1;
  for (const char* name : order) {
    const Json& value = time.at(name);
    if (!value.is_number()) continue;
    out.expect(value.get<double>() >= last, path + "/" + name,
               "the quantiles are not in ascending order");
    last = value.get<double>();
  }
}

void check_flanked(const Json& c, const std::string& path, Findings& out) {
  const Json& flanked = c.at("flanked");
  out.expect(c.at("outcome") == "measured", path, "a case that was not measured has flanks");
  const Json& ratio = flanked.at("ratio");
  check_interval(ratio.at("ci95"), path + "/ratio/ci95", out);
  double last = 0;
  for (const char* name : {"min", "p25", "median", "p75", "max"}) {
    out.expect(ratio.at(name).get<double>() >= last, path + "/ratio/" + name,
               "the quantiles are not in ascending order");
    last = ratio.at(name).get<double>();
  }
  if (c.at("time_s").is_object())
    out.expect(c.at("time_s").at("n") == 2 * flanked.at("n").get<int64_t>(), path + "/n",
               "a group that was kept has two samples");
}

void check_case(const Json& c, const std::string& path, Findings& out) {
  const bool measured = c.at("outcome") == "measured";
  out.expect(measured == c.at("time_s").is_object(), path + "/time_s",
             measured ? "a measured case has no time" : "a case that was not measured has a time");
  out.expect(measured || c.at("reason") != "", path + "/reason",
             "a case that was not measured gives no reason");
  out.expect(c.at("outcome") != "wrong" || c.at("verify").at("status") == "wrong",
             path + "/verify/status", "the outcome is wrong, but the check did not say so");
  out.expect(!measured || c.at("verify").at("status") != "wrong", path + "/outcome",
             "the check found a wrong result, yet the case counts as measured");
  if (c.at("time_s").is_object()) check_time(c.at("time_s"), path + "/time_s", out);
  if (c.contains("flanked") && c.at("flanked").is_object())
    check_flanked(c, path + "/flanked", out);
  const Json& per_rank = c.at("ranks_time_s");
  if (per_rank.is_object())
    out.expect(per_rank.at("median").size() == c.at("ranks").get<size_t>(),
               path + "/ranks_time_s/median", "not one median per rank");
}

void check_cases(const Json& report, Findings& out) {
  std::set<std::string> seen;
  const Json& cases = report.at("cases");
  for (size_t i = 0; i < cases.size(); ++i) {
    const Json& c = cases[i];
    const std::string path = fmt::format("/cases/{}", i);
    check_case(c, path, out);
    const std::string key =
        Json{c.at("name"),   c.at("plugin"), c.at("ranks"),        c.at("params"),
             c.at("layout"), c.at("suite"),  c.value("dtype", ""), c.value("scaling_point", "")}
            .dump();
    out.expect(seen.insert(key).second, path,
               fmt::format("the case {} is there twice with the same ranks and params",
                           c.at("name").dump()));
  }
}

void check_scaling(const Json& curve, const std::string& path, Findings& out) {
  int last = 0;
  const Json& points = curve.at("points");
  for (size_t i = 0; i < points.size(); ++i) {
    const std::string at = fmt::format("{}/points/{}", path, i);
    const int ranks = points[i].at("ranks").get<int>();
    out.expect(ranks > last, at + "/ranks", "the points are not in ascending order of ranks");
    last = ranks;
    out.expect(points[i].at("kind") == curve.at("kind"), at + "/kind",
               "the point is of another kind than its curve");
  }
}

void check_references(const Json& report, Findings& out) {
  for (const char* id : {"megatron2019.single_gpu_tflops", "megatron2019.scaling_efficiency"}) {
    const Json& list = report.at("references");
    out.expect(std::count_if(list.begin(), list.end(),
                             [&](const Json& r) { return r.at("id") == id; }) == 1,
               "/references", fmt::format("the reference {} is not there exactly once", id));
  }
  const Json& list = report.at("references");
  for (size_t i = 0; i < list.size(); ++i)
    out.expect(list[i].at("comparable") == true || list[i].at("why_not") != "",
               fmt::format("/references/{}/why_not", i), "not comparable, and no reason is given");
}

}  // namespace

std::vector<Violation> semantic_violations(const Json& report) {
  Findings out;
  check_cases(report, out);
  if (report.at("scaling").is_object()) check_scaling(report.at("scaling"), "/scaling", out);
  for (size_t i = 0; i < report.at("scaling_more").size(); ++i)
    check_scaling(report.at("scaling_more")[i], fmt::format("/scaling_more/{}", i), out);
  check_references(report, out);
  check_kernels(report, out);
  out.expect(
      report.at("run").at("complete") == false || !report.at("environment").at("ranks").empty(),
      "/environment/ranks", "a complete run names no rank");
  const Json& verdict = report.at("verdict");
  const bool judged_bad = verdict.at("state") == "fail" || verdict.at("state") == "no_verdict";
  out.expect(!judged_bad || !verdict.at("reasons").empty(), "/verdict/reasons",
             "a verdict without a reason");
  return out.take();
}

}  // namespace bench::schema
