#include "bench/runner/case_result.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/measure/flanked.h"
#include "bench/measure/statistics.h"
#include "bench/measure/summary.h"

namespace bench::runner {
namespace {

const char* mode_of(const CaseSpec& spec) {
  if (spec.mode == BENCH_MODE_COLD) return "cold";
  return spec.training ? "step" : "hot";
}

void add_memory(const CaseState& state, schema::CaseResult& r) {
  if (state.planned.spec.memory_bytes > 0)
    r.values["memory.predicted"] = {.value = state.planned.spec.memory_bytes, .unit = "bytes"};
  if (state.memory_peak_bytes)
    r.values["memory.peak"] = {.value = *state.memory_peak_bytes, .unit = "bytes"};
  if (state.memory_beside_bytes)
    r.values["memory.beside"] = {.value = *state.memory_beside_bytes, .unit = "bytes"};
}

// Of the samples that were taken, dropped ones and flanks included.
bool is_launch_bound(const CaseState& state) {
  int64_t bound = 0, taken = 0;
  for (const measure::RoundSamples& round : state.rounds) {
    const auto groups = static_cast<int64_t>(round.groups.size()) + round.dropped_groups;
    bound += round.launch_bound;
    taken += groups > 0 ? measure::kSamplesOfGroup * groups
                        : static_cast<int64_t>(round.slowest_s.size());
  }
  return 2 * bound > taken;
}

// Groups of a flanked case may all have been dropped.
void say_why_no_samples(const CaseState& state, schema::CaseResult& r) {
  int64_t dropped = 0;
  for (const measure::RoundSamples& round : state.rounds) dropped += round.dropped_groups;
  r.outcome = schema::Outcome::failed;
  r.reason = fmt::format(
      "all {} groups of samples were dropped: before and after them its flank {} took times that "
      "differ by more than 20 %; this machine's memory is not steady enough now",
      dropped, state.planned.flank ? state.planned.flank->spec.name : "");
}

void add_times(const CaseState& state, const measure::Settings& settings, schema::CaseResult& r) {
  r.time_s = measure::summarize(state.rounds, state.plan, settings, mode_of(state.planned.spec));
  r.ranks_time_s = state.ranks_time;
  if (state.planned.flank)
    r.flanked =
        measure::summarize_flanked(state.rounds, state.planned.flank->spec.name,
                                   state.planned.spec.bytes, state.planned.flank->spec.bytes);
  for (size_t i = 0; i < state.rounds.size(); ++i) {
    const std::vector<double>& samples = state.rounds[i].slowest_s;
    r.samples_s.insert(r.samples_s.end(), samples.begin(), samples.end());
    r.rounds.push_back({.index = static_cast<int>(i),
                        .median_s = measure::median_of(samples),
                        .n = static_cast<int64_t>(samples.size())});
  }
  if (r.time_s->stop_reason != "converged" && r.time_s->stop_reason != "fixed")
    r.flags.emplace_back("not_converged");
  if (is_launch_bound(state)) r.flags.emplace_back("launch_bound");
  state.health.tell(r);
}

}  // namespace

schema::CaseResult planned_result(const PlannedCase& planned, const std::string& device_asked) {
  const CaseSpec& spec = planned.spec;
  schema::CaseResult r;
  r.name = spec.name;
  r.plugin = planned.plugin->id();
  r.suite = planned.suite;
  r.params = spec.params;
  r.reason = "the run ended before this case was measured";
  r.asked_device = device_asked;
  r.device = planned.request.device;
  r.dtype = spec.dtype;
  r.ranks = planned.ranks;
  r.layout = spec.layout;
  if (spec.flops > 0) r.work.flops = spec.flops;
  if (spec.bytes > 0) r.work.bytes = spec.bytes;
  if (spec.tokens > 0) r.work.tokens = spec.tokens;
  r.message_bytes = spec.message_bytes;
  r.bus_factor = spec.bus_factor;
  r.ceiling = spec.ceiling == BENCH_CEILING_GEMM   ? "gemm"
              : spec.ceiling == BENCH_CEILING_COPY ? "copy"
                                                   : "";
  r.scaling_point = planned.scaling_point;
  return r;
}

schema::CaseResult result_of(const CaseState& state, const measure::Settings& settings,
                             const std::string& device_asked) {
  schema::CaseResult r = planned_result(state.planned, device_asked);
  r.verify = state.verify;
  r.values = state.values;
  r.outcome = state.ended.value_or(schema::Outcome::measured);
  r.reason = state.reason;
  if (r.outcome != schema::Outcome::measured) return r;
  const bool sampled = std::any_of(state.rounds.begin(), state.rounds.end(),
                                   [](const auto& round) { return !round.slowest_s.empty(); });
  if (sampled) {
    add_times(state, settings, r);
    add_memory(state, r);
  } else {
    say_why_no_samples(state, r);
  }
  return r;
}

}  // namespace bench::runner
