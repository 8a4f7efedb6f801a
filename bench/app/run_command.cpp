#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "bench/app/choose_device.h"
#include "bench/app/commands.h"
#include "bench/app/live_report.h"
#include "bench/app/setup.h"
#include "bench/app/simulate.h"
#include "bench/base/hash.h"
#include "bench/device/cpu/host_facts.h"
#include "bench/runner/agreement.h"
#include "bench/runner/layout_planner.h"
#include "bench/world/signals.h"
#include "bench/world/watch.h"
#include "parallel/comm/agreement.h"
#include "reports/table/table.h"

namespace bench::app {
namespace {

using runner::OptionSet;
using runner::RunPhase;

// How long ranks other than 0 stay alive after a signal, so that rank 0 can write the report first.
constexpr int kPatienceSeconds = 2;

// One run on one rank, in the order in which things have to happen.
class Run {
 public:
  Run(const OptionSet& options, std::vector<std::string> command);
  ExitCode go();
  // An error of all ranks, in one rank's voice.
  void say(const AgreedError& e) const {
    if (world_->rank() == 0) log_.error(e.what());
  }

 private:
  void prepare();
  void load();
  void agree();
  void open_report();
  runner::SessionSettings session_settings() const;
  schema::Run run_facts() const;
  void on_signal(int signal) noexcept;
  void on_timeout(const std::vector<Laggard>& laggards) noexcept;
  void abort_job(const std::exception& e) noexcept;
  void measure();
  void print_plan() const;
  ExitCode report();
  ExitCode share(ExitCode code);

