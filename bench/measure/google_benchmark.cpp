#include "bench/measure/google_benchmark.h"

#include <benchmark/benchmark.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <stdexcept>

#include "bench/measure/statistics.h"

namespace bench::measure {
namespace {

constexpr const char* kMedianCounter = "median_ns";
constexpr const char* kSamplesCounter = "samples";  // ours: becomes the entry's iterations

// The library reads BENCHMARK_* before main: an inherited filter would make cases vanish without a
// word. Every setting that could change what is reported is therefore given here.
void initialise() {
  std::vector<std::string> arguments = {"bench",
                                        "--benchmark_list_tests=false",
                                        "--benchmark_filter=.",
                                        "--benchmark_out=",
                                        "--benchmark_repetitions=1",
                                        "--benchmark_enable_random_interleaving=false",
                                        "--benchmark_report_aggregates_only=false",
                                        "--benchmark_display_aggregates_only=false",
                                        "--benchmark_min_time=0.5",
                                        "--benchmark_min_warmup_time=0",
                                        "--benchmark_perf_counters=",
                                        "--benchmark_context=",
                                        "--benchmark_time_unit=ns",
                                        "--v=0"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  benchmark::Initialize(&argc, argv.data());
  if (argc != 1)
    throw std::runtime_error(
        fmt::format("Google Benchmark does not know its own option {}", argv[1]));
}

// Samples of one round; a report that kept none has the round's median for each.
std::vector<std::vector<double>> rounds_of(const schema::CaseResult& result) {
  size_t total = 0;
  for (const schema::Round& round : result.rounds) total += static_cast<size_t>(round.n);
  const bool recorded = total == result.samples_s.size();
  std::vector<std::vector<double>> rounds;
  auto next = result.samples_s.begin();
  for (const schema::Round& round : result.rounds) {
    if (round.n <= 0) continue;
    if (recorded) {
      rounds.emplace_back(next, next + round.n);
      next += round.n;
    } else {
      rounds.emplace_back(static_cast<size_t>(round.n), round.median_s);
    }
  }
  return rounds;
}

// A registered case: each repetition plays the samples of the next round. The library ends the
// program when repetitions differ in iterations, so all run the largest round's count, their sum of
// times scaled to it; the mean is what it was, and the true count travels beside it.
class Replayed {
 public:
  Replayed(std::vector<std::vector<double>> rounds, std::string label)
      : rounds_(std::move(rounds)), label_(std::move(label)) {
    for (const std::vector<double>& round : rounds_)
      iterations_ = std::max(iterations_, round.size());
  }

  void operator()(benchmark::State& state) {
    const std::vector<double>& samples = rounds_.at(next_++);
    while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(iterations_))) {
    }
    const double scale = static_cast<double>(iterations_) / static_cast<double>(samples.size());
    for (const double s : samples) state.SetIterationTime(s * scale);
    state.counters[kMedianCounter] = median_of(samples) * 1e9;
    state.counters[kSamplesCounter] = static_cast<double>(samples.size());
    state.SetLabel(label_);
  }
  int repetitions() const { return static_cast<int>(rounds_.size()); }

 private:
  std::vector<std::vector<double>> rounds_;
  std::string label_;
  size_t iterations_ = 0;
  size_t next_ = 0;
};

class Collector final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) entries_.push_back(entry_of(run));
  }
  std::vector<schema::BenchmarkEntry> take() { return std::move(entries_); }

 private:
  // The library's own names end in /iterations:1/manual_time; the function's name is the case's.
  static schema::BenchmarkEntry entry_of(const Run& run) {
    const bool aggregate = run.run_type == Run::RT_Aggregate;
    const bool percentage = aggregate && run.aggregate_unit == benchmark::kPercentage;
    schema::BenchmarkEntry e;
    e.run_name = run.run_name.function_name;
    e.name = aggregate ? e.run_name + "_" + run.aggregate_name : e.run_name;
    e.run_type = aggregate ? "aggregate" : "iteration";
    e.family_index = run.family_index;
    e.per_family_instance_index = run.per_family_instance_index;
    e.repetitions = run.repetitions;
    e.repetition_index = aggregate ? 0 : run.repetition_index;
    e.threads = run.threads;
    e.aggregate_name = run.aggregate_name;
    e.aggregate_unit = aggregate ? (percentage ? "percentage" : "time") : "";
    e.iterations =
        aggregate ? run.repetitions : static_cast<int64_t>(run.counters.at(kSamplesCounter).value);
    e.real_time = percentage ? run.real_accumulated_time : run.GetAdjustedRealTime();
    e.cpu_time = e.real_time;
    e.time_unit = benchmark::GetTimeUnitString(run.time_unit);
    e.label = run.report_label;
    for (const auto& [name, counter] : run.counters) e.counters[name] = counter.value;
    e.counters.erase(kSamplesCounter);
    return e;
  }

  std::vector<schema::BenchmarkEntry> entries_;
};

