#!/usr/bin/env python3
"""A training step of bench against the same step of PyTorch on this machine's CPU, in interleaved rounds.

  scripts/compare_pytorch.py [--bench build/release/bin/bench] [--model gpt2-124m,seq=256] [--micro-batch 4] [--rounds 5]

Needs PyTorch (pip install torch). Each round takes a few steps of one and then of the other; the ratio is formed inside
the round, so that a machine whose speed drifts does not decide it. Prints every round and the median ratio (above one:
bench is faster). PyTorch runs eagerly with scaled_dot_product_attention, fused AdamW and as many threads as bench.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

PRESETS = {"gpt2-124m": (12, 768, 12, 1024, 50257), "gpt2-345m": (24, 1024, 16, 1024, 50257),
           "megatron-mini-mp1": (5, 192, 8, 128, 6282)}


def shape_of(model):
    name, *changes = model.split(",")
    shape = dict(zip(("layers", "hidden", "heads", "seq", "vocab"), PRESETS[name]))
    shape.update({key: int(value) for key, value in (change.split("=") for change in changes)})
    return shape


def make_torch_step(shape, batch, threads):
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

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = model(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step, torch.__version__


def torch_seconds(step, steps):
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def bench_seconds(bench, model, batch, steps, folder):
    suite, out = os.path.join(folder, "step.json"), os.path.join(folder, "report.json")
    with open(suite, "w") as file:
        json.dump({"name": "step", "ceilings": False, "entries": [{"plugin": "train"}]}, file)
    subprocess.run([bench, "--suite", suite, "--model", model, "--micro-batch", str(batch), "--steps", str(steps + 1),
                    "--repetitions", "1", "--quiet", "--out", out], check=True)
    with open(out) as file:
        case = json.load(file)["cases"][0]
    return statistics.median(case["samples_s"][1:])  # the first touches its memory for the first time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=os.path.join(os.path.dirname(__file__), "..", "build", "release", "bin", "bench"))
    parser.add_argument("--model", default="gpt2-124m,seq=256")
    parser.add_argument("--micro-batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    threads = len(os.sched_getaffinity(0))
    step, version = make_torch_step(shape_of(options.model), options.micro_batch, threads)
    torch_seconds(step, 1)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for index in range(options.rounds):
            ours = bench_seconds(options.bench, options.model, options.micro_batch, options.steps, folder)
            theirs = torch_seconds(step, options.steps)
            ratios.append(theirs / ours)
            print(f"round {index + 1}: bench {ours:.3f} s, PyTorch {theirs:.3f} s, ratio {ratios[-1]:.3f}", flush=True)
    print(f"PyTorch {version}, {threads} threads, {options.model}, micro-batch {options.micro_batch}: median ratio "
          f"{statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f}) over {len(ratios)} rounds")


if __name__ == "__main__":
    main()
