#pragma once
// Rank 0's report while the run goes on: complete enough at any moment to be written by whoever has
// to (the end of the run, a signal, a deadline).

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bench/app/progress.h"
#include "bench/base/log.h"
#include "bench/base/status.h"
#include "bench/runner/session.h"
#include "reports/require/require.h"
#include "reports/schema/report.h"
#include "reports/writer/report_file.h"

namespace bench::app {

class LiveReport final : public runner::RunObserver {
 public:
  LiveReport(reports::ReportFile file, runner::PhaseClock& phases, Progress progress, Log log);

  // What is known before the first case; opens the journal's first line.
  void begin(schema::Report report, const runner::CasePlan& plan,
             std::vector<reports::Requirement> requirements, const std::string& device_asked);
  void set_environment(schema::Environment environment);

  void round_begins(int round, size_t place, size_t index) override;
  void progress(int64_t n, double median_s, double half_width_s) override;
  void case_measured(size_t index, const schema::CaseResult& result, bool last) override;
  void trained(const schema::TrainingRun& run) override;
  void note(const std::string& words) override;

  // The end of a run that went through: derives, judges, writes. Returns the finished report.
  schema::Report finish();

  // From another thread, when the main one will not come back: marks the report incomplete with
  // these words and writes it. The case now running gets `outcome`. Never throws.
  void write_incomplete(const std::string& why, schema::Outcome outcome) noexcept;

  const std::string& path() const { return file_.path(); }

 private:
  void derive_and_write(schema::Report& report);

  std::mutex mutex_;
  reports::ReportFile file_;
  reports::JournalFile journal_;
  runner::PhaseClock& phases_;
  Progress progress_;
  Log log_;
  schema::Report report_;
  std::vector<schema::ScalingPlan> curves_;
  std::vector<reports::Requirement> requirements_;
  std::optional<size_t> running_;  // place in the plan of the case now running
  bool begun_ = false;
  bool finished_ = false;  // what is written is complete: nothing takes it back
};

// Exit code of a finished report.
ExitCode exit_code_of(const schema::Report& report);

}  // namespace bench::app
