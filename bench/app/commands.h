#pragma once
// What `bench` can do, one function a command. Each returns the exit code; errors are thrown.

#include "bench/base/status.h"
#include "bench/runner/options.h"

namespace bench::app {

ExitCode run_command(const runner::CommandLine& line, const std::vector<std::string>& command);
ExitCode list_command(const runner::CommandLine& line);
ExitCode doctor_command(const runner::CommandLine& line);
ExitCode plan_command(const runner::CommandLine& line);
ExitCode flops_command(const runner::CommandLine& line);
ExitCode validate_command(const runner::CommandLine& line);

}  // namespace bench::app
