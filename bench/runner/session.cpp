#include "bench/runner/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>

#include "bench/base/status.h"
#include "bench/measure/summary.h"
#include "bench/runner/agreement.h"
#include "bench/runner/case_result.h"
#include "bench/runner/loop_phases.h"
#include "bench/runner/split.h"

namespace bench::runner {
namespace {

// A sampling second is worth more where an iteration takes long: a training step needs whole
// seconds for ten samples, a ceiling has hundreds in a tenth of one.
constexpr double kTrainingWeight = 8;
// One ratio of a flanked case takes four samples and what comes before each.
constexpr double kFlankedWeight = 4;

double weight_of(const PlannedCase& planned) {
  if (planned.spec.training) return kTrainingWeight;
  return planned.flank ? kFlankedWeight : 1;
}

// Losses of so many steps from the initial state, when --steps does not say how many.
constexpr int64_t kTrajectorySteps = 10;

// A GPU's events resolve half a microsecond.
constexpr double kShortestGpuSample_s = 50e-6;

// By the schedule's formula, from what the case says of itself.
double bubble_share(const CaseSpec& spec) {
  const auto number = [&](const char* name, double otherwise) {
    const auto found = spec.params.find(name);
    const auto* value = found == spec.params.end() ? nullptr : std::get_if<double>(&found->second);
    return value == nullptr ? otherwise : *value;
  };
  const double of_a_rank = number("global_batch", 1) / std::max(1, spec.layout.dp);
  const double micro_batches = of_a_rank / number("micro_batch", of_a_rank);
  return spec.layout.pp < 2 ? 0
                            : (spec.layout.pp - 1) / (number("virtual_stages", 1) * micro_batches);
}

}  // namespace

struct Session::Group {
  std::unique_ptr<Communicator> owned;         // empty: the world's own
  std::unique_ptr<CountingCommunicator> comm;  // the loop's
  // What cases communicate over; empty: the loop's serves.
  std::unique_ptr<CountingCommunicator> chosen;

