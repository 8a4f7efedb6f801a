#include "tests/reports/sample.h"

#include <algorithm>

#include "bench/model/model.h"
#include "reports/derive/rounds.h"

namespace bench::test {

using schema::CaseResult;
using schema::Report;

CaseResult measured_case(const std::string& name, int ranks, const std::vector<double>& rounds_s) {
  CaseResult c;
  c.name = name;
  c.plugin = "train";
  c.suite = "scaling";
  c.outcome = schema::Outcome::measured;
  c.asked_device = "auto";
  c.device = "cpu";
  c.dtype = "f32";
  c.ranks = ranks;
  c.verify = {.status = "passed", .error = 1e-7, .tolerance = 1e-5, .detail = ""};
  for (size_t i = 0; i < rounds_s.size(); ++i)
    c.rounds.push_back({.index = static_cast<int>(i), .median_s = rounds_s[i], .n = 10});
  const double median = reports::median_of(rounds_s);
  const auto [low, high] = std::minmax_element(rounds_s.begin(), rounds_s.end());
  schema::TimeSummary t;
  t.median = t.p25 = t.p75 = t.mean = median;
  t.ci95 = {.low = *low, .high = *high};
  t.min = t.p5 = *low;
  t.max = *high;
  t.n = static_cast<int64_t>(10 * rounds_s.size());
  t.repetitions = static_cast<int64_t>(rounds_s.size());
  t.stop_reason = "converged";
  t.first_call = 2 * median;
  t.sync = "barrier";
  t.mode = "step";
  t.clock = "host";
  c.time_s = t;
  c.ranks_time_s = {.median = std::vector<double>(ranks, median),
                    .min_over_ranks = *low,
                    .skew_median = 0.0,
                    .last_rank_histogram = std::vector<int64_t>(ranks, 5)};
  c.samples_s = rounds_s;
  return c;
}

CaseResult ceiling_case(const std::string& what, int ranks, double amount,
                        const std::vector<double>& rounds_s) {
  CaseResult c = measured_case("ceiling." + what, ranks, rounds_s);
  c.plugin = "kernels";
  c.suite = "ceilings";
  c.ceiling = what;
  c.time_s->mode = "hot";
  (what == "gemm" ? c.work.flops : c.work.bytes) = amount;
  return c;
}

CaseResult kernel_case(const std::string& name, double per_step,
                       const std::vector<double>& rounds_s) {
  CaseResult c = measured_case(name, 1, rounds_s);
  c.plugin = "kernels";
  c.suite = "kernels";
  c.time_s->mode = "hot";
  c.params = {{"model", std::string("megatron-mini-mp1")},
              {"mode", std::string("hot")},
              {"per_step", per_step}};
  return c;
}

void add_step(Report& report, const std::string& point, const std::string& model_name, int ranks,
              int tp, double batch, const std::vector<double>& rounds_s) {
  const model::ModelConfig m = model::parse_model(model_name);
  CaseResult c = measured_case("train.gpt2.step", ranks, rounds_s);
  c.params = {{"model", model_name},
              {"recompute", std::string("none")},
              {"hidden", static_cast<double>(m.hidden)},
              {"heads", static_cast<double>(m.heads)},
              {"seq", static_cast<double>(m.seq)},
              {"micro_batch", batch * tp / ranks}};
  c.layout = {.tp = tp, .pp = 1, .dp = ranks / tp, .sequence_parallel = false};
  c.scaling_point = point;
  c.work = {.flops = 1e9, .bytes = {}, .tokens = batch * static_cast<double>(m.seq)};
  c.values["split.compute"] = {.value = 0.4, .unit = "s"};
  report.cases.push_back(c);
  const auto number = [](int64_t x) { return static_cast<double>(x); };
  report.training.push_back({.case_name = c.name,
                             .ranks = ranks,
                             .model_name = model_name,
                             .model = {{"layers", number(m.layers)},
                                       {"hidden", number(m.hidden)},
                                       {"heads", number(m.heads)},
                                       {"seq", number(m.seq)},
                                       {"vocab", number(m.vocab)},
                                       {"padded_vocab", number(model::padded_vocab(m.vocab, tp))},
                                       {"global_batch", batch}},
                             .parameters = model::parameter_count(m),
                             .tokens_per_step = *c.work.tokens,
                             .losses = {8.75, 8.5},
                             .grad_norms = {1.5, 1.25}});
}

schema::ScalingPlan sample_plan() {
  return {.kind = "weak",
          .axis = "tensor",
          .baseline = "point0",
          .comparable_model = false,
          .points = {{.id = "point0", .case_name = "train.gpt2.step", .ranks = 1},
                     {.id = "point1", .case_name = "train.gpt2.step", .ranks = 2}}};
}

Report sample_report() {
  Report r;
  r.run = {
      .id = "20260101-000000-1",
      .started = "2026-01-01T00:00:00Z",
      .finished = "2026-01-01T00:01:00Z",
      .command = {"bench", "--suite", "scaling"},
      .suite = "scaling",
      .seed = 1,
      .complete = true,
      .bench_version = "0.1.0",
      .git = "abc",
      .build = {.compiler = "GNU 12", .type = "Release", .flags = "", .libraries = {{"fmt", "9"}}},
      .rounds = 3,
      .notes = {"weak scaling runs a miniature"}};
  for (int rank = 0; rank < 2; ++rank)
    r.environment.ranks.push_back(
        {.rank = rank,
         .host = "node",
         .local_rank = rank,
         .pid = 100 + rank,
         .device = {.kind = "cpu", .name = "A CPU", .index = 0, .uuid = ""},
         .launcher_affinity = "0-3",
         .affinity = rank == 0 ? "0-1" : "2-3",
         .threads = 2});
  r.environment.hosts.push_back({.host = "node",
                                 .cpu = "A CPU",
                                 .cores = 4,
                                 .memory_bytes = 8e9,
                                 .kernel = "6.1",
                                 .governor = "",
                                 .load_1min = 0.5,
                                 .steal_fraction = {},
                                 .cpu_quota = {}});
  r.environment.mpi_library = "Open MPI";
  r.environment.mpi_version = "4.1.4";
  r.environment.device_asked = "auto";
  r.environment.device_ran = "cpu";
  add_step(r, "point0", "megatron-mini-mp1", 1, 1, 8, {0.5, 0.5, 0.5});
  add_step(r, "point1", "megatron-mini-mp2", 2, 2, 8, {0.6, 0.6, 0.6});
  r.cases.push_back(ceiling_case("gemm", 1, 1e9, {0.01, 0.01, 0.01}));        // 100 GFLOP/s
  r.cases.push_back(ceiling_case("gemm", 2, 1e9, {0.0125, 0.0125, 0.0125}));  // 80 GFLOP/s
  r.cases.push_back(ceiling_case("copy", 1, 1e9, {0.1, 0.1, 0.1}));           // 10 GB/s
  CaseResult skipped;
  skipped.name = "train.gpt2.overlap";
  skipped.plugin = "train";
  skipped.suite = "scaling";
  skipped.reason = "one rank has nothing to overlap";
  skipped.asked_device = "auto";
  skipped.device = "cpu";
  r.cases.push_back(skipped);
  r.phases_s.wall = 60;
  return r;
}

}  // namespace bench::test
