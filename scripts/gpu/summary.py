"""One page from what gpu_check ran: what passed, and the figures of its reports."""
import json
import os


def _load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def _percent(value):
    return "-" if value is None else f"{100 * value:.0f} %"


def _time(seconds):
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _ceilings(report):
    for ceiling in report.get("ceilings", [])[:1]:
        gemm, copy = ceiling.get("gemm_flops_per_s"), ceiling.get("copy_bytes_per_s")
        yield (f"  ceilings, {ceiling.get('dtype')}: " + ", ".join(
            ([f"GEMM {gemm / 1e12:.1f} TFLOP/s"] if gemm else []) + ([f"copy {copy / 1e12:.3f} TB/s"] if copy else [])))


def _case(case):
    params, rates, of = case.get("params", {}), case.get("rates", {}), case.get("of_ceiling", {})
    label = f"{case['name']} {params.get('variant', '')} {params.get('mode', '')}"
    time = case.get("time_s")
    if case.get("outcome") != "measured" or not time:
        return f"  {label:58.58} {case.get('outcome', '?').upper()}: {(case.get('reason') or '')[:60]}"
    parts = [f"{_time(time['median']):>9}"]
    if rates.get("tokens_per_s"):
        parts.append(f"{rates['tokens_per_s'] / 1e3:.1f} k tokens/s")
    if rates.get("tflops_per_rank"):
        parts.append(f"{rates['tflops_per_rank']:.1f} TFLOP/s ({_percent(of.get('gemm'))} of GEMM)")
    elif rates.get("gbytes_per_s"):
        parts.append(f"{rates['gbytes_per_s']:.0f} GB/s ({_percent(of.get('copy'))} of copy)")
    elif rates.get("busbw_gbytes_per_s") is not None:
        parts.append(f"bus {rates['busbw_gbytes_per_s']:.2f} GB/s")
    if case.get("flags"):
        parts.append(" ".join(case["flags"]))
    return f"  {label:58.58} " + "  ".join(parts)


def _losses(report):
    for training in report.get("training", []):
        losses = training.get("losses") or []
        if losses:
            first, last = ("not finite" if loss is None else f"{loss:.4f}" for loss in (losses[0], losses[-1]))
            yield f"  {training['case']}: loss {first} -> {last} in {len(losses)} steps"


def report_lines(path):
    report = _load(path)
    if report is None:
        return ["  no report"]
    lines = [*_ceilings(report), *map(_case, report.get("cases", [])), *_losses(report)]
    for reference in report.get("references", []):
        if reference.get("measured") is not None and reference.get("ratio"):
            lines.append(f"  {reference['id']}: {reference['measured']:.4g} {reference.get('unit', '')}, "
                         f"{reference['ratio']:.2f} x the published figure"
                         + ("" if reference.get("comparable") else f" (not comparable: {reference.get('why_not')})"))
    return lines


def page(results, facts):
    """`results`: (step, state, seconds, words)."""
    lines = [*facts, ""]
    for step, state, seconds, words in results:
        lines.append(f"{state:8} {seconds:6.1f} s  {step.kind:9} {step.name}" + (f": {words}" if words else ""))
    for step, _, _, _ in results:
        if step.report and os.path.exists(step.report):
            lines += ["", step.name, *report_lines(step.report)]
    return "\n".join(lines) + "\n"