  OptionSet options_;  // the command line's
  OptionSet merged_;   // and below it the suites'
  std::vector<std::string> command_;
  SteadyClock clock_;
  runner::PhaseClock phases_{clock_};
  Place place_;
  std::optional<LiveReport> live_;  // rank 0
  SignalThread signals_;            // before MPI starts threads of its own
  runner::Paths paths_;
  std::unique_ptr<World> world_;
  Log log_;
  ChosenDevice chosen_;
  std::unique_ptr<runner::DeviceComms> comms_;
  trace::Recorder recorder_;
  std::vector<runner::Suite> suites_;
  std::optional<runner::PluginSet> plugins_;
  runner::CasePlan plan_;
  std::vector<reports::Requirement> requirements_;
  schema::Environment environment_;
};

Run::Run(const OptionSet& options, std::vector<std::string> command)
    : options_(options),
      command_(std::move(command)),
      place_(take_place(options)),
      signals_([this](int signal) { on_signal(signal); }),
      paths_(runner::find_paths()),
      world_(open_world(options, place_.launch, paths_)),
      log_(world_->rank(), options.flag("quiet") ? LogLevel::kError : LogLevel::kInfo),
      recorder_(clock_) {}

void Run::prepare() {
  suites_ = load_suites(options_, paths_);
  if (options_.has("simulate") && suites_name(suites_) != "collectives")
    throw UsageError("--simulate is for --suite collectives alone");
  merged_ = merged_options(options_, suites_);
  for (const std::string& text : merged_.list("require"))
    requirements_.push_back(reports::parse_requirement(text));
  chosen_ = choose_device(options_, place_, paths_);
}

void Run::load() {
  // Only rank 0 speaks of plugins passed over: the others look into the same folders.
  const Log quiet(world_->rank(), world_->rank() == 0 ? LogLevel::kInfo : LogLevel::kError);
  plugins_.emplace(load_plugins(options_, paths_, chosen_.ran, quiet, recorder_));
}

void Run::agree() {
  const runner::PhaseScope phase(phases_, RunPhase::agree);
  Communicator& comm = world_->comm();
  runner::all_or_none(comm, [&] { prepare(); });
  agree_on_device(chosen_, place_, *world_);
  if (world_->rank() == 0 && chosen_.asked == "auto") log_.info(chosen_.reason);
  runner::all_or_none(comm, [&] { load(); });
  bench::agree(comm, "the plugins' contents", plugins_->content_hash());
  comms_ = choose_comms(merged_, *world_, *chosen_.device, paths_);
  if (!comms_->note().empty() && world_->rank() == 0) log_.info(comms_->note());
  const runner::HostLayout hosts = runner::host_layout(*world_);
  // Ranks must come to the same plan, however much memory each of them has.
  auto least_memory = static_cast<double>(chosen_.device->info().memory_bytes);
  comm.all_reduce(&least_memory, 1, ReduceOp::min);
  const auto memory = static_cast<uint64_t>(least_memory);
  runner::all_or_none(comm, [&] {
    runner::PlanInputs inputs =
        plan_inputs(options_, *chosen_.device, *world_, hosts.least_ranks_per_host);
    inputs.memory_bytes = memory;
    inputs.comm_label = [this](int ranks) { return comms_->label(ranks); };
    plan_ = runner::make_plan(suites_, *plugins_, inputs);
    if (options_.has("simulate")) plan_.cases.clear();
    std::vector<std::string> names;
    for (const runner::PlannedCase& c : plan_.cases) names.push_back(c.spec.name);
    reports::check_case_names(requirements_, names);
  });
  bench::agree(comm, "the list of cases", plan_.hash());
  environment_ = runner::gather_environment(*world_, chosen_.device->info(), chosen_.gpu,
                                            place_.launch, place_.binding);
  environment_.device_asked = chosen_.asked;
  environment_.device_ran = chosen_.ran;
  environment_.device_reason = chosen_.reason;
  environment_.nccl = comms_->nccl_version();
}

schema::Run Run::run_facts() const {
  schema::Run run;
  run.id = runner::random_id();
  run.started = runner::utc_now();
  run.command = command_;
  run.suite = suites_name(suites_);
  run.seed = static_cast<uint64_t>(merged_.integer("seed", 1));
  run.bench_version = runner::bench_version();
  run.build = runner::build_facts();
  run.git = run.build.libraries["git"];
  run.build.libraries.erase("git");
  run.rounds = session_settings().rounds;
  return run;
}

void Run::open_report() {
  runner::all_or_none(world_->comm(), [&] {
    if (world_->rank() != 0) return;
    const std::string path = options_.text("out", "bench-" + suites_name(suites_) + ".json");
    const bool quiet = options_.flag("quiet");
    const ProgressMode mode =
        progress_mode(options_.text("progress", "auto"), quiet, isatty(STDERR_FILENO) != 0);
    live_.emplace(reports::ReportFile::open_target(path), phases_, Progress(mode, clock_), log_);
    schema::Report report;
    report.run = run_facts();
    report.environment = environment_;
    if (options_.has("simulate")) report.simulated.push_back(simulate_all_reduces(options_));
    if (!comms_->note().empty()) report.run.notes.push_back(comms_->note());
    if (environment_.oversubscribed) {
      const std::string words =
          "more ranks than cores on a host: ranks take turns on a core, so times and efficiencies "
          "are not comparable";
      report.run.notes.push_back(words);
      log_.warning(words);
    }
    if (chosen_.gpu_shared)
      report.run.notes.push_back("on a GPU that ranks share: " + chosen_.reason);
    live_->begin(std::move(report), plan_, requirements_, chosen_.asked);
  });
}

runner::SessionSettings Run::session_settings() const {
  runner::SessionSettings s;
  s.rounds = static_cast<int>(merged_.integer("repetitions", 3));
  s.time_budget_s = merged_.real("time-budget", 40);
  s.samples = merged_.integer("samples", 0);
  s.steps = merged_.integer("steps", 0);
  s.seed = static_cast<uint64_t>(merged_.integer("seed", 1));
  s.case_timeout_s = merged_.real("case-timeout", 300);
  // Half of a rank's share: the rest is for the plugins' temporaries and the program.
  s.memory_bytes = 0.5 * static_cast<double>(chosen_.device->info().memory_bytes);
  s.device_asked = chosen_.asked;
  s.oversubscribed = environment_.oversubscribed;
  s.gpu_shared = chosen_.gpu_shared;
  return s;
}

void Run::on_signal(int signal) noexcept {
  if (live_) {
    live_->write_incomplete(fmt::format("interrupted by signal {}", signal),
                            schema::Outcome::skipped);
  } else {
    sleep(kPatienceSeconds);
  }
  _exit(static_cast<int>(ExitCode::kNoVerdict));
}

void Run::on_timeout(const std::vector<Laggard>& laggards) noexcept {
  std::string who;
  for (const Laggard& l : laggards)
    who += fmt::format("{}rank {} on {} ({}; last seen in {})", who.empty() ? "" : ", ", l.rank,
                       l.host, l.why, l.last_range);
  const std::string words = fmt::format("deadline of {} s passed; did not arrive: {}",
                                        session_settings().case_timeout_s, who);
  log_.error(words);
  if (live_) live_->write_incomplete(words, schema::Outcome::timeout);
  _exit(static_cast<int>(ExitCode::kNoVerdict));
}

// All ranks exit with rank 0's code.
ExitCode Run::share(ExitCode code) {
  int32_t value = static_cast<int32_t>(code);
  world_->comm().broadcast(Stream{}, &value, 1, DType::i32, 0);
  return static_cast<ExitCode>(value);
}

// An error that only this rank knows of would leave the others waiting for ever: say where, save,
// end the job.
void Run::abort_job(const std::exception& e) noexcept {
  const auto* known = dynamic_cast<const Error*>(&e);
  const ExitCode code = known != nullptr ? known->code() : ExitCode::kNoVerdict;
  log_.error(fmt::format("on {}: {}", host_name(), e.what()));
  if (live_) live_->write_incomplete(e.what(), schema::Outcome::failed);
  world_->abort(static_cast<int>(code));
}

void Run::measure() {
  const runner::PhaseScope phase(phases_, RunPhase::gather);
  Watch watch(*world_, host_name());
  watch.on_timeout([this](const std::vector<Laggard>& laggards) { on_timeout(laggards); });
  runner::Session session({*world_, *chosen_.device, clock_, phases_, recorder_, watch,
                           live_ ? &*live_ : nullptr, *comms_, chosen_.gpu},
                          plan_, session_settings());
  try {
    session.run();
  } catch (const AgreedError&) {
    throw;
  } catch (const std::exception& e) {
    abort_job(e);
  }
}

ExitCode Run::report() {
  if (!live_) return ExitCode::kDone;
  try {
    const schema::Report report = live_->finish();
    if (!options_.flag("quiet"))
      fmt::print("{}\nreport: {}\n", reports::console_table(report), live_->path());
    return exit_code_of(report);
  } catch (const Error& e) {
    log_.error(e.what());
    return e.code();
  }
}

// The cases as they would run, for a reader at a console.
void Run::print_plan() const {
  fmt::print("{} cases, {} ranks, {} a rank\n", plan_.cases.size(), world_->size(),
             runner::memory_text(static_cast<double>(chosen_.device->info().memory_bytes)));
  for (const runner::PlannedCase& c : plan_.cases) {
    const std::string memory =
        c.spec.memory_bytes > 0 ? runner::memory_text(c.spec.memory_bytes) : "";
    fmt::print("  {:<52} {:<4} {:>4} ranks {:>11}  {}\n", c.spec.name, c.spec.dtype, c.ranks,
               memory, c.spec.unavailable);
  }
}

ExitCode Run::go() {
  agree();
  if (options_.flag("dry-run")) {
    if (world_->rank() == 0) print_plan();
    return ExitCode::kDone;
  }
  open_report();
  measure();
  return share(report());
}

}  // namespace

ExitCode run_command(const runner::CommandLine& line, const std::vector<std::string>& command) {
  Run run(line.options, command);
  try {
    return run.go();
  } catch (const AgreedError& e) {
    // Said before MPI is left: once one rank has ended with an error the launcher may end the
    // others at any moment.
    run.say(e);
    return e.code();
  }
}

}  // namespace bench::app
