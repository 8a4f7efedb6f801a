#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <list>

#include "bench/base/status.h"
#include "bench/runner/options.h"

namespace bench::runner {
namespace {

// CLI11 writes into these; they are then checked against the option table.
struct Raw {
  std::list<std::pair<const OptionSpec*, std::vector<std::string>>> values;
  std::list<std::pair<const OptionSpec*, bool>> flags;
};

void add_run_options(CLI::App& app, Raw& raw) {
  for (const OptionSpec& o : option_table()) {
    const std::string name = "--" + std::string(o.name);
    std::string help(o.help);
    if (!o.choices.empty()) help += " (" + std::string(o.choices) + ")";
    if (o.kind == OptionKind::flag) {
      raw.flags.emplace_back(&o, false);
      app.add_flag(name, raw.flags.back().second, help);
      continue;
    }
    raw.values.emplace_back(&o, std::vector<std::string>{});
    CLI::Option* made =
        app.add_option(name, raw.values.back().second, help)->allow_extra_args(false);
    if (!may_repeat(o.kind)) made->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  }
}

OptionSet collect(const Raw& raw) {
  OptionSet set;
  for (const auto& [spec, values] : raw.values)
    for (const std::string& v : values) set.set(spec->name, v, "command line");
  for (const auto& [spec, on] : raw.flags)
    if (on) set.set(spec->name, "true", "command line");
  return set;
}

void add_flops_options(CLI::App& flops, CommandLine& line) {
  CommandLine::Flops& f = line.flops;
  flops.add_option("--model", f.model, "preset or layers=,hidden=,heads=,seq=,vocab=")->required();
  flops.add_option("--batch", f.batch, "sequences of a step over all GPUs")
      ->required()
      ->check(CLI::PositiveNumber);
  flops.add_option("--gpus", f.gpus, "GPUs or ranks")->required()->check(CLI::PositiveNumber);
  flops.add_option("--step-seconds", f.step_seconds, "time of a step")
      ->required()
      ->check(CLI::PositiveNumber);
  CLI::Option* model =
      flops.add_option("--baseline-model", f.baseline_model, "model of the baseline");
  CLI::Option* batch =
      flops.add_option("--baseline-batch", f.baseline_batch)->check(CLI::PositiveNumber);
  CLI::Option* gpus =
      flops.add_option("--baseline-gpus", f.baseline_gpus)->check(CLI::PositiveNumber);
  CLI::Option* step = flops.add_option("--baseline-step-seconds", f.baseline_step_seconds)
                          ->check(CLI::PositiveNumber);
  model->needs(batch)->needs(gpus)->needs(step);
  batch->needs(model);
  gpus->needs(model);
  step->needs(model);
  flops.add_flag("--json", line.json, "print JSON");
}

void add_plan_options(CLI::App& plan, CommandLine& line, Raw& raw) {
  CommandLine::Plan& p = line.plan;
  plan.add_option("--ranks", p.ranks, "ranks, or GPUs")->required()->check(CLI::Range(1, 1 << 20));
  plan.add_option("--memory", p.memory_bytes,
                  "of a rank, in bytes, or as 80GiB (default: its share of this machine's)")
      ->transform(CLI::AsSizeValue(false));
  plan.add_option("--ranks-per-host", p.ranks_per_host, "within which tensor ranks stay")
      ->check(CLI::PositiveNumber);
  plan.add_flag("--json", line.json, "print JSON");
  add_run_options(plan, raw);
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  Raw raw, list_raw, plan_raw;
  CLI::App app{
      "bench: times kernels, collectives and GPT-2 training steps over the ranks it is started on\n"
      "  mpirun -n N bench --suite scaling      the main job\n"
      "Exit codes: 0 done or passed, 1 judged and failed, 2 no verdict, 3 usage, 4 environment",
      "bench"};
  app.allow_extras(false);
  bool version = false;
  app.add_flag("--version", version, "print the version");
  add_run_options(app, raw);
  CLI::App* list =
      app.add_subcommand("list", "plugins, suites and cases, and why each cannot run here");
  list->add_flag("--json", line.json, "print JSON");
  add_run_options(*list, list_raw);
  CLI::App* doctor = app.add_subcommand("doctor", "what this machine or allocation has and lacks");
  doctor->add_flag("--json", line.json, "print JSON");
  CLI::App* plan = app.add_subcommand(
      "plan", "layouts of a training step that fit into memory, and why others do not");
  add_plan_options(*plan, line, plan_raw);
  CLI::App* flops =
      app.add_subcommand("flops", "FLOPs by every formula, and the scaling efficiencies");
  add_flops_options(*flops, line);
  CLI::App* validate = app.add_subcommand("validate", "check a report against its schema");
  validate->add_option("report", line.file, "RUN.json")->required();
  app.require_subcommand(0, 1);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.command = Command::help;
    line.help_text = app.help();
    return line;
  } catch (const CLI::ParseError& e) {
    throw UsageError(fmt::format("{}; `bench --help` shows the options", e.what()));
  }
  line.command = version              ? Command::version
                 : list->parsed()     ? Command::list
                 : doctor->parsed()   ? Command::doctor
                 : plan->parsed()     ? Command::plan
                 : flops->parsed()    ? Command::flops
                 : validate->parsed() ? Command::validate
                                      : Command::run;
  line.options = collect(line.command == Command::list   ? list_raw
                         : line.command == Command::plan ? plan_raw
                                                         : raw);
  return line;
}

}  // namespace bench::runner
