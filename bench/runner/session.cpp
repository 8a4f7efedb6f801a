#include "bench/runner/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "bench/base/status.h"
#include "bench/measure/summary.h"
#include "bench/runner/split.h"
#include "parallel/comm/strings.h"

namespace bench::runner {
namespace {

// A sampling second is worth more where an iteration takes long: a training step needs whole
// seconds for ten samples, a ceiling has hundreds in a tenth of one.
constexpr double kTrainingWeight = 8;

// Losses of so many steps from the initial state, when --steps does not say how many.
constexpr int64_t kTrajectorySteps = 10;

// What a rank says after a guarded call, for its group: "" or a letter for the kind and the words.
constexpr char kUnsupported = 'u', kUsage = 'i', kFailed = 'f';

template <class F>
std::string guarded(F&& call) {
  try {
    call();
    return {};
  } catch (const Unsupported& e) {
    return kUnsupported + std::string(e.what());
  } catch (const UsageError& e) {
    return kUsage + std::string(e.what());
  } catch (const std::exception& e) {
    return kFailed + std::string(e.what());
  }
}

}  // namespace

struct Session::Group {
  std::unique_ptr<Communicator> owned;  // empty: the world's own
  std::unique_ptr<CountingCommunicator> comm;
};

struct Session::State {
  State(const PlannedCase& p, size_t i) : planned(p), index(i) {}
  const PlannedCase& planned;
  size_t index;
  bool stays_open = false;  // between rounds
  std::unique_ptr<OpenCase> instance;
  measure::Plan plan;
  std::vector<measure::RoundSamples> rounds;
  std::optional<schema::RanksTime> ranks_time;
  schema::Verify verify;
  std::map<std::string, schema::Value> values;
  std::optional<schema::Outcome> ended;
  std::string reason;
};

// Carries the measuring loop's phases to the phase clock, the ranges and the watch.
class Session::Phases final : public measure::PhaseSink {
 public:
  Phases(const Parts& parts, int round) : parts_(parts), round_(round) {}
  ~Phases() override { leave(); }

  void enter(measure::Phase phase) override {
    leave();
    struct Names {
      RunPhase phase;
      const char* name;
    };
    const auto [run_phase, name] = [&]() -> Names {
      switch (phase) {
        case measure::Phase::first_call: return {RunPhase::first_call, "first_call"};
        case measure::Phase::warm_up: return {RunPhase::warm_up, "warm_up"};
        case measure::Phase::samples: return {RunPhase::samples, "samples"};
        case measure::Phase::verify: return {RunPhase::verify, "verify"};
        case measure::Phase::gather: break;
      }
      return {RunPhase::gather, "gather"};
    }();
    before_ = parts_.phases.enter(run_phase);
    parts_.watch.status().set_phase(name);
    parts_.recorder.push(Stream{}, name, round_);
    inside_ = true;
  }

  void leave() override {
    if (!inside_) return;
    parts_.recorder.pop(Stream{});
    parts_.phases.enter(before_);
    inside_ = false;
  }

  void progress(int64_t n, double median_s, double half_width_s) override {
    if (parts_.world.rank() == 0) parts_.observer->progress(n, median_s, half_width_s);
  }

