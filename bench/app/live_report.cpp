#include "bench/app/live_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/measure/google_benchmark.h"
#include "bench/runner/case_result.h"
#include "bench/runner/facts.h"
#include "reports/derive/finish.h"
#include "reports/schema/json.h"

namespace bench::app {
using schema::Outcome;

LiveReport::LiveReport(reports::ReportFile file, runner::PhaseClock& phases, Progress progress,
                       Log log)
    : file_(std::move(file)),
      journal_(file_.journal_path()),
      phases_(phases),
      progress_(progress),
      log_(log) {}

void LiveReport::begin(schema::Report report, const runner::CasePlan& plan,
                       std::vector<reports::Requirement> requirements,
                       const std::string& device_asked) {
  const runner::PhaseScope phase(phases_, runner::RunPhase::journal);
  const std::lock_guard lock(mutex_);
  report_ = std::move(report);
  report_.run.notes.insert(report_.run.notes.end(), plan.notes.begin(), plan.notes.end());
  for (const runner::PlannedCase& planned : plan.cases)
    report_.cases.push_back(runner::planned_result(planned, device_asked));
  curves_ = plan.curves;
  requirements_ = std::move(requirements);
  begun_ = true;
  journal_.append(schema::journal_run(report_));
}

void LiveReport::round_begins(int round, size_t place, size_t index) {
  {
    const std::lock_guard lock(mutex_);
    running_ = index;
  }
  const schema::CaseResult& result = report_.cases[index];
  progress_.begin(round, report_.run.rounds, place, report_.cases.size(), result.name,
                  result.ranks);
}

void LiveReport::progress(int64_t n, double median_s, double half_width_s) {
  progress_.sampling(n, median_s, half_width_s);
}

void LiveReport::case_measured(size_t index, const schema::CaseResult& result, bool last) {
  const runner::PhaseScope phase(phases_, runner::RunPhase::journal);
  const std::lock_guard lock(mutex_);
  report_.cases[index] = result;
  running_.reset();
  // A line after every round: whatever happens later, what was finished can be read from the
  // journal.
  journal_.append(schema::journal_case(result));
  progress_.done(result, last);
}

void LiveReport::trained(const schema::TrainingRun& run) {
  const runner::PhaseScope phase(phases_, runner::RunPhase::journal);
  const std::lock_guard lock(mutex_);
  report_.training.push_back(run);
  journal_.append(schema::journal_training(run));
}

void LiveReport::note(const std::string& words) {
  const std::lock_guard lock(mutex_);
  report_.run.notes.push_back(words);
}

void LiveReport::derive_and_write(schema::Report& report) {
  reports::finish(report, curves_);
  report.phases_s = phases_.totals();
  report.verdict = reports::judge(report, requirements_);
  const std::vector<schema::BenchmarkEntry> entries = measure::replay(report.cases);
  file_.write(schema::to_json(report, measure::context(), entries));
  journal_.append(schema::journal_end(report));
}

schema::Report LiveReport::finish() {
  const runner::PhaseScope phase(phases_, runner::RunPhase::report);
  const std::lock_guard lock(mutex_);
  progress_.clear();
  report_.run.complete = true;
  report_.run.finished = runner::utc_now();
  derive_and_write(report_);
  finished_ = true;
  return report_;
}

void LiveReport::write_incomplete(const std::string& why, Outcome outcome) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    // Once one rank has ended with another code than 0 the launcher ends the others.
    if (!begun_ || finished_) return;
    report_.run.complete = false;
    report_.run.finished = runner::utc_now();
    report_.run.notes.push_back(why);
    if (running_ && report_.cases[*running_].outcome != Outcome::measured) {
      report_.cases[*running_].outcome = outcome;
      report_.cases[*running_].reason = why;
    }
    reports::finish(report_, curves_);
    report_.phases_s = phases_.totals();
    report_.verdict = reports::judge(report_, requirements_);
    // Google Benchmark's library is not used here: this may be a signal thread in a hurry.
    file_.write(schema::to_json(report_));
    journal_.append(schema::journal_end(report_));
  } catch (const std::exception& e) {
    log_.error(fmt::format("the incomplete report could not be written: {}", e.what()));
  }
}

ExitCode exit_code_of(const schema::Report& report) {
  const auto any = [&](Outcome o) {
    return std::any_of(report.cases.begin(), report.cases.end(),
                       [o](const auto& c) { return c.outcome == o; });
  };
  if (any(Outcome::wrong) || report.verdict.state == "fail") return ExitCode::kFailedVerdict;
  if (!report.run.complete || any(Outcome::failed) || any(Outcome::timeout) ||
      report.verdict.state == "no_verdict")
    return ExitCode::kNoVerdict;
  return ExitCode::kDone;
}

}  // namespace bench::app
