#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "bench/base/status.h"
#include "bench/runner/option_lists.h"
#include "bench/runner/options.h"

namespace bench::runner {
namespace {

using enum OptionKind;

constexpr std::array kOptions = {
    OptionSpec{.name = "suite",
               .kind = text,
               .help = "suites to run: smoke, kernels, collectives, pairs, train, eval, scaling, "
                       "or a suite file"},
    OptionSpec{.name = "filter", .kind = text, .help = "only cases whose dotted name matches RE"},
    OptionSpec{.name = "exclude", .kind = text, .help = "no case whose dotted name matches RE"},
    OptionSpec{.name = "mode",
               .kind = choice,
               .help = "only cases timed with warm or with empty caches",
               .choices = "all|hot|cold"},
    OptionSpec{
        .name = "device", .kind = choice, .help = "where cases run", .choices = "auto|cpu|cuda"},
    OptionSpec{.name = "dtype",
               .kind = choice,
               .help = "element type",
               .choices = "f32|bf16",
               .for_plugins = true},
    OptionSpec{.name = "model",
               .kind = text,
               .help = "preset or layers=,hidden=,heads=,seq=,vocab=",
               .for_plugins = true},
    OptionSpec{.name = "micro-batch",
               .kind = integer,
               .help = "sequences a rank takes at once",
               .least = 1,
               .for_plugins = true},
    OptionSpec{.name = "global-batch",
               .kind = integer,
               .help = "sequences of a step over all ranks",
               .least = 1,
               .for_plugins = true},
    OptionSpec{.name = "tp",
               .kind = integer,
               .help = "tensor-parallel ranks",
               .least = 1,
               .for_plugins = true},
    OptionSpec{
        .name = "pp", .kind = integer, .help = "pipeline stages", .least = 1, .for_plugins = true},
    OptionSpec{.name = "virtual-stages",
               .kind = integer,
               .help = "pieces of the model a pipeline stage, interleaved",
               .least = 1,
               .for_plugins = true},
    OptionSpec{.name = "dp",
               .kind = integer,
               .help = "data-parallel ranks",
               .least = 1,
               .for_plugins = true},
    OptionSpec{.name = "layout",
               .kind = choice,
               .help = "the best of `bench plan` for the ranks of the run",
               .choices = "auto"},
    OptionSpec{.name = "kind", .kind = choice, .help = "scaling curves", .choices = "weak|strong"},
    OptionSpec{.name = "scaling-axis",
               .kind = choice,
               .help = "what the ranks of a scaling curve are (default: tensor, then data)",
               .choices = "tensor|data|pipeline"},
    OptionSpec{.name = "sequence-parallel",
               .kind = flag,
               .help = "shard norms along the sequence",
               .for_plugins = true},
    OptionSpec{.name = "recompute",
               .kind = choice,
               .help = "activation recomputation",
               .choices = "none|selective|full",
               .for_plugins = true},
    OptionSpec{.name = "zero",
               .kind = choice,
               .help = "optimizer state sharding",
               .choices = "0|1",
               .for_plugins = true},
    OptionSpec{.name = "overlap-grad-reduce",
               .kind = choice,
               .help = "sum gradients over data ranks while the backward pass goes on",
               .choices = "on|off",
               .for_plugins = true},
    OptionSpec{.name = "dropout", .kind = real, .help = "dropout probability", .for_plugins = true},
    OptionSpec{.name = "layers-slice",
               .kind = integer,
               .help = "only so many of the model's layers, at full width",
               .least = 1,
               .for_plugins = true},
    OptionSpec{.name = "steps",
               .kind = integer,
               .help = "exact number of optimizer steps",
               .least = 1,
               .for_plugins = true},
    OptionSpec{
        .name = "lr", .kind = real, .help = "learning rate, the highest", .for_plugins = true},
    OptionSpec{.name = "lr-decay-style",
               .kind = choice,
               .help = "how it decays to --min-lr at --lr-decay-steps",
               .choices = "constant|linear|cosine",
               .for_plugins = true},
    OptionSpec{.name = "lr-warmup-steps",
               .kind = integer,
               .help = "steps in which it rises to --lr",
               .least = 0,
               .for_plugins = true},
    OptionSpec{.name = "lr-decay-steps",
               .kind = integer,
               .help = "the step from which it is --min-lr",
               .least = 1,
               .for_plugins = true},
    OptionSpec{
        .name = "min-lr", .kind = real, .help = "the lowest learning rate", .for_plugins = true},
    OptionSpec{.name = "data",
               .kind = text,
               .help = "token input: text, uint16 .bin, Megatron .bin/.idx",
               .for_plugins = true},
    OptionSpec{.name = "save-weights",
               .kind = text,
               .help = "safetensors file for the trained weights, with Hugging Face's names",
               .for_plugins = true},
    OptionSpec{.name = "stride",
               .kind = integer,
               .help = "tokens between the windows of an evaluation (default: a window); all of "
                       "the file must be done "
                       "within --case-timeout",
               .least = 1,
               .for_plugins = true},
    OptionSpec{.name = "weights",
               .kind = text,
               .help = "GPT-2 weights, safetensors with Hugging Face's names",
               .for_plugins = true},
    OptionSpec{
        .name = "samples", .kind = integer, .help = "samples a round takes, exactly", .least = 1},
    OptionSpec{.name = "repetitions",
               .kind = integer,
               .help = "rounds in which all cases run",
               .least = 1},
    OptionSpec{.name = "time-budget",
               .kind = real,
               .help = "seconds of sampling for the whole run",
               .least = 1e-3},
    OptionSpec{.name = "seed",
               .kind = integer,
               .help = "seed of inputs, weights and order",
               .for_plugins = true},
    OptionSpec{.name = "deterministic",
               .kind = choice,
               .help = "the same bits from run to run (default on); off may be faster on GPUs",
               .choices = "on|off",
               .for_plugins = true},
    OptionSpec{.name = "graph",
               .kind = choice,
               .help = "replay a training step as one recorded graph (default on where it can be)",
               .choices = "on|off",
               .for_plugins = true},
    OptionSpec{.name = "variant",
               .kind = names,
               .help = "op=name[,name…]: which implementation of an op; several are compared",
               .for_plugins = true},
    OptionSpec{.name = "axis",
               .kind = numbers,
               .help = "key=LIST: a parameter's values, e.g. m=1024,2048 or m=1:7:2 (step) or "
                       "m=256:4096:*2 (factor); several make every combination",
               .for_plugins = true},
    OptionSpec{.name = "simulate",
               .kind = text,
               .help =
                   "suite collectives: nothing is measured; all-reduces on simulated ranks, e.g. "
                   "ranks=512,per-host=8,intra-us=1,intra-gbs=200,inter-us=5,inter-gbs=12.5,"
                   "reduce-gbs=100"},
    OptionSpec{.name = "require",
               .kind = list,
               .help = "EXPR that must hold, e.g. scaling.efficiency.flops>=0.7"},
    OptionSpec{.name = "case-timeout",
               .kind = real,
               .help = "deadline of a case in seconds",
               .least = 0.1},
    OptionSpec{.name = "bind",
               .kind = choice,
               .help = "CPU binding of ranks",
               .choices = "auto|launcher|none"},
    OptionSpec{.name = "mpi", .kind = choice, .help = "use MPI", .choices = "auto|on|off"},
    OptionSpec{
        .name = "comm",
        .kind = choice,
        .help = "what ranks communicate over: on GPUs nccl or staged, on CPUs mpi or shared memory",
        .choices = "auto|nccl|staged|mpi|shared"},
    OptionSpec{.name = "nccl-algo",
               .kind = text,
               .help = "the algorithms NCCL may choose from, as in NCCL_ALGO, e.g. Ring"},
    OptionSpec{.name = "nccl-proto",
               .kind = text,
               .help = "the protocols NCCL may choose from, as in NCCL_PROTO, e.g. Simple"},
    OptionSpec{.name = "plugin", .kind = list, .help = "plugin file to load"},
    OptionSpec{
        .name = "plugin-dir", .kind = list, .help = "folder of plugins (also BENCH_PLUGIN_PATH)"},
    OptionSpec{.name = "out", .kind = text, .help = "the report, default bench-<suite>.json"},
    OptionSpec{.name = "dry-run",
               .kind = flag,
               .help = "print the cases that would run and their memory, and end"},
    OptionSpec{.name = "quiet", .kind = flag, .help = "no progress, no table"},
    OptionSpec{.name = "progress",
               .kind = choice,
               .help = "progress on stderr",
               .choices = "auto|always|never"},
};

double number_of(const OptionSpec& o, const std::string& text, std::string_view where) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(value))
    throw UsageError(fmt::format("{}: --{} wants a number, not '{}'", where, o.name, text));
  if (o.kind == integer && (value != std::floor(value) || std::abs(value) > 9e15))
    throw UsageError(fmt::format("{}: --{} wants a whole number, not '{}'", where, o.name, text));
  if (value < o.least)
    throw UsageError(
        fmt::format("{}: --{} must be at least {}, not {}", where, o.name, o.least, text));
  return value;
}

