#include "bench/runner/attach_flanks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bench/base/status.h"

namespace bench::runner {
namespace {

constexpr const char* kCeilings = "ceilings";

[[noreturn]] void bad_plugin(const PlannedCase& c, const std::string& what) {
  throw EnvironmentError(fmt::format("plugin {}: case {} {}", c.plugin->id(), c.spec.name, what));
}

// The case's own request, asked for ceilings: which variant or size a case has is not their matter.
Request ceiling_request(const PlannedCase& c) {
  Request request = c.request;
  request.suite = request.set = kCeilings;
  std::erase_if(request.options, [](const auto& option) {
    return option.first == "variant" || option.first == "axis";
  });
  return request;
}

PlannedCase find_flank(const PlannedCase& c, Request request) {
  std::vector<CaseSpec> all = c.plugin->cases(request);
  const auto named = [&](const CaseSpec& s) { return s.name == c.spec.flank; };
  auto found = std::find_if(all.begin(), all.end(),
                            [&](const CaseSpec& s) { return named(s) && s.mode == c.spec.mode; });
  if (found == all.end()) found = std::find_if(all.begin(), all.end(), named);
  if (found == all.end())
    bad_plugin(c, fmt::format("is to be flanked by '{}', which is not in the set '{}'",
                              c.spec.flank, kCeilings));
  return {.plugin = c.plugin,
          .request = std::move(request),
          .spec = std::move(*found),
          .suite = kCeilings,
          .ranks = c.ranks,
          .ceiling = false,
          .scaling_point = {},
          .flank = {}};
}

}  // namespace

void attach_flanks(CasePlan& plan) {
  std::map<std::string, std::shared_ptr<const PlannedCase>> known;
  for (PlannedCase& c : plan.cases) {
    if (c.spec.flank.empty() || !c.spec.unavailable.empty()) continue;
    if (c.spec.training) bad_plugin(c, "is a training case: its steps cannot be flanked");
    Request request = ceiling_request(c);
    const std::string key =
        fmt::format("{}\n{}\n{}\n{}", c.plugin->id(), request.text(), c.spec.flank, c.spec.mode);
    if (!known.contains(key))
      known[key] = std::make_shared<PlannedCase>(find_flank(c, std::move(request)));
    c.flank = known[key];
    if (!c.flank->spec.unavailable.empty())
      c.spec.unavailable =
          fmt::format("its flank {} cannot: {}", c.spec.flank, c.flank->spec.unavailable);
    else if (!(c.spec.bytes > 0) || !(c.flank->spec.bytes > 0))
      bad_plugin(c, fmt::format("and its flank {} must both declare their bytes", c.spec.flank));
  }
}

}  // namespace bench::runner
