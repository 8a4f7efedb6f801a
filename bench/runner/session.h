#pragma once
// Runs a plan: in every round every case once, in a seeded order that all ranks share, so that
// ratios can be formed inside rounds. Knows no file and no table: what it finds goes to the
// observer.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/base/clock.h"
#include "bench/measure/protocol.h"
#include "bench/runner/case_plan.h"
#include "bench/runner/open_case.h"
#include "bench/runner/phase_clock.h"
#include "bench/trace/recorder.h"
#include "bench/world/watch.h"
#include "bench/world/world.h"
#include "parallel/comm/counting.h"

namespace bench::runner {

struct SessionSettings {
  int rounds = 3;
  double time_budget_s = 40;  // of sampling, over all cases and rounds
  int64_t samples = 0;        // exactly so many a round, or 0
  int64_t steps = 0;          // training: exactly so many, or 0
  uint64_t seed = 1;
  double case_timeout_s = 300;
  double memory_bytes = 0;  // cases stay open between rounds while they fit
  std::string device_asked = "auto";
  bool oversubscribed = false;
};

// Called on rank 0 only.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void round_begins(int round, size_t place, const PlannedCase& planned) = 0;
  virtual void progress(int64_t n, double median_s, double half_width_s) = 0;
  // What is known of a case after a round of it; `last`: nothing more will come.
  virtual void case_measured(size_t index, const schema::CaseResult& result, bool last) = 0;
  virtual void trained(const schema::TrainingRun& run) = 0;
};

class Session {
 public:
  struct Parts {
    World& world;
    Device& device;
    Clock& clock;
    PhaseClock& phases;
    trace::Recorder& recorder;
    Watch& watch;
    RunObserver* observer;  // nullptr on ranks other than 0
  };
  Session(const Parts& parts, const CasePlan& plan, const SessionSettings& settings);
  ~Session();

  // Throws AgreedError, on every rank alike, when a case's input turned out unusable on opening.
  void run();

 private:
  struct State;
  struct Group;
  class Phases;

  Group& group_of(int ranks);
  void run_round(int round);
  void run_member(int round, State& state);
  void open(State& state);
  void measure(int round, State& state);
  void split_steps(State& state);
  void end(State& state, schema::Outcome outcome, const std::string& reason);
  void publish(State& state, bool last);
  void decide_what_stays_open();
  measure::Settings settings_for(const State& state) const;
  double seconds_for(const State& state) const;
  std::vector<size_t> order(int round) const;

  Parts parts_;
  const CasePlan& plan_;
  SessionSettings settings_;
  std::map<int, std::unique_ptr<Group>> groups_;
  std::vector<std::unique_ptr<State>> states_;
};

// The values of a CaseResult that stand in the plan already: every planned case appears, whatever
// happens.
schema::CaseResult planned_result(const PlannedCase& planned, const std::string& device_asked);

}  // namespace bench::runner