 private:
  const Parts& parts_;
  int round_;
  RunPhase before_ = RunPhase::gather;
  bool inside_ = false;
};

Session::Session(const Parts& parts, const CasePlan& plan, const SessionSettings& settings)
    : parts_(parts), plan_(plan), settings_(settings) {
  for (const PlannedCase& planned : plan.cases)
    states_.push_back(std::make_unique<State>(planned, states_.size()));
}

Session::~Session() = default;

void Session::run() {
  // Groups are made while every rank is here: making one is collective over the world.
  for (const PlannedCase& planned : plan_.cases) group_of(planned.ranks);
  decide_what_stays_open();
  for (int round = 0; round < settings_.rounds; ++round) run_round(round);
}

Session::Group& Session::group_of(int ranks) {
  std::unique_ptr<Group>& group = groups_[ranks];
  if (group) return *group;
  group = std::make_unique<Group>();
  if (ranks == parts_.world.size()) {
    group->comm = std::make_unique<CountingCommunicator>(
        parts_.world.comm(), parts_.watch.status().collectives(), parts_.clock);
  } else if ((group->owned = parts_.world.group(ranks))) {
    group->comm = std::make_unique<CountingCommunicator>(
        *group->owned, parts_.watch.status().collectives(), parts_.clock);
  }
  return *group;
}

std::vector<size_t> Session::order(int round) const {
  std::vector<size_t> order(states_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937_64 engine(settings_.seed * 1000003 + static_cast<uint64_t>(round));
  std::shuffle(order.begin(), order.end(), engine);
  return order;
}

void Session::run_round(int round) {
  size_t place = 0;
  for (const size_t i : order(round)) {
    State& state = *states_[i];
    const int ranks = state.planned.ranks;
    ++place;
    parts_.watch.status().set_place(static_cast<int64_t>(states_.size()) * round +
                                    static_cast<int64_t>(place));
    if (parts_.world.rank() >= ranks) {
      const PhaseScope waiting(parts_.phases, RunPhase::waiting);
      parts_.watch.status().set_case("");
      const int verdict = parts_.world.park();
      if (verdict != 0)
        throw AgreedError(static_cast<ExitCode>(verdict), "ended by the ranks that were measuring");
      continue;
    }
    if (parts_.world.rank() == 0) parts_.observer->round_begins(round, place, state.planned);
    try {
      run_member(round, state);
    } catch (const AgreedError& e) {
      if (parts_.world.rank() == 0)
        parts_.world.release(ranks, parts_.world.size(), static_cast<int>(e.code()));
      throw;
    }
    if (parts_.world.rank() == 0) parts_.world.release(ranks, parts_.world.size(), 0);
  }
}

void Session::run_member(int round, State& state) {
  if (state.ended) return;
  if (!state.planned.spec.unavailable.empty()) {
    end(state, schema::Outcome::skipped, state.planned.spec.unavailable);
    return;
  }
  parts_.watch.status().set_case(state.planned.spec.name);
  parts_.watch.arm(settings_.case_timeout_s, state.planned.ranks);
  parts_.recorder.push(Stream{}, state.planned.spec.name.c_str(), round);
  if (!state.instance) open(state);
  if (!state.ended) measure(round, state);
  if (state.ended || !state.stays_open) state.instance.reset();
  parts_.recorder.pop(Stream{});
  parts_.watch.disarm();
}

// From the plan alone, so that the ranks of a group open and close together, whatever else each of
// them has open.
void Session::decide_what_stays_open() {
  double least = settings_.memory_bytes, total = 0;
  parts_.world.comm().all_reduce(&least, 1, ReduceOp::min);
  for (const auto& state : states_) {
    total += state->planned.spec.memory_bytes;
    state->stays_open = total <= least;
  }
}

// All ranks of the group open the case, or none does.
void Session::open(State& state) {
  const PhaseScope set_up(parts_.phases, RunPhase::set_up);
  parts_.watch.status().set_phase("set_up");
  const Range range(Context{parts_.device, parts_.recorder}, "set_up");
  Communicator& comm = *group_of(state.planned.ranks).comm;
  const std::string mine = guarded(
      [&] { state.instance = std::make_unique<OpenCase>(state.planned, parts_.device, comm); });
  const std::vector<std::string> all = gather_strings(comm, mine);
  for (size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank].empty()) continue;
    state.instance.reset();
    const std::string words = all.size() == 1
                                  ? all[rank].substr(1)
                                  : fmt::format("rank {}: {}", rank, all[rank].substr(1));
    if (all[rank][0] == kUsage) throw AgreedError(ExitCode::kUsage, words);
    end(state, all[rank][0] == kUnsupported ? schema::Outcome::skipped : schema::Outcome::failed,
        words);
    return;
  }
}

double Session::seconds_for(const State& state) const {
  double weights = 0;
  for (const PlannedCase& p : plan_.cases) weights += p.spec.training ? kTrainingWeight : 1;
  const double mine = state.planned.spec.training ? kTrainingWeight : 1;
  return settings_.time_budget_s * mine / (weights * settings_.rounds);
}