  Communicator& of_cases() { return chosen ? *chosen : *comm; }
};

Session::Session(const Parts& parts, const CasePlan& plan, const SessionSettings& settings)
    : parts_(parts), plan_(plan), settings_(settings), flanks_(parts.device) {
  for (const PlannedCase& planned : plan.cases)
    states_.push_back(std::make_unique<CaseState>(planned, states_.size()));
  if (parts.gpu != nullptr) parts.recorder.time_on(*parts.gpu);
  const auto cold = [](const PlannedCase& p) { return p.spec.mode == BENCH_MODE_COLD; };
  if (parts.gpu == nullptr && std::any_of(plan.cases.begin(), plan.cases.end(), cold))
    evictor_ = std::make_unique<measure::CacheEvictor>(parts.device.info());
}

Session::~Session() = default;

void Session::run() {
  if (parts_.world.rank() == 0) note_what_is_not_seen();
  // Groups are made while every rank is here: making one is collective over the world.
  for (const PlannedCase& planned : plan_.cases) group_of(planned.ranks);
  decide_what_stays_open();
  for (int round = 0; round < settings_.rounds; ++round) run_round(round);
}

void Session::note_what_is_not_seen() {
  if (parts_.gpu == nullptr) {
    const std::string why_not = measure::HostPeakMemory::why_not();
    if (!why_not.empty()) parts_.observer->note("no case has a memory.peak: " + why_not);
  } else if (const std::string& why_not = parts_.gpu->facts().no_health_why; !why_not.empty()) {
    parts_.observer->note("no case has the GPU's clocks, power and temperature: " + why_not);
  }
}

Session::Group& Session::group_of(int ranks) {
  std::unique_ptr<Group>& group = groups_[ranks];
  if (group) return *group;
  group = std::make_unique<Group>();
  CollectiveCounts& counts = parts_.watch.status().collectives();
  if (ranks != parts_.world.size()) group->owned = parts_.world.group(ranks);
  all_or_none(parts_.world.comm(), [&] {
    if (parts_.world.rank() >= ranks) return;
    Communicator& host = group->owned ? *group->owned : parts_.world.comm();
    group->comm = std::make_unique<CountingCommunicator>(host, counts, parts_.clock);
    if (auto made = parts_.comms.make(host))
      group->chosen = std::make_unique<CountingCommunicator>(std::move(made), counts, parts_.clock);
  });
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
    CaseState& state = *states_[i];
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
    if (parts_.world.rank() == 0) parts_.observer->round_begins(round, place, i);
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

void Session::run_member(int round, CaseState& state) {
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
  if (state.planned.flank && !flanks_stay_open_) flanks_.close(*state.planned.flank);
  parts_.recorder.pop(Stream{});
  parts_.watch.disarm();
}

// From the plan alone, so that the ranks of a group open and close together, whatever else each of
// them has open.
void Session::decide_what_stays_open() {
  double least = settings_.memory_bytes, total = 0;
  parts_.world.comm().all_reduce(&least, 1, ReduceOp::min);
  std::set<const PlannedCase*> flanks;
  for (const PlannedCase& planned : plan_.cases)
    if (planned.flank && flanks.insert(planned.flank.get()).second)
      total += planned.flank->spec.memory_bytes;
  flanks_stay_open_ = total <= least;
  for (const auto& state : states_) {
    total += state->planned.spec.memory_bytes;
    state->stays_open = total <= least;
  }
}

// The flank first: it is no part of what the case holds.
void Session::open(CaseState& state) {
  const PhaseScope set_up(parts_.phases, RunPhase::set_up);
  parts_.watch.status().set_phase("set_up");
  const Range range(Context{parts_.device, parts_.recorder}, "set_up");
  Group& group = group_of(state.planned.ranks);
  Communicator& comm = *group.comm;
  const bool hosts_own = state.planned.spec.host_comm && parts_.gpu == nullptr;
  Communicator& given = hosts_own ? comm : group.of_cases();
  std::optional<CannotOpen> why_not;
  if (state.planned.flank) why_not = flanks_.open(*state.planned.flank, comm, group.of_cases());
  if (!why_not) {
    if (state.rounds.empty()) (state.memory = watch_memory())->begin();
    if (!state.timer) state.timer = timer_for(state);
    why_not = open_on_all(comm, [&] {
      state.instance = std::make_unique<OpenCase>(state.planned, parts_.device, given);
    });
  }
  if (!why_not) return;
  state.instance.reset();
  end(state, why_not->outcome, why_not->words);
}

std::unique_ptr<measure::PeakMemory> Session::watch_memory() {
  if (parts_.gpu != nullptr)
    return std::make_unique<measure::GpuPeakMemory>(*parts_.gpu, settings_.gpu_shared);
  return std::make_unique<measure::HostPeakMemory>();
}

// A training step is timed with its launches, as it runs in training. What waits for other ranks
// on the host, or for a GPU that others use in turn, cannot stand behind a gate. Ranks that
// communicate on their streams start together there: the host's barrier lets them go further apart
// than a short collective takes.
std::unique_ptr<measure::SampleTimer> Session::timer_for(const CaseState& state) {
  if (parts_.gpu == nullptr) return nullptr;
  const CaseSpec& spec = state.planned.spec;
  Communicator& comm = group_of(state.planned.ranks).of_cases();
  StreamStart start;
  start.gated = !spec.training && (!spec.collective || comm.capturable()) && !settings_.gpu_shared;
  if (spec.collective && comm.capturable() && comm.size() > 1)
    start.align = [&comm](Stream s) { comm.barrier(s); };
  return std::make_unique<measure::DeviceTimer>(*parts_.gpu, std::move(start));
}

std::function<void()> Session::evicting() {
  if (parts_.gpu != nullptr) return [this] { parts_.gpu->evict_cache(); };
  return [this] { evictor_->evict(); };
}

// Of the rank that held the most; not known where one rank does not know it.
void Session::take_peak_memory(CaseState& state, Communicator& comm) {
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  std::array<double, 2> bytes = {state.memory->net_bytes().value_or(kUnknown),
                                 state.memory->beside_bytes().value_or(kUnknown)};
  state.memory.reset();
  comm.all_reduce(bytes.data(), bytes.size(), ReduceOp::max);
  if (bytes[0] != kUnknown) state.memory_peak_bytes = bytes[0];
  if (bytes[1] != kUnknown) state.memory_beside_bytes = bytes[1];
}

double Session::seconds_for(const CaseState& state) const {
  double weights = 0;
  for (const PlannedCase& p : plan_.cases) weights += weight_of(p);
  return settings_.time_budget_s * weight_of(state.planned) / (weights * settings_.rounds);
}

measure::Settings Session::settings_for(const CaseState& state) {
  const bool training = state.planned.spec.training;
  measure::Settings s;
  const int64_t wanted = training ? 10 : 30;
  s.stop.min_samples = (wanted + settings_.rounds - 1) / settings_.rounds;
  s.stop.max_seconds = seconds_for(state);
  s.stop.min_seconds = std::min(0.2 / settings_.rounds, s.stop.max_seconds);
  s.stop.fixed_samples = training && settings_.steps > 0 ? settings_.steps : settings_.samples;
  s.start_barrier = state.planned.ranks > 1;
  s.timer = state.timer.get();
  s.min_block_seconds =
      parts_.gpu != nullptr ? kShortestGpuSample_s : 1000 * clock_read_seconds(parts_.clock);
  // Where the memory's speed flips, blocks would not agree however long they were looked at.
  s.warm_up_max_seconds = std::max(0.05, s.stop.max_seconds / (state.planned.flank ? 8 : 2));
  s.training = training;
  s.trajectory_steps = kTrajectorySteps;
  if (state.planned.spec.mode == BENCH_MODE_COLD) s.before_sample = evicting();
  if (state.planned.flank && state.instance) s.flank = &flanks_.at(*state.planned.flank);
  return s;
}

// Just after a block the device has not yet cooled down.
std::function<void()> Session::looking_at(CaseState& state) {
  if (parts_.gpu == nullptr) return {};
  return [this, &state] { state.health.add(parts_.gpu->health()); };
}

void Session::measure(int round, CaseState& state) {
  Communicator& comm = *group_of(state.planned.ranks).comm;
  measure::Settings settings = settings_for(state);
  std::optional<schema::TrainingRun> trained;
  settings.after_trajectory = [&] {
    const int64_t steps = settings_.steps > 0 ? settings_.steps : kTrajectorySteps;
    trained = state.instance->training_run(steps);
  };
  {
    LoopPhases phases(parts_.phases, parts_.recorder, parts_.watch.status(), parts_.observer,
                      state.memory.get(), looking_at(state), round);
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
    if (state.memory) take_peak_memory(state, comm);
    if (parts_.gpu != nullptr) state.health.merge(comm);
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
    if (state.planned.spec.collective && !state.planned.spec.training) ask_nccl(state);
  }
  publish(state, last);
}

void Session::split_steps(CaseState& state) {
  const PhaseScope phase(parts_.phases, RunPhase::gather);
  parts_.watch.status().set_phase("split");
  Group& group = *groups_[state.planned.ranks];
  const auto split = split_step(*state.instance, *group.comm, parts_.recorder, parts_.clock,
                                bubble_share(state.planned.spec));
  state.values.insert(split.begin(), split.end());
}

// By an iteration of its own: to be told takes NCCL time.
void Session::ask_nccl(CaseState& state) {
  const auto words = parts_.comms.ask_nccl(
      state.planned.ranks, [&] { state.instance->enqueue(1); },
      [&] { state.instance->synchronize(); });
  for (const auto& [what, times] : words.runs)
    state.values["nccl." + what] = {.value = static_cast<double>(times), .unit = "calls"};
  if (words.estimated_s)
    state.values["nccl.estimated"] = {.value = *words.estimated_s, .unit = "s"};
}

void Session::end(CaseState& state, schema::Outcome outcome, const std::string& reason) {
  state.ended = outcome;
  state.reason = reason;
  publish(state, true);
}

void Session::publish(CaseState& state, bool last) {
  if (parts_.world.rank() != 0) return;
  schema::CaseResult r = result_of(state, settings_for(state), settings_.device_asked);
  if (settings_.oversubscribed) r.flags.emplace_back("oversubscribed");
  parts_.observer->case_measured(state.index, r, last);
}

}  // namespace bench::runner
