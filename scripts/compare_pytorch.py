#!/usr/bin/env python3
"""A training step of bench against the same step of PyTorch on this machine, in interleaved rounds.

  scripts/compare_pytorch.py [--bench build/release/bin/bench] [--device cpu|cuda] [--model gpt2-124m,seq=256]
                             [--micro-batch 4] [--dtype f32|bf16] [--rounds 5] [--torch eager,compiled]

Needs PyTorch (pip install torch), and for torch.compile a C++ compiler. Each round takes a few steps of one and then of
the others; the ratio is formed inside the round, so that a machine whose speed drifts does not decide it. Prints every
round and the median ratio (above one: bench is faster). PyTorch computes with scaled_dot_product_attention, fused
AdamW, autocast in bf16 and on the CPU as many threads as bench: eagerly, through torch.compile, or with the blocks
compiled one by one (`blocks`, for deep models). The fastest of a round counts.
"""
import argparse
import os
import statistics
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import bench_run, torch_gpt2  # noqa: E402  pylint: disable=wrong-import-position


def bench_seconds(options):
    suite = {"name": "step", "ceilings": False, "entries": [{"plugin": "train"}]}
    case = bench_run.cases(options.bench, suite, [
        "--device", options.device, "--model", options.model, "--micro-batch", str(options.micro_batch),
        "--dtype", options.dtype, "--steps", str(options.steps + 1), "--repetitions", "1", *options.option])[0]
    if case["outcome"] != "measured":
        sys.exit(f"{case['name']}: {case['outcome']}: {case['reason']}")
    return statistics.median(case["samples_s"][1:])  # the first touches its memory for the first time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=bench_run.DEFAULT)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--model", default="gpt2-124m,seq=256")
    parser.add_argument("--micro-batch", type=int, default=4)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--torch", default="eager,compiled", help="ways of PyTorch to compare with (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--option", action="append", default=[], help="a further argument for bench, e.g. --option=--tp=1")
    options = parser.parse_args()
    threads = len(os.sched_getaffinity(0))
    steps = torch_gpt2.make_steps(torch_gpt2.shape_of(options.model), options.micro_batch, threads, options.dtype,
                                  options.device, options.torch.split(","))
    if not steps:
        sys.exit("no way of PyTorch runs here; see above")
    ratios = []
    for index in range(options.rounds):
        ours = bench_seconds(options)
        theirs = {way: torch_gpt2.seconds(step, options.steps, options.device) for way, step in steps.items()}
        ratios.append(min(theirs.values()) / ours)
        each = ", ".join(f"PyTorch {way} {seconds:.4f} s" for way, seconds in theirs.items())
        print(f"round {index + 1}: bench {ours:.4f} s, {each}, ratio {ratios[-1]:.3f}", flush=True)
    import torch
    place = torch.cuda.get_device_name() if options.device == "cuda" else f"{threads} threads"
    print(f"PyTorch {torch.__version__}, {place}, {options.model}, {options.dtype}, micro-batch {options.micro_batch}: "
          f"median ratio {statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f}) over {len(ratios)} rounds")


if __name__ == "__main__":
    main()
