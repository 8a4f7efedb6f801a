#pragma once
// The report as values. Nothing here knows how it was measured, nor how it is written; json.h turns
// it into the file that others read. All times are of the slowest rank unless a name says
// otherwise; units are in the names; rates are decimal (1e9).

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reports/schema/expected.h"
#include "reports/schema/kernels.h"
#include "reports/schema/pairs.h"
#include "reports/schema/simulation.h"
#include "reports/schema/values.h"

namespace bench::schema {

inline constexpr const char* kSchemaName = "bench.report";
inline constexpr int kSchemaVersion = 1;

struct Layout {
  int tp = 0, pp = 0, dp = 0;  // 0: the case has no layout
  bool sequence_parallel = false;
};

// Times of one iteration, from samples that are blocks of `block` iterations.
struct TimeSummary {
  double median = 0;  // median over rounds of the rounds' medians
  Interval ci95;      // order-statistic interval of the median over all samples
  double min = 0, p5 = 0, p25 = 0, p75 = 0;
  Number p95, p99;  // with at least 200 and 1000 samples
  double max = 0, mean = 0, sd = 0, mad = 0;
  int64_t n = 0;                // samples over all rounds
  int64_t block = 1;            // iterations a sample
  int64_t repetitions = 0;      // rounds
  std::string stop_reason;      // converged, max_time, max_samples, fixed, timeout
  Number first_call;            // seconds of the very first iteration
  std::string sync;             // barrier, device, none
  std::string mode;             // cold, hot, graph, step
  std::string clock;            // host, device
  Number drift;                 // (median of the second half / of the first half) - 1
  std::vector<double> warm_up;  // block medians of the warm-up of the first round
};

struct RanksTime {
  std::vector<double> median;                // per rank
  Number min_over_ranks;                     // median over samples of the fastest rank's time
  Number skew_median;                        // median over samples of slowest - fastest rank
  std::vector<int64_t> last_rank_histogram;  // how often each rank was the slowest
};

struct RatioSummary {
  double median = 0;
  Interval ci95;  // order-statistic interval of the median
  double min = 0, p25 = 0, p75 = 0, max = 0;
};

// The case against a ceiling that was timed around every pair of its samples: flank, case, case,
// flank. Ratios of byte rates, each formed inside a group.
struct Flanked {
  std::string by;  // name of the ceiling
  RatioSummary ratio;
  std::vector<Number> ratio_by_round;  // medians; null where a round kept no group
  int64_t n = 0;                       // groups kept
  int64_t dropped = 0;                 // groups whose two flanks differed by more than 20 %
  double flank_time_s = 0;             // median over the kept groups
};

// Declared by the case: flops and bytes of one rank's iteration, tokens over all ranks.
struct Work {
  Number flops, bytes, tokens;
};

struct Rates {
  Number tflops_per_rank, gbytes_per_s, tokens_per_s, algbw_gbytes_per_s, busbw_gbytes_per_s;
};

// Fractions of this run's own ceilings, formed inside rounds; the medians over rounds.
struct OfCeiling {
  Number gemm, copy;
};

struct Verify {
  std::string status = "unverified";  // passed, wrong, unverified
  Number error, tolerance;
  std::string detail;
};

struct Value {
  double value = 0;
  std::string unit;
};

// One round of one case: what ratios are formed from.
struct Round {
  int index = 0;
  double median_s = 0;
  int64_t n = 0;
};

struct CaseResult {
  std::string name, plugin, suite;
  Params params;
  Outcome outcome = Outcome::skipped;
  std::string reason;  // why not measured; empty when measured
  std::string asked_device, device, dtype;
  int ranks = 1;
  Layout layout;
  std::optional<TimeSummary> time_s;      // only when measured
  std::optional<RanksTime> ranks_time_s;  // only when measured
  Work work;
  Rates rates;
  OfCeiling of_ceiling;
  std::optional<Roofline> roofline;  // only when measured, with FLOPs or bytes
  Verify verify;
  std::map<std::string, Value> values;
  std::vector<std::string> flags;
  std::vector<double> samples_s;
  std::vector<Round> rounds;
  std::optional<Flanked> flanked;            // only when measured with a flank
  double message_bytes = 0, bus_factor = 0;  // collectives; not written
  std::string ceiling;                       // "gemm", "copy" or ""; not written
  std::string scaling_point;  // id of the point of the scaling plan this case belongs to, or ""
};

struct TrainingRun {
  std::string case_name;
  int ranks = 1;
  std::string model_name;
  std::map<std::string, double>
      model;  // layers, hidden, heads, seq, vocab, padded_vocab, micro_batch, …
  int64_t parameters = 0;
  double tokens_per_step = 0;
  std::vector<double> losses, grad_norms;
  std::string scaling_point =
      {};  // as in CaseResult; "" where the case's name and ranks say enough
};

struct DeviceFact {
  std::string kind, name;
  int index = 0;
  std::string uuid;
  Params facts = {};  // of a GPU: memory, clocks, compute capability …
};

struct RankFact {
  int rank = 0;
  std::string host;
  int local_rank = 0;
  int64_t pid = 0;
  DeviceFact device;
  std::string launcher_affinity, affinity;  // CPU lists like "0-3"
  int threads = 1;
};

struct HostFact {
  std::string host, cpu;
  int cores = 0;
  double memory_bytes = 0;
  std::string kernel, governor;
  Number load_1min, steal_fraction, cpu_quota;
};

struct Environment {
  std::vector<RankFact> ranks;
  std::vector<HostFact> hosts;
  std::string mpi_library, mpi_version;  // empty: not used
  std::string cuda, nccl;                // empty: not used
  std::string launcher;
  bool oversubscribed = false;
  std::string device_asked, device_ran, device_reason;
  std::map<std::string, std::string> variables;  // allow-listed ones that are set
};

struct Build {
  std::string compiler, type, flags;
  std::map<std::string, std::string> libraries;
};

struct Run {
  std::string id, started, finished;  // RFC 3339, UTC
  std::vector<std::string> command;
  std::string suite;
  uint64_t seed = 0;
  bool complete = false;
  std::string bench_version, git;
  Build build;
  int rounds = 0;
  std::vector<std::string>
      notes;  // what the run decided by itself: models chosen, ranks over cores …
};

// Best over the ceiling cases of a rank count: with all those ranks at work at once, rates of one
// rank.
struct Ceiling {
  int rank = 0;
  int active_ranks = 1;
  std::string device, dtype;
  Number gemm_flops_per_s, copy_bytes_per_s;
  bool unsteady = false;             // drifted by more than 10 % between rounds
  Number ridge_flops_per_byte = {};  // GEMM over stream, median over rounds
};

// One point of a scaling curve as the suite planned it; `case_name`, `ranks` and `id` find its
// CaseResult.
struct ScalingPlanPoint {
  std::string id;
  std::string case_name;
  int ranks = 1;
};
struct ScalingPlan {
  std::string kind;               // weak, strong
  std::string axis;               // tensor, data, tensor+data …
  std::string baseline;           // id of the baseline point
  bool comparable_model = false;  // the paper's own models, not a miniature of them
  std::vector<ScalingPlanPoint> points;
};

struct Efficiency {
  Number flops, parameters, time;
  Interval flops_ci;  // over rounds: lowest and highest
  std::string time_why_not;
  Interval parameters_ci, time_ci;  // as flops_ci
};

struct SplitSeconds {
  Number compute, exposed_comm, bubble, optimizer, skew, other;
};

struct RankTflops {
  Number executed, model, model_causal, hardware_full_recompute;
};

struct ScalingPoint {
  std::string kind, baseline_case, case_name;
  int ranks = 1;
  Layout layout;
  std::string model;
  double parameters = 0;
  double batch = 0;  // sequences of a step, all ranks
  Number step_s;
  Interval step_ci95_s;
  Number tokens_per_s;
  RankTflops tflops_per_rank;
  Efficiency efficiency;
  Number peak_measured_gemm, peak_datasheet;
  SplitSeconds split_s;
  bool comparable = true;  // false: more ranks than cores, or not every point measured
  std::string why_not;
  std::string recompute;           // none, selective, full; "" where the case does not say
  std::string scaling_point = {};  // as in CaseResult
};

struct Scaling {
  std::string kind, axis, baseline_case;
  std::vector<ScalingPoint> points;
};

struct Reference {
  std::string id, source;
  double value = 0;
  std::string unit, formula;
  Params conditions;
  Number measured, ratio;
  bool comparable = false;
  std::string why_not;
  Number peak_reference, peak_measured;
  std::string peak_of;  // what peak_measured is a fraction of: the datasheet's peak or the measured
                        // GEMM ceiling
};

struct Verdict {
  std::string state = "not_asked";  // pass, fail, no_verdict, not_asked
  std::vector<std::string> reasons;
};

// The program's own phases in order; they add up to the wall time of rank 0 but for a small rest.
struct Phases {
  double start = 0, agree = 0, set_up = 0, first_call = 0, warm_up = 0, samples = 0, verify = 0,
         gather = 0, journal = 0, report = 0, waiting = 0, wall = 0;
};

struct Report {
  Run run;
  Environment environment;
  std::vector<Ceiling> ceilings;
  std::vector<CaseResult> cases;
  std::vector<TrainingRun> training;
  std::optional<Scaling> scaling;
  std::vector<Scaling> scaling_more;
  std::vector<Comparison> comparisons;
  std::vector<Closure> closure;
  std::vector<Pairs> pairs;           // at most one
  std::vector<Expected> expected;     // at most one
  std::vector<Simulation> simulated;  // at most one
  Phases phases_s;
  std::vector<Reference> references;
  Verdict verdict;
};

}  // namespace bench::schema
