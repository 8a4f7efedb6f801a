#pragma once
// What a session finds goes here: the report, the console. Called on rank 0 only.

#include <cstddef>
#include <cstdint>
#include <string>

#include "reports/schema/report.h"

namespace bench::runner {

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // `place` counts the round's cases from 1; `index` is the case's place in the plan.
  virtual void round_begins(int round, size_t place, size_t index) = 0;
  virtual void progress(int64_t n, double median_s, double half_width_s) = 0;
  // What is known of a case after a round of it; `last`: nothing more will come.
  virtual void case_measured(size_t index, const schema::CaseResult& result, bool last) = 0;
  virtual void trained(const schema::TrainingRun& run) = 0;
  // Something the report's notes should say.
  virtual void note(const std::string& words) = 0;
};

}  // namespace bench::runner