measure::Settings Session::settings_for(const State& state) const {
  const bool training = state.planned.spec.training;
  measure::Settings s;
  const int64_t wanted = training ? 10 : 30;
  s.stop.min_samples = (wanted + settings_.rounds - 1) / settings_.rounds;
  s.stop.max_seconds = seconds_for(state);
  s.stop.min_seconds = std::min(0.2 / settings_.rounds, s.stop.max_seconds);
  s.stop.fixed_samples = training && settings_.steps > 0 ? settings_.steps : settings_.samples;
  s.start_barrier = state.planned.ranks > 1;
  s.min_block_seconds = 1000 * clock_read_seconds(parts_.clock);
  s.warm_up_max_seconds = std::max(0.05, s.stop.max_seconds / 2);
  s.training = training;
  s.trajectory_steps = kTrajectorySteps;
  return s;
}

void Session::measure(int round, State& state) {
  Communicator& comm = *group_of(state.planned.ranks).comm;
  measure::Settings settings = settings_for(state);
  std::optional<schema::TrainingRun> trained;
  settings.after_trajectory = [&] {
    const int64_t steps = settings_.steps > 0 ? settings_.steps : kTrajectorySteps;
    trained = state.instance->training_run(steps);
  };
  {
    Phases phases(parts_, round);
    const PhaseScope between(parts_.phases, RunPhase::gather);
    try {
      state.rounds.push_back(
          measure::run_round(*state.instance, comm, parts_.clock, settings, state.plan, phases));
    } catch (const Error&) {
      throw;
    } catch (const std::exception& e) {
      end(state, schema::Outcome::failed, e.what());
      return;
    }
    state.verify = state.rounds.back().verify;
    if (state.verify.status != "wrong")
      state.ranks_time = measure::summarize_ranks(state.rounds, comm);
  }
  if (trained && parts_.world.rank() == 0) parts_.observer->trained(*trained);
  if (state.verify.status == "wrong") {
    end(state, schema::Outcome::wrong,
        state.verify.detail.empty() ? "the check failed" : state.verify.detail);
    return;
  }
  const bool last = round + 1 == settings_.rounds;
  if (last) {
    state.values = state.instance->values();
    if (state.planned.spec.training) split_steps(state);
  }
  publish(state, last);
}

void Session::split_steps(State& state) {
  const PhaseScope phase(parts_.phases, RunPhase::gather);
  parts_.watch.status().set_phase("split");
  Group& group = *groups_[state.planned.ranks];
  const auto split = split_step(*state.instance, *group.comm, parts_.recorder, parts_.clock);
  state.values.insert(split.begin(), split.end());
}

void Session::end(State& state, schema::Outcome outcome, const std::string& reason) {
  state.ended = outcome;
  state.reason = reason;
  publish(state, true);
}

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

void Session::publish(State& state, bool last) {
  if (parts_.world.rank() != 0) return;
  schema::CaseResult r = planned_result(state.planned, settings_.device_asked);
  r.verify = state.verify;
  r.values = state.values;
  r.outcome = state.ended.value_or(schema::Outcome::measured);
  r.reason = state.reason;
  if (settings_.oversubscribed) r.flags.emplace_back("oversubscribed");
  if (r.outcome == schema::Outcome::measured) {
    const measure::Settings settings = settings_for(state);
    r.time_s = measure::summarize(state.rounds, state.plan, settings,
                                  state.planned.spec.training ? "step" : "hot");
    r.ranks_time_s = state.ranks_time;
    for (size_t i = 0; i < state.rounds.size(); ++i) {
      const std::vector<double>& samples = state.rounds[i].slowest_s;
      r.samples_s.insert(r.samples_s.end(), samples.begin(), samples.end());
      r.rounds.push_back({.index = static_cast<int>(i),
                          .median_s = measure::median_of(samples),
                          .n = static_cast<int64_t>(samples.size())});
    }
    if (r.time_s->stop_reason != "converged" && r.time_s->stop_reason != "fixed")
      r.flags.emplace_back("not_converged");
  }
  parts_.observer->case_measured(state.index, r, last);
}

}  // namespace bench::runner
