#pragma once
// The report as JSON text and back. Field names are those of the schema; non-finite numbers are
// null.

#include <span>
#include <string>
#include <string_view>

#include "reports/schema/benchmark_entry.h"
#include "reports/schema/report.h"

namespace bench::schema {

// The whole report, indented, with a newline at the end. `benchmarks` and `context` are written
// empty.
std::string to_json(const Report& report);

// As above, with the same cases under Google Benchmark's field names.
std::string to_json(const Report& report, const BenchmarkContext& context,
                    std::span<const BenchmarkEntry> benchmarks);

// Lines of the journal, one object each, ending in a newline: `run` opens it, then a line as each
// thing is finished, and `end` closes it. `type` says which: run, case, training, end.
std::string journal_run(const Report& report);
std::string journal_case(const CaseResult& result);
std::string journal_training(const TrainingRun& run);
std::string journal_end(const Report& report);

// A report from its text; `origin` is the file's name for messages. Throws UsageError: text that is
// no JSON (line and column), another schema or version, a field that is missing or of another type
// (its path).
Report from_json(std::string_view text, std::string_view origin);

}  // namespace bench::schema
