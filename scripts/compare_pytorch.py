#!/usr/bin/env python3
"""A training step of bench against the same step of PyTorch on this machine's CPU, in interleaved rounds.

  scripts/compare_pytorch.py [--bench build/release/bin/bench] [--model gpt2-124m,seq=256] [--micro-batch 4]
                             [--dtype f32|bf16] [--rounds 5] [--torch eager,compiled]

Needs PyTorch (pip install torch), and for torch.compile a C++ compiler. Each round takes a few steps of one and then of
the others; the ratio is formed inside the round, so that a machine whose speed drifts does not decide it. Prints every
round and the median ratio (above one: bench is faster). PyTorch computes with scaled_dot_product_attention, fused
AdamW, autocast in bf16 and as many threads as bench, eagerly and through torch.compile: the faster of a round counts.
"""
import argparse
import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time

PRESETS = {"gpt2-124m": (12, 768, 12, 1024, 50257), "gpt2-345m": (24, 1024, 16, 1024, 50257),
           "megatron-mini-mp1": (5, 192, 8, 128, 6282)}


def shape_of(model):
    """As bench reads it: a preset with changes, or all five numbers."""
    parts = model.split(",")
    shape = dict(zip(("layers", "hidden", "heads", "seq", "vocab"), PRESETS[parts.pop(0)])) if "=" not in parts[0] else {}
    shape.update({key: int(value) for key, value in (part.split("=") for part in parts)})
    return shape


def make_torch_steps(shape, batch, threads, dtype, ways):
    """A step function for each way that works here, by name."""
    import torch
    from torch import nn
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    h, heads, seq, vocab = shape["hidden"], shape["heads"], shape["seq"], shape["vocab"]
    padded = (vocab + 127) // 128 * 128

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(h), nn.LayerNorm(h)
            self.qkv, self.proj = nn.Linear(h, 3 * h), nn.Linear(h, h)
            self.fc, self.out = nn.Linear(h, 4 * h), nn.Linear(4 * h, h)

        def forward(self, x):
            b, s, _ = x.shape
            q, k, v = (t.view(b, s, heads, -1).transpose(1, 2) for t in self.qkv(self.ln_1(x)).split(h, dim=2))
            a = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(a.transpose(1, 2).reshape(b, s, h))
            return x + self.out(nn.functional.gelu(self.fc(self.ln_2(x)), approximate="tanh"))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte, self.wpe = nn.Embedding(padded, h), nn.Embedding(seq, h)
            self.blocks = nn.ModuleList(Block() for _ in range(shape["layers"]))
            self.ln_f = nn.LayerNorm(h)

        def forward(self, tokens, targets):
            x = self.wte(tokens) + self.wpe.weight
            for block in self.blocks:
                x = block(x)
            logits = self.ln_f(x) @ self.wte.weight.T
            return nn.functional.cross_entropy(logits.view(-1, padded), targets.reshape(-1))

    model = Model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    tokens = torch.randint(0, vocab, (batch, seq + 1))

    def step(module):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16) if dtype == "bf16" else contextlib.nullcontext():
            loss = module(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    modules, steps = {"eager": model, "compiled": torch.compile(model)}, {}
    for way in ways:
        try:
            step(modules[way])  # compiles, and touches memory for the first time
            steps[way] = lambda module=modules[way]: step(module)
        except Exception as error:  # whatever a compiler throws
            print(f"PyTorch {way} does not run here: {str(error).strip().splitlines()[0]}", flush=True)
    return steps, torch.__version__


def torch_seconds(step, steps):
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def bench_seconds(options, folder):
    suite, out = os.path.join(folder, "step.json"), os.path.join(folder, "report.json")
    with open(suite, "w") as file:
        json.dump({"name": "step", "ceilings": False, "entries": [{"plugin": "train"}]}, file)
    subprocess.run([options.bench, "--suite", suite, "--model", options.model, "--micro-batch", str(options.micro_batch),
                    "--dtype", options.dtype, "--steps", str(options.steps + 1), "--repetitions", "1", "--quiet",
                    "--out", out], check=True)
    with open(out) as file:
        case = json.load(file)["cases"][0]
    return statistics.median(case["samples_s"][1:])  # the first touches its memory for the first time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=os.path.join(os.path.dirname(__file__), "..", "build", "release", "bin", "bench"))
    parser.add_argument("--model", default="gpt2-124m,seq=256")
    parser.add_argument("--micro-batch", type=int, default=4)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--torch", default="eager,compiled", help="ways of PyTorch to compare with (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    threads = len(os.sched_getaffinity(0))
    steps, version = make_torch_steps(shape_of(options.model), options.micro_batch, threads, options.dtype,
                                      options.torch.split(","))
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for index in range(options.rounds):
            ours = bench_seconds(options, folder)
            theirs = {way: torch_seconds(step, options.steps) for way, step in steps.items()}
            ratios.append(min(theirs.values()) / ours)
            each = ", ".join(f"PyTorch {way} {seconds:.3f} s" for way, seconds in theirs.items())
            print(f"round {index + 1}: bench {ours:.3f} s, {each}, ratio {ratios[-1]:.3f}", flush=True)
    print(f"PyTorch {version}, {threads} threads, {options.model}, {options.dtype}, micro-batch {options.micro_batch}: "
          f"median ratio {statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f}) over {len(ratios)} rounds")


if __name__ == "__main__":
    main()
