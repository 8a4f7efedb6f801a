#include "reports/require/fields.h"

namespace bench::reports {
namespace {

using schema::CaseResult;
using schema::Closure;
using schema::ComparedVariant;
using schema::Number;
using schema::Phases;
using schema::ScalingPoint;

constexpr NamedField<CaseResult> kCaseFields[] = {
    {"time_s.median",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->median) : Number(); }},
    {"time_s.min",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->min) : Number(); }},
    {"time_s.p5",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->p5) : Number(); }},
    {"time_s.p25",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->p25) : Number(); }},
    {"time_s.p75",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->p75) : Number(); }},
    {"time_s.p95",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->p95) : Number(); }},
    {"time_s.p99",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->p99) : Number(); }},
    {"time_s.max",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->max) : Number(); }},
    {"time_s.mean",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->mean) : Number(); }},
    {"time_s.sd",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->sd) : Number(); }},
    {"time_s.mad",
     [](const CaseResult& c) -> Number { return c.time_s ? Number(c.time_s->mad) : Number(); }},
    {"time_s.first_call",
     [](const CaseResult& c) -> Number {
       return c.time_s ? Number(c.time_s->first_call) : Number();
     }},
    {"ranks_time_s.skew_median",
     [](const CaseResult& c) -> Number {
       return c.ranks_time_s ? c.ranks_time_s->skew_median : Number();
     }},
    {"ranks_time_s.min_over_ranks",
     [](const CaseResult& c) -> Number {
       return c.ranks_time_s ? c.ranks_time_s->min_over_ranks : Number();
     }},
    {"rates.tflops_per_rank",
     [](const CaseResult& c) -> Number { return c.rates.tflops_per_rank; }},
    {"rates.gbytes_per_s", [](const CaseResult& c) -> Number { return c.rates.gbytes_per_s; }},
    {"rates.tokens_per_s", [](const CaseResult& c) -> Number { return c.rates.tokens_per_s; }},
    {"rates.algbw_gbytes_per_s",
     [](const CaseResult& c) -> Number { return c.rates.algbw_gbytes_per_s; }},
    {"rates.busbw_gbytes_per_s",
     [](const CaseResult& c) -> Number { return c.rates.busbw_gbytes_per_s; }},
    {"of_ceiling.gemm", [](const CaseResult& c) -> Number { return c.of_ceiling.gemm; }},
    {"of_ceiling.copy", [](const CaseResult& c) -> Number { return c.of_ceiling.copy; }},
    {"roofline.of_limit",
     [](const CaseResult& c) -> Number { return c.roofline ? c.roofline->of_limit : Number(); }},
    {"roofline.gemm_fraction",
     [](const CaseResult& c) -> Number {
       return c.roofline ? c.roofline->gemm_fraction : Number();
     }},
    {"roofline.stream_fraction",
     [](const CaseResult& c) -> Number {
       return c.roofline ? c.roofline->stream_fraction : Number();
     }},
    {"roofline.intensity_flops_per_byte",
     [](const CaseResult& c) -> Number {
       return c.roofline ? c.roofline->intensity_flops_per_byte : Number();
     }},
    {"flanked.ratio.median",
     [](const CaseResult& c) -> Number {
       return c.flanked ? Number(c.flanked->ratio.median) : Number();
     }},
    {"flanked.ratio.min",
     [](const CaseResult& c) -> Number {
       return c.flanked ? Number(c.flanked->ratio.min) : Number();
     }},
    {"verify.error", [](const CaseResult& c) -> Number { return c.verify.error; }},
};

constexpr NamedField<ScalingPoint> kPointFields[] = {
    {"efficiency.flops", [](const ScalingPoint& p) -> Number { return p.efficiency.flops; }},
    {"efficiency.parameters",
     [](const ScalingPoint& p) -> Number { return p.efficiency.parameters; }},
    {"efficiency.time", [](const ScalingPoint& p) -> Number { return p.efficiency.time; }},
    {"step_s", [](const ScalingPoint& p) -> Number { return p.step_s; }},
    {"tokens_per_s", [](const ScalingPoint& p) -> Number { return p.tokens_per_s; }},
    {"tflops_per_rank.executed",
     [](const ScalingPoint& p) -> Number { return p.tflops_per_rank.executed; }},
    {"tflops_per_rank.model",
     [](const ScalingPoint& p) -> Number { return p.tflops_per_rank.model; }},
    {"tflops_per_rank.model_causal",
     [](const ScalingPoint& p) -> Number { return p.tflops_per_rank.model_causal; }},
    {"tflops_per_rank.hardware_full_recompute",
     [](const ScalingPoint& p) -> Number { return p.tflops_per_rank.hardware_full_recompute; }},
    {"peak_fraction.measured_gemm",
     [](const ScalingPoint& p) -> Number { return p.peak_measured_gemm; }},
    {"peak_fraction.datasheet", [](const ScalingPoint& p) -> Number { return p.peak_datasheet; }},
};

constexpr NamedField<Phases> kPhaseFields[] = {
    {"start", [](const Phases& p) -> Number { return p.start; }},
    {"agree", [](const Phases& p) -> Number { return p.agree; }},
    {"set_up", [](const Phases& p) -> Number { return p.set_up; }},
    {"first_call", [](const Phases& p) -> Number { return p.first_call; }},
    {"warm_up", [](const Phases& p) -> Number { return p.warm_up; }},
    {"samples", [](const Phases& p) -> Number { return p.samples; }},
    {"verify", [](const Phases& p) -> Number { return p.verify; }},
    {"gather", [](const Phases& p) -> Number { return p.gather; }},
    {"journal", [](const Phases& p) -> Number { return p.journal; }},
    {"report", [](const Phases& p) -> Number { return p.report; }},
    {"waiting", [](const Phases& p) -> Number { return p.waiting; }},
    {"wall", [](const Phases& p) -> Number { return p.wall; }},
};

constexpr NamedField<ComparedVariant> kVariantFields[] = {
    {"ratio.median",
     [](const ComparedVariant& v) -> Number { return v.ratio ? v.ratio->median : Number(); }},
    {"ratio.low",
     [](const ComparedVariant& v) -> Number { return v.ratio ? v.ratio->low : Number(); }},
    {"ratio.high",
     [](const ComparedVariant& v) -> Number { return v.ratio ? v.ratio->high : Number(); }},
    {"time_s", [](const ComparedVariant& v) -> Number { return v.time_s; }},
};

constexpr NamedField<Closure> kClosureFields[] = {
    {"kernels_fraction", [](const Closure& c) -> Number { return c.kernels_fraction; }},
    {"kernels_s", [](const Closure& c) -> Number { return c.kernels_s; }},
    {"remainder_s", [](const Closure& c) -> Number { return c.remainder_s; }},
    {"step_s", [](const Closure& c) -> Number { return c.step_s; }},
};

}  // namespace

std::span<const NamedField<ComparedVariant>> variant_fields() { return kVariantFields; }
std::span<const NamedField<Closure>> closure_fields() { return kClosureFields; }
std::span<const NamedField<CaseResult>> case_fields() { return kCaseFields; }
std::span<const NamedField<ScalingPoint>> point_fields() { return kPointFields; }
std::span<const NamedField<Phases>> phase_fields() { return kPhaseFields; }

}  // namespace bench::reports
