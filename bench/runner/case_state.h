#pragma once
// What a session knows of one planned case as the rounds go by.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/measure/peak_memory.h"
#include "bench/measure/protocol.h"
#include "bench/runner/case_plan.h"
#include "bench/runner/health_log.h"
#include "bench/runner/open_case.h"

namespace bench::runner {

struct CaseState {
  CaseState(const PlannedCase& p, size_t i) : planned(p), index(i) {}

  const PlannedCase& planned;
  size_t index;             // in the plan
  bool stays_open = false;  // between rounds
  std::unique_ptr<OpenCase> instance;
  measure::Plan plan;
  std::vector<measure::RoundSamples> rounds;
  std::optional<schema::RanksTime> ranks_time;
  schema::Verify verify;
  std::map<std::string, schema::Value> values;
  std::unique_ptr<measure::SampleTimer> timer;  // null: the host's clock
  std::unique_ptr<measure::PeakMemory> memory;  // from opening to the end of the first round
  std::optional<double> memory_peak_bytes, memory_beside_bytes;
  HealthLog health;
  std::optional<schema::Outcome> ended;  // empty: measured, as far as it got
  std::string reason;
};

}  // namespace bench::runner
