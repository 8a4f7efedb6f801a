#pragma once
// The bridge to Google Benchmark. The agreed loop has taken the samples; here the recorded rounds
// are played through the library, so that entries, names and aggregates are what its readers know.

#include <span>
#include <string>
#include <vector>

#include "reports/schema/benchmark_entry.h"
#include "reports/schema/report.h"

namespace bench::measure {

// Of every measured case, in order: an iteration entry a round (real_time is the mean of the
// round's samples, the counter median_ns their median), then with two rounds or more the aggregates
// mean, median, stddev and cv over the rounds. Cases without times give nothing. BENCHMARK_*
// variables of the environment have no effect. Not thread safe: the library is global. Throws
// std::runtime_error when the library gives back other than it was given.
std::vector<schema::BenchmarkEntry> replay(std::span<const schema::CaseResult> cases);

// Machine facts as the library sees them.
schema::BenchmarkContext context(const std::string& executable = {});

}  // namespace bench::measure
