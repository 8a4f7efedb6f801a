#pragma once
// Every field of the report once, for the writer and the reader alike: fields(v, x) calls v(name,
// member) for a field that every report has and v.extra(name, member) for one that older reports of
// this version may lack. Private to this folder.

#include <concepts>
#include <type_traits>

#include "reports/schema/report.h"

namespace bench::schema {

template <class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

void fields(auto& v, Is<DeviceFact> auto& x) {
  v("kind", x.kind);
  v("name", x.name);
  v("index", x.index);
  v("uuid", x.uuid);
  v.extra("facts", x.facts);
}

void fields(auto& v, Is<RankFact> auto& x) {
  v("rank", x.rank);
  v("host", x.host);
  v("local_rank", x.local_rank);
  v("pid", x.pid);
  v("device", x.device);
  v("affinity", x.affinity);
  v.extra("launcher_affinity", x.launcher_affinity);
  v.extra("threads", x.threads);
}

void fields(auto& v, Is<HostFact> auto& x) {
  v("host", x.host);
  v("cpu", x.cpu);
  v("cores", x.cores);
  v.count("memory_bytes", x.memory_bytes);
  v("kernel", x.kernel);
  v.nullable("governor", x.governor);
  v.extra("load_1min", x.load_1min);
  v.extra("steal_fraction", x.steal_fraction);
  v.extra("cpu_quota", x.cpu_quota);
}

void fields(auto& v, Is<Environment> auto& x) {
  v("ranks", x.ranks);
  v("hosts", x.hosts);
  v.object("mpi", [&](auto& o) {
    o.nullable("library", x.mpi_library);
    o.nullable("version", x.mpi_version);
  });
  v.nullable("cuda", x.cuda);
  v.nullable("nccl", x.nccl);
  v("variables", x.variables);
  v.extra("launcher", x.launcher);
  v.extra("oversubscribed", x.oversubscribed);
  v.object("device", [&](auto& o) {
    o.extra("asked", x.device_asked);
    o.extra("ran", x.device_ran);
    o.extra("reason", x.device_reason);
  });
}

void fields(auto& v, Is<Build> auto& x) {
  v("compiler", x.compiler);
  v("type", x.type);
  v("flags", x.flags);
  v("libraries", x.libraries);
}

void fields(auto& v, Is<Run> auto& x) {
  v("id", x.id);
  v("started", x.started);
  v("finished", x.finished);
  v("command", x.command);
  v("suite", x.suite);
  v("seed", x.seed);
  v("complete", x.complete);
  v("bench_version", x.bench_version);
  v("git", x.git);
  v("build", x.build);
  v.extra("rounds", x.rounds);
  v.extra("notes", x.notes);
}

void fields(auto& v, Is<Ceiling> auto& x) {
  v("rank", x.rank);
  v.extra("active_ranks", x.active_ranks);
  v("device", x.device);
  v("dtype", x.dtype);
  v("gemm_flops_per_s", x.gemm_flops_per_s);
  v("copy_bytes_per_s", x.copy_bytes_per_s);
  v.extra("unsteady", x.unsteady);
  v.extra("ridge_flops_per_byte", x.ridge_flops_per_byte);
}

void fields(auto& v, Is<Layout> auto& x) {
  v("tp", x.tp);
  v("pp", x.pp);
  v("dp", x.dp);
  v("sequence_parallel", x.sequence_parallel);
}

void fields(auto& v, Is<TimeSummary> auto& x) {
  v("median", x.median);
  v("ci95", x.ci95);
  v("min", x.min);
  v("p5", x.p5);
  v("p25", x.p25);
  v("p75", x.p75);
  v("p95", x.p95);
  v("p99", x.p99);
  v("max", x.max);
  v("mean", x.mean);
  v("sd", x.sd);
  v("mad", x.mad);
  v("n", x.n);
  v("block", x.block);
  v("repetitions", x.repetitions);
  v("stop_reason", x.stop_reason);
  v("first_call", x.first_call);
  v("sync", x.sync);
  v("mode", x.mode);
  v("clock", x.clock);
  v.extra("drift", x.drift);
  v.extra("warm_up", x.warm_up);
}

void fields(auto& v, Is<RanksTime> auto& x) {
  v("median", x.median);
  v("min_over_ranks", x.min_over_ranks);
  v("skew_median", x.skew_median);
  v("last_rank_histogram", x.last_rank_histogram);
}

void fields(auto& v, Is<Work> auto& x) {
  v.count("flops", x.flops);
  v.count("bytes", x.bytes);
  v.count("tokens", x.tokens);
}

void fields(auto& v, Is<Rates> auto& x) {
  v("tflops_per_rank", x.tflops_per_rank);
  v("gbytes_per_s", x.gbytes_per_s);
  v("tokens_per_s", x.tokens_per_s);
  v("algbw_gbytes_per_s", x.algbw_gbytes_per_s);
  v("busbw_gbytes_per_s", x.busbw_gbytes_per_s);
}

void fields(auto& v, Is<OfCeiling> auto& x) {
  v("gemm", x.gemm);
  v("copy", x.copy);
}

void fields(auto& v, Is<Verify> auto& x) {
  v("status", x.status);
  v("error", x.error);
  v("tolerance", x.tolerance);
  v.extra("detail", x.detail);
}

void fields(auto& v, Is<Value> auto& x) {
  v("value", x.value);
  v("unit", x.unit);
}

void fields(auto& v, Is<RatioSummary> auto& x) {
  v("median", x.median);
  v("ci95", x.ci95);
  v("min", x.min);
  v("p25", x.p25);
  v("p75", x.p75);
  v("max", x.max);
}

void fields(auto& v, Is<Flanked> auto& x) {
  v("by", x.by);
  v("ratio", x.ratio);
  v("ratio_by_round", x.ratio_by_round);
  v("n", x.n);
  v("dropped", x.dropped);
  v("flank_time_s", x.flank_time_s);
}

void fields(auto& v, Is<Round> auto& x) {
  v("index", x.index);
  v("median_s", x.median_s);
  v("n", x.n);
}

void fields(auto& v, Is<CaseResult> auto& x) {
  v("name", x.name);
  v("plugin", x.plugin);
  v("suite", x.suite);
  v("params", x.params);
  v("outcome", x.outcome);
  v("reason", x.reason);
  v("asked_device", x.asked_device);
  v("device", x.device);
  v.extra("dtype", x.dtype);
  v("ranks", x.ranks);
  v("layout", x.layout);
  v("time_s", x.time_s);
  v("ranks_time_s", x.ranks_time_s);
  v("work", x.work);
  v("rates", x.rates);
  v("of_ceiling", x.of_ceiling);
  v.extra("roofline", x.roofline);
  v("verify", x.verify);
  v("values", x.values);
  v("flags", x.flags);
  v("samples_s", x.samples_s);
  v.extra("rounds", x.rounds);
  v.extra("flanked", x.flanked);
  v.extra("scaling_point", x.scaling_point);
}

void fields(auto& v, Is<TrainingRun> auto& x) {
  v("case", x.case_name);
  v.extra("ranks", x.ranks);
  v.extra("model_name", x.model_name);
  v.count("model", x.model);
  v("parameters", x.parameters);
  v.count("tokens_per_step", x.tokens_per_step);
  v("losses", x.losses);
  v("grad_norms", x.grad_norms);
  v.extra("scaling_point", x.scaling_point);
}

void fields(auto& v, Is<RankTflops> auto& x) {
  v("executed", x.executed);
  v("model", x.model);
  v("model_causal", x.model_causal);
  v("hardware_full_recompute", x.hardware_full_recompute);
}

void fields(auto& v, Is<Efficiency> auto& x) {
  v("flops", x.flops);
  v("parameters", x.parameters);
  v("time", x.time);
  v.interval("flops_over_rounds", x.flops_ci, x.flops);
  v.interval("parameters_over_rounds", x.parameters_ci, x.parameters);
  v.interval("time_over_rounds", x.time_ci, x.time);
  v.extra("time_why_not", x.time_why_not);
}

void fields(auto& v, Is<SplitSeconds> auto& x) {
  v("compute", x.compute);
  v("exposed_comm", x.exposed_comm);
  v("bubble", x.bubble);
  v("optimizer", x.optimizer);
  v("skew", x.skew);
  v("other", x.other);
}

void fields(auto& v, Is<ScalingPoint> auto& x) {
  v("kind", x.kind);
  v("baseline_case", x.baseline_case);
  v("case", x.case_name);
  v("ranks", x.ranks);
  v("layout", x.layout);
  v("model", x.model);
  v.count("parameters", x.parameters);
  v.count("batch", x.batch);
  v("step_s", x.step_s);
  v.interval("step_ci95_s", x.step_ci95_s, x.step_s);
  v("tokens_per_s", x.tokens_per_s);
  v("tflops_per_rank", x.tflops_per_rank);
  v("efficiency", x.efficiency);
  v.object("peak_fraction", [&](auto& o) {
    o("measured_gemm", x.peak_measured_gemm);
    o("datasheet", x.peak_datasheet);
  });
  v("split_s", x.split_s);
  v.extra("recompute", x.recompute);
  v.extra("scaling_point", x.scaling_point);
  v.extra("comparable", x.comparable);
  v.extra("why_not", x.why_not);
}

void fields(auto& v, Is<Scaling> auto& x) {
  v("kind", x.kind);
  v.extra("axis", x.axis);
  v("baseline_case", x.baseline_case);
  v("points", x.points);
}

void fields(auto& v, Is<Phases> auto& x) {
  v("start", x.start);
  v("agree", x.agree);
  v("set_up", x.set_up);
  v("first_call", x.first_call);
  v("warm_up", x.warm_up);
  v("samples", x.samples);
  v("verify", x.verify);
  v("gather", x.gather);
  v("journal", x.journal);
  v("report", x.report);
  v("waiting", x.waiting);
  v("wall", x.wall);
}

void fields(auto& v, Is<Reference> auto& x) {
  v("id", x.id);
  v("source", x.source);
  v("value", x.value);
  v("unit", x.unit);
  v("formula", x.formula);
  v("conditions", x.conditions);
  v("measured", x.measured);
  v("ratio", x.ratio);
  v("comparable", x.comparable);
  v("why_not", x.why_not);
  v.object("as_peak_fraction", [&](auto& o) {
    o("reference", x.peak_reference);
    o("measured", x.peak_measured);
    o.extra("measured_of", x.peak_of);
  });
}

void fields(auto& v, Is<Verdict> auto& x) {
  v("state", x.state);
  v("reasons", x.reasons);
}

void fields(auto& v, Is<Report> auto& x) {
  v("run", x.run);
  v("environment", x.environment);
  v("ceilings", x.ceilings);
  v("cases", x.cases);
  v("training", x.training);
  v("scaling", x.scaling);
  v("scaling_more", x.scaling_more);
  v.extra("comparisons", x.comparisons);
  v.extra("closure", x.closure);
  v.extra("pairs", x.pairs);
  v.extra("expected", x.expected);
  v.extra("simulated", x.simulated);
  v("phases_s", x.phases_s);
  v("references", x.references);
  v("verdict", x.verdict);
}

}  // namespace bench::schema