void check_choice(const OptionSpec& o, const std::string& text, std::string_view where) {
  const std::string padded = "|" + std::string(o.choices) + "|";
  if (text.empty() || padded.find("|" + text + "|") == std::string::npos)
    throw UsageError(
        fmt::format("{}: --{} is one of {}, not '{}'", where, o.name, o.choices, text));
}

}  // namespace

std::span<const OptionSpec> option_table() { return kOptions; }

const OptionSpec* find_option(std::string_view name) {
  for (const OptionSpec& o : kOptions)
    if (o.name == name) return &o;
  return nullptr;
}

void OptionSet::set(std::string_view name, const std::string& value, std::string_view where) {
  const OptionSpec* o = find_option(name);
  if (o == nullptr)
    throw UsageError(
        fmt::format("{}: there is no option '{}'; `bench --help` lists them", where, name));
  if (o->kind == OptionKind::integer || o->kind == OptionKind::real) number_of(*o, value, where);
  if (o->kind == OptionKind::choice) check_choice(*o, value, where);
  if (o->kind == OptionKind::flag && value != "true" && value != "false")
    throw UsageError(fmt::format("{}: --{} is true or false, not '{}'", where, name, value));
  if (o->kind == OptionKind::text && value.empty())
    throw UsageError(fmt::format("{}: --{} wants a value, not the empty text", where, name));
  if (o->kind == OptionKind::names) parse_names(name, value, where);
  if (o->kind == OptionKind::numbers) parse_numbers(name, value, where);
  std::vector<std::string>& held = values_[std::string(name)];
  if (!may_repeat(o->kind)) held.clear();
  held.push_back(value);
}

void OptionSet::remove(std::string_view name) {
  if (const auto found = values_.find(name); found != values_.end()) values_.erase(found);
}

void OptionSet::fill_from(const OptionSet& defaults) {
  for (const auto& [name, held] : defaults.values_) values_.try_emplace(name, held);
}

std::string OptionSet::text(std::string_view name, std::string_view otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string(otherwise) : found->second.back();
}

int64_t OptionSet::integer(std::string_view name, int64_t otherwise) const {
  return has(name) ? static_cast<int64_t>(std::stod(text(name, ""))) : otherwise;
}

double OptionSet::real(std::string_view name, double otherwise) const {
  return has(name) ? std::stod(text(name, "")) : otherwise;
}

bool OptionSet::flag(std::string_view name) const { return text(name, "false") == "true"; }

std::vector<std::string> OptionSet::list(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

}  // namespace bench::runner
