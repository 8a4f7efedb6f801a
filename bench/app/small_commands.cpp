// The commands that neither measure nor load anything.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/app/commands.h"
#include "bench/model/model.h"
#include "reports/flops/flops.h"
#include "reports/schema/validate.h"

namespace bench::app {
namespace {

std::string read_report(const std::string& path) {
  if (!std::filesystem::is_regular_file(path))
    throw UsageError(fmt::format(
        "report {} does not exist or is no file; give the path of a report that bench wrote",
        path));
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw UsageError(fmt::format("report {} cannot be read; check its permissions", path));
  return text.str();
}

}  // namespace

ExitCode flops_command(const runner::CommandLine& line) {
  const runner::CommandLine::Flops& f = line.flops;
  const reports::FlopsInput input{.model = model::parse_model(f.model),
                                  .batch = f.batch,
                                  .gpus = f.gpus,
                                  .step_seconds = f.step_seconds};
  std::optional<reports::FlopsInput> baseline;
  if (!f.baseline_model.empty())
    baseline = reports::FlopsInput{.model = model::parse_model(f.baseline_model),
                                   .batch = f.baseline_batch,
                                   .gpus = f.baseline_gpus,
                                   .step_seconds = f.baseline_step_seconds};
  const reports::FlopsResult result = reports::compute_flops(input, baseline);
  fmt::print("{}", line.json ? reports::flops_json(result) : reports::flops_text(result));
  return ExitCode::kDone;
}

ExitCode validate_command(const runner::CommandLine& line) {
  const std::vector<schema::Violation> violations =
      schema::validate(read_report(line.file), line.file);
  for (const schema::Violation& v : violations)
    fmt::print("{}: {}: {}\n", line.file, v.path.empty() ? "/" : v.path, v.message);
  if (violations.empty()) fmt::print("{}: valid\n", line.file);
  return violations.empty() ? ExitCode::kDone : ExitCode::kFailedVerdict;
}

}  // namespace bench::app
