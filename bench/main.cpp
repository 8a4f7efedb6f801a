// bench: parse, run, write, exit code. The one place that turns errors into an exit.
#include <fmt/format.h>

#include <csignal>

#include "bench/app/commands.h"
#include "bench/base/log.h"
#include "bench/runner/facts.h"
#include "bench/world/launcher.h"

namespace {
using bench::ExitCode;
using bench::runner::Command;

ExitCode dispatch(int argc, char** argv) {
  const bench::runner::CommandLine line = bench::runner::parse_command_line(argc, argv);
  switch (line.command) {
    case Command::run:
      return bench::app::run_command(line, std::vector<std::string>(argv, argv + argc));
    case Command::list: return bench::app::list_command(line);
    case Command::doctor: return bench::app::doctor_command(line);
    case Command::plan: return bench::app::plan_command(line);
    case Command::flops: return bench::app::flops_command(line);
    case Command::validate: return bench::app::validate_command(line);
    case Command::help: fmt::print("{}", line.help_text); return ExitCode::kDone;
    case Command::version:
      fmt::print("bench {}\n", bench::runner::bench_version());
      return ExitCode::kDone;
  }
  return ExitCode::kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away (bench list | head) is an error of a write, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  const int rank = bench::detect_launch().rank;
  const bench::Log log(rank);
  try {
    return static_cast<int>(dispatch(argc, argv));
  } catch (const bench::AgreedError& e) {
    if (rank == 0) log.error(e.what());
    return static_cast<int>(e.code());
  } catch (const bench::UsageError& e) {
    if (rank == 0) log.error(e.what());  // every rank was given the same words
    return static_cast<int>(e.code());
  } catch (const bench::Error& e) {
    log.error(e.what());
    return static_cast<int>(e.code());
  } catch (const std::exception& e) {
    log.error(e.what());
    return static_cast<int>(ExitCode::kEnvironment);
  }
}