std::string label_of(const schema::CaseResult& result) {
  return fmt::format("{} {}, {} rank{}", result.device, result.dtype, result.ranks,
                     result.ranks == 1 ? "" : "s");
}

// Empties the library's list before and after, whatever happens in between.
class Registrations {
 public:
  Registrations() { benchmark::ClearRegisteredBenchmarks(); }
  ~Registrations() { benchmark::ClearRegisteredBenchmarks(); }
  Registrations(const Registrations&) = delete;
  Registrations& operator=(const Registrations&) = delete;

  void add(const schema::CaseResult& result) {
    Replayed replayed(rounds_of(result), label_of(result));
    const int repetitions = replayed.repetitions();
    if (repetitions == 0) return;
    expected_ += static_cast<size_t>(repetitions);
    // Captured by the library for the whole run: all repetitions call the same object.
    benchmark::RegisterBenchmark(result.name.c_str(),
                                 [shared = std::make_shared<Replayed>(std::move(replayed))](
                                     benchmark::State& state) { (*shared)(state); })
        ->Iterations(1)
        ->Repetitions(repetitions)
        ->UseManualTime()
        ->Unit(benchmark::kNanosecond);
  }
  size_t expected_iteration_entries() const { return expected_; }

 private:
  size_t expected_ = 0;
};

size_t iteration_entries(std::span<const schema::BenchmarkEntry> entries) {
  size_t count = 0;
  for (const schema::BenchmarkEntry& e : entries) count += e.run_type == "iteration" ? 1 : 0;
  return count;
}

}  // namespace

std::vector<schema::BenchmarkEntry> replay(std::span<const schema::CaseResult> cases) {
  initialise();
  Registrations registrations;
  for (const schema::CaseResult& result : cases) {
    if (result.outcome == schema::Outcome::measured) registrations.add(result);
  }
  const size_t expected = registrations.expected_iteration_entries();
  if (expected == 0) return {};  // the library complains about an empty list
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  std::vector<schema::BenchmarkEntry> entries = collector.take();
  if (iteration_entries(entries) != expected) {
    throw std::runtime_error(fmt::format("Google Benchmark was given {} rounds and reported {}",
                                         expected, iteration_entries(entries)));
  }
  return entries;
}

schema::BenchmarkContext context(const std::string& executable) {
  const benchmark::CPUInfo& cpu = benchmark::CPUInfo::Get();
  schema::BenchmarkContext c;
  const std::time_t now = std::time(nullptr);
  const std::string date = fmt::format("{:%Y-%m-%dT%H:%M:%S%z}", fmt::localtime(now));
  // RFC 3339 has a colon in the offset, strftime has none.
  c.date = date.substr(0, date.size() - 2) + ":" + date.substr(date.size() - 2);
  c.host_name = benchmark::SystemInfo::Get().name;
  c.executable = executable;
  c.num_cpus = cpu.num_cpus;
  c.mhz_per_cpu = static_cast<int64_t>(cpu.cycles_per_second / 1e6 + 0.5);
  c.cpu_scaling_enabled = cpu.scaling == benchmark::CPUInfo::ENABLED;
  for (const auto& cache : cpu.caches) {
    c.caches.push_back({.type = cache.type,
                        .level = cache.level,
                        .size = cache.size,
                        .num_sharing = cache.num_sharing});
  }
  c.load_avg = cpu.load_avg;
#ifdef NDEBUG
  c.library_build_type = "release";
#else
  c.library_build_type = "debug";
#endif
  return c;
}

}  // namespace bench::measure
