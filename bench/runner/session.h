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
#include "bench/measure/eviction.h"
#include "bench/runner/case_state.h"
#include "bench/runner/device_comms.h"
#include "bench/runner/flanks.h"
#include "bench/runner/phase_clock.h"
#include "bench/runner/run_observer.h"
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
  bool gpu_shared = false;  // by several ranks, of whatever host
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
    DeviceComms& comms;
    GpuDevice* gpu;  // the device where it is one, else nullptr
  };
  Session(const Parts& parts, const CasePlan& plan, const SessionSettings& settings);
  ~Session();

  // Throws AgreedError, on every rank alike, when a case's input turned out unusable on opening.
  void run();

 private:
  struct Group;

  Group& group_of(int ranks);
  void run_round(int round);
  void run_member(int round, CaseState& state);
  void open(CaseState& state);
  std::unique_ptr<measure::PeakMemory> watch_memory();
  std::unique_ptr<measure::SampleTimer> timer_for(const CaseState& state);
  std::function<void()> evicting();
  std::function<void()> looking_at(CaseState& state);
  void note_what_is_not_seen();
  void take_peak_memory(CaseState& state, Communicator& comm);
  void measure(int round, CaseState& state);
  void split_steps(CaseState& state);
  void ask_nccl(CaseState& state);
  void end(CaseState& state, schema::Outcome outcome, const std::string& reason);
  void publish(CaseState& state, bool last);
  void decide_what_stays_open();
  measure::Settings settings_for(const CaseState& state);
  double seconds_for(const CaseState& state) const;
  std::vector<size_t> order(int round) const;

  Parts parts_;
  const CasePlan& plan_;
  SessionSettings settings_;
  std::map<int, std::unique_ptr<Group>> groups_;
  std::vector<std::unique_ptr<CaseState>> states_;
  Flanks flanks_;
  bool flanks_stay_open_ = false;                   // between rounds
  std::unique_ptr<measure::CacheEvictor> evictor_;  // of a CPU, when a case is cold
};

}  // namespace bench::runner
