#include "tests/console/example_report.h"

namespace bench::test {

using schema::CaseResult;
using schema::Outcome;
using schema::Reference;
using schema::Report;
using schema::ScalingPoint;

CaseResult measured_case(const std::string& name, int ranks, double seconds) {
  CaseResult c;
  c.name = name;
  c.plugin = name.substr(0, name.find('.'));
  c.suite = "scaling";
  c.outcome = Outcome::measured;
  c.asked_device = c.device = "cpu";
  c.dtype = "f32";
  c.ranks = ranks;
  schema::TimeSummary t;
  t.median = seconds;
  t.ci95 = {.low = 0.99 * seconds, .high = 1.02 * seconds};
  t.min = 0.97 * seconds;
  t.max = t.p75 = 1.1 * seconds;
  t.mean = 1.01 * seconds;
  t.n = 30;
  t.repetitions = 3;
  t.stop_reason = "converged";
  c.time_s = t;
  c.verify = {.status = "passed", .error = 1e-6, .tolerance = 1e-4, .detail = {}};
  for (int i = 0; i < 3; ++i) c.rounds.push_back({.index = i, .median_s = seconds, .n = 10});
  return c;
}

CaseResult case_without_time(const std::string& name, int ranks, Outcome outcome,
                             const std::string& reason) {
  CaseResult c = measured_case(name, ranks, 0);
  c.outcome = outcome;
  c.reason = reason;
  c.time_s.reset();
  c.rounds.clear();
  c.verify = {};
  return c;
}

namespace {

schema::Roofline roofline(schema::Number intensity, schema::Number gemm, schema::Number stream,
                          const std::string& pattern) {
  schema::Roofline r;
  r.intensity_flops_per_byte = intensity;
  r.ridge_flops_per_byte = 15.5;
  r.gemm_fraction = gemm;
  r.stream_fraction = stream;
  r.stream_pattern = pattern;
  const bool by_gemm = gemm.value_or(0) >= stream.value_or(0);
  r.limit = by_gemm ? "gemm" : "stream";
  r.of_limit = by_gemm ? gemm : stream;
  return r;
}

schema::Comparison example_comparison() {
  schema::Comparison c;
  c.name = "gpt2.layer.attention.fwd";
  c.dtype = "f32";
  c.ranks = 2;
  c.baseline_variant = "unfused";
  c.variants = {{.variant = "unfused",
                 .outcome = Outcome::measured,
                 .time_s = 20e-3,
                 .ratio = schema::RatioOverRounds{.median = 1, .low = 1, .high = 1}},
                {.variant = "flash",
                 .outcome = Outcome::measured,
                 .time_s = 12.5e-3,
                 .ratio = schema::RatioOverRounds{.median = 1.6, .low = 1.58, .high = 1.63}},
                {.variant = "quick", .outcome = Outcome::wrong, .time_s = {}, .ratio = {}}};
  return c;
}

schema::Closure example_closure() {
  schema::Closure c;
  c.case_name = "train.step.weak";
  c.dtype = "f32";
  c.model = "megatron-mini-mp1";
  c.step_s = 0.5;
  c.kernels_s = 0.45;
  c.kernels_fraction = 0.9;
  c.kernels_fraction_over_rounds = {.low = 0.88, .high = 0.91};
  c.remainder_s = 0.05;
  c.parts = {{.case_name = "gpt2.adamw",
              .params = {},
              .per_step = 1,
              .time_s = 0.05,
              .total_s = 0.05,
              .fraction = 0.1},
             {.case_name = "gpt2.layer.mlp.fc1.fwd",
              .params = {},
              .per_step = 4,
              .time_s = 0.1,
              .total_s = 0.4,
              .fraction = 0.8}};
  return c;
}

std::vector<CaseResult> example_cases() {
  CaseResult gemm = measured_case("kernels.ceiling.gemm.2048", 2, 0.1);
  gemm.rates.tflops_per_rank = 0.1718;
  gemm.of_ceiling.gemm = 1;
  gemm.roofline = roofline({}, 1, {}, "");
  CaseResult unfused = measured_case("gpt2.layer.attention.fwd", 2, 20e-3);
  unfused.params["variant"] = "unfused";
  unfused.rates.tflops_per_rank = 0.0902;
  unfused.of_ceiling = {.gemm = 0.525, .copy = 0.075};
  unfused.roofline = roofline(25.6, 0.525, 0.075, "copy");
  CaseResult flash = measured_case("gpt2.layer.attention.fwd", 2, 12.5e-3);
  flash.params["variant"] = "flash";
  flash.rates.tflops_per_rank = 0.1443;
  flash.of_ceiling = {.gemm = 0.84, .copy = 0.028};
  flash.roofline = roofline(128, 0.84, 0.028, "copy");
  CaseResult norm = measured_case("gpt2.layer.ln1.fwd", 2, 312e-6);
  norm.rates.gbytes_per_s = 9.75;
  norm.of_ceiling.copy = 0.875;
  norm.roofline = roofline({}, {}, 0.875, "copy");
  norm.flags = {"unsteady"};
  CaseResult reduce = measured_case("collectives.all_reduce.1MiB", 2, 1.25e-3);
  reduce.rates.algbw_gbytes_per_s = reduce.rates.busbw_gbytes_per_s = 0.839;
  CaseResult one = measured_case("train.step.weak", 1, 0.5);
  one.rates.tokens_per_s = 2048;
  CaseResult two = measured_case("train.step.weak", 2, 0.625);
  two.rates.tokens_per_s = 1638.4;
  two.flags = {"not_converged"};
  return {gemm,
          norm,
          unfused,
          flash,
          reduce,
          one,
          two,
          case_without_time("kernels.attention.flash", 2, Outcome::skipped,
                            "needs a CUDA device, and this run is on CPUs")};
}

ScalingPoint point(int ranks, const std::string& model, double parameters, double step_s) {
  ScalingPoint p;
  p.kind = "weak";
  p.baseline_case = p.case_name = "train.step.weak";
  p.ranks = ranks;
  p.layout = {.tp = ranks, .pp = 1, .dp = 1, .sequence_parallel = false};
  p.model = model;
  p.parameters = parameters;
  p.batch = 8;
  p.step_s = step_s;
  p.step_ci95_s = {.low = 0.99 * step_s, .high = 1.02 * step_s};
  p.tokens_per_s = 1024 / step_s;
  p.recompute = "none";
  return p;
}

schema::Scaling example_curve() {
  ScalingPoint one = point(1, "megatron-mini-mp1", 3'457'728, 0.5);
  one.tflops_per_rank = {
      .executed = 0.05, .model = 0.0525, .model_causal = 0.0511, .hardware_full_recompute = 0.0625};
  one.efficiency.flops = one.efficiency.parameters = one.efficiency.time = 1.0;
  one.efficiency.flops_ci = one.efficiency.parameters_ci = one.efficiency.time_ci = {1, 1};
  one.peak_measured_gemm = 0.297;
  one.split_s = {.compute = 0.44,
                 .exposed_comm = 0.0,
                 .bubble = 0.0,
                 .optimizer = 0.05,
                 .skew = {},
                 .other = 0.01};
  ScalingPoint two = point(2, "megatron-mini-mp2", 6'399'120, 0.625);
  two.tflops_per_rank = {
      .executed = 0.04, .model = 0.0412, .model_causal = 0.0399, .hardware_full_recompute = 0.05};
  two.efficiency.flops = 0.8;
  two.efficiency.flops_ci = {.low = 0.78, .high = 0.83};
  two.efficiency.parameters = 0.74;
  two.efficiency.parameters_ci = {.low = 0.72, .high = 0.77};
  two.efficiency.time_why_not = "the model grows from megatron-mini-mp1 to megatron-mini-mp2";
  two.peak_measured_gemm = 0.232;
  two.split_s = {.compute = 0.45,
                 .exposed_comm = 0.1,
                 .bubble = 0.0,
                 .optimizer = 0.05,
                 .skew = 0.02,
                 .other = 0.005};
  return {
      .kind = "weak", .axis = "tensor", .baseline_case = "train.step.weak", .points = {one, two}};
}

std::vector<Reference> example_references() {
  Reference speed;
  speed.id = "megatron2019.single_gpu_tflops";
  speed.value = 39;
  speed.unit = "TFLOP/s";
  speed.measured = 0.0625;
  speed.ratio = 0.0625 / 39;
  speed.why_not = "the ranks are CPUs, not GPUs";
  speed.peak_reference = 0.3;
  speed.peak_measured = 0.364;
  speed.peak_of = "measured GEMM ceiling";
  Reference scaling;
  scaling.id = "megatron2019.scaling_efficiency";
  scaling.value = 0.76;
  scaling.unit = "1";
  scaling.measured = 0.8;
  scaling.ratio = 0.8 / 0.76;
  scaling.why_not = "2 ranks, not 512";
  return {speed, scaling};
}

}  // namespace

Report example_report() {
  Report r;
  r.run.id = "0123";
  r.run.suite = "scaling";
  r.run.complete = true;
  r.run.rounds = 3;
  r.run.seed = 1;
  r.run.notes = {"the models are the miniature series: this device cannot hold the paper's"};
  r.environment.device_asked = "auto";
  r.environment.device_ran = "cpu";
  r.environment.device_reason = "auto chose the CPU: no CUDA driver was found";
  for (int rank = 0; rank < 2; ++rank) {
    schema::RankFact fact;
    fact.rank = fact.local_rank = rank;
    fact.host = "node1";
    fact.device = {.kind = "cpu", .name = "Example CPU", .index = 0, .uuid = {}};
    r.environment.ranks.push_back(fact);
  }
  schema::HostFact host;
  host.host = "node1";
  host.cpu = "Example CPU";
  host.cores = 4;
  r.environment.hosts = {host};
  r.ceilings = {{.rank = 0,
                 .active_ranks = 2,
                 .device = "cpu",
                 .dtype = "f32",
                 .gemm_flops_per_s = 171.8e9,
                 .copy_bytes_per_s = 11.1e9,
                 .unsteady = true,
                 .ridge_flops_per_byte = 15.5}};
  r.cases = example_cases();
  r.comparisons = {example_comparison()};
  r.closure = {example_closure()};
  schema::TrainingRun training;
  training.case_name = "train.step.weak";
  training.ranks = 2;
  training.model_name = "megatron-mini-mp2";
  training.parameters = 6'399'120;
  training.tokens_per_step = 1024;
  training.losses = {8.75, 8.5, 8.125};
  training.grad_norms = {2.5, 2.25, 2.0};
  r.training = {training};
  r.scaling = example_curve();
  r.references = example_references();
  return r;
}

}  // namespace bench::test
