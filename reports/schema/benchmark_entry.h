#pragma once
// The part of a report that readers of Google Benchmark's JSON know: one entry a round of a case,
// then the aggregates over its rounds. Member names are that format's field names, so the writer
// copies them as they are.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bench::schema {

struct BenchmarkEntry {
  std::string name;      // the case; an aggregate's ends in _mean, _median, _stddev, _cv
  std::string run_name;  // the case
  std::string run_type;  // "iteration" (a round) or "aggregate"
  int64_t family_index = 0;
  int64_t per_family_instance_index = 0;
  int64_t repetitions = 1;       // rounds
  int64_t repetition_index = 0;  // of an iteration entry only: leave it out of an aggregate
  int64_t threads = 1;
  std::string
      aggregate_name;  // mean, median, stddev, cv; empty on an iteration entry: leave both out
  std::string aggregate_unit;  // "time", or "percentage" (a fraction, of cv)
  int64_t iterations = 0;      // samples of the round; of an aggregate: rounds
  // Of one iteration, slowest rank, in time_unit; of an aggregate in percentage: a plain fraction.
  // The agreed loop takes wall time only: cpu_time repeats real_time, since tools divide by it.
  double real_time = 0;
  double cpu_time = 0;
  std::string time_unit = "ns";
  std::string label;                       // empty: leave it out
  std::map<std::string, double> counters;  // written as members of the entry
};

struct BenchmarkCache {
  std::string type;  // Data, Instruction, Unified
  int level = 0;
  int64_t size = 0;  // bytes
  int num_sharing = 0;
};

struct BenchmarkContext {
  std::string date;  // local time with offset
  std::string host_name;
  std::string executable;  // empty: not known
  int num_cpus = 0;
  int64_t mhz_per_cpu = 0;
  bool cpu_scaling_enabled = false;
  std::vector<BenchmarkCache> caches;
  std::vector<double> load_avg;
  std::string library_build_type;  // "release" or "debug": how bench itself was compiled
};

}  // namespace bench::schema
