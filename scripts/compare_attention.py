#!/usr/bin/env python3
"""Causal attention of bench against PyTorch's scaled_dot_product_attention on this GPU, in interleaved rounds.

  scripts/compare_attention.py [--bench build/release/bin/bench] [--variant flash] [--seq 1024,2048] [--d 64,96,128]
                               [--tokens 16384] [--hidden 2048] [--rounds 3]

Needs PyTorch. Every round times forward and backward of both at each sequence length and head size, with as many
sequences as make --tokens tokens and as many heads as make --hidden columns; PyTorch with each of its backends, of
which the fastest counts. Prints the median ratio over rounds (above one: bench is faster).
"""
import argparse
import os
import statistics
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import bench_run  # noqa: E402  pylint: disable=wrong-import-position

PASSES = ("fwd", "bwd")


def torch_times(batch, heads, seq, d):
    """Seconds of forward and backward by the fastest backend, as CUDA events see them."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention
    shape = (batch, seq, 3, heads, d)
    qkv = torch.randn(shape, device="cuda", dtype=torch.bfloat16)
    q, k, v = (qkv[:, :, i].transpose(1, 2).detach().requires_grad_() for i in range(3))
    best = {}
    for backend in (SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION):
        try:
            with sdpa_kernel(backend):
                out = scaled_dot_product_attention(q, k, v, is_causal=True)
                d_out = torch.randn_like(out)
                ways = {"fwd": lambda: scaled_dot_product_attention(q, k, v, is_causal=True),
                        "bwd": lambda: torch.autograd.grad(out, (q, k, v), d_out, retain_graph=True)}
                for way, call in ways.items():
                    best[way] = min(best.get(way, float("inf")), _event_seconds(call))
        except RuntimeError:
            continue  # this backend does not take this shape
    return best


def _event_seconds(call, count=20):
    import torch
    for _ in range(3):
        call()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(count):
        call()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) * 1e-3 / count


def bench_times(options, batch, heads, seq, d):
    suite = {"name": "attention", "ceilings": False, "entries": [{"plugin": "kernels"}]}
    arguments = ["--device", "cuda", "--dtype", "bf16", "--filter", r"layer\.attention\.", "--mode", "hot",
                 "--variant", f"attention={options.variant}", "--repetitions", "1", "--time-budget", "0.6"]
    for key, value in {"batch": batch, "heads": heads, "seq": seq, "d": d}.items():
        arguments += ["--axis", f"{key}={value}"]
    found = {}
    for case in bench_run.cases(options.bench, suite, arguments):
        way = case["name"].rsplit(".", 1)[-1]
        if case["outcome"] != "measured":
            sys.exit(f"{case['name']}: {case['outcome']}: {case['reason']}")
        found[way] = case["time_s"]["median"]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=bench_run.DEFAULT)
    parser.add_argument("--variant", default="flash")
    parser.add_argument("--seq", default="1024,2048,4096,8192")
    parser.add_argument("--d", default="64,96,128")
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--hidden", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    shapes = [(options.tokens // seq, options.hidden // d, seq, d)
              for seq in map(int, options.seq.split(",")) for d in map(int, options.d.split(","))]
    if any(0 in shape for shape in shapes):
        sys.exit("--tokens holds at least one sequence, and --hidden one head, of each size asked for")
    ratios = {}
    for _ in range(options.rounds):
        for shape in shapes:
            ours, theirs = bench_times(options, *shape), torch_times(*shape)
            for way in PASSES:
                if way not in theirs:
                    print(f"PyTorch has no {way} for batch, heads, seq, d = {shape}")
                    continue
                ratios.setdefault((shape, way), []).append((theirs[way] / ours[way], ours[way], theirs[way]))
    for ((batch, heads, seq, d), way), rounds in ratios.items():
        ratio, ours, theirs = (statistics.median(column) for column in zip(*rounds))
        products = 2 if way == "fwd" else 5
        flops = products * batch * heads * d * seq * (seq + 1)
        print(f"s {seq:5} d {d:3} batch {batch:3} heads {heads:3} {way}: bench {ours * 1e6:8.1f} us "
              f"({flops / ours / 1e12:4.0f} TFLOP/s), PyTorch {theirs * 1e6:8.1f} us, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
