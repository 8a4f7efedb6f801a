#!/usr/bin/env python3
"""Makes kernels_bfloat16.json beside this script: how far PyTorch's own ops are from the exact result in bfloat16.

    python3 tests/golden/make_kernel_goldens.py     (needs torch, numpy)

Inputs come from a counter, so that a test can make the same ones and nothing but shapes and errors is stored: element i
of input `seed` is the upper half of a 32-bit hash of both, as a number in [-1, 1), rounded to bfloat16. The error of an
output is max|got - exact| / max|exact| (kernels/rounding.h), exact being the same op in double on the rounded inputs.
"""

import json
import pathlib

import numpy as np
import torch

f = torch.nn.functional


def counter_values(seed, *shape):
    """See tests/kernels/test_pytorch.cpp; the hash ends as MurmurHash3 does (Appleby 2011, public domain)."""
    with np.errstate(over="ignore"):
        x = np.arange(np.prod(shape), dtype=np.uint32) * np.uint32(2654435761) + np.uint32(seed) * np.uint32(0x9E3779B9)
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return torch.from_numpy((x >> np.uint32(16)).astype(np.float32) / 32768 - 1).reshape(shape).bfloat16()


def split_qkv(qkv, s):
    """[batch*seq, heads, 3, d] -> q, k, v, each [batch, heads, seq, d]."""
    return qkv.view(s["batch"], s["seq"], s["heads"], 3, s["d"]).permute(3, 0, 2, 1, 4)


def attention(qkv, s):
    out = f.scaled_dot_product_attention(*split_qkv(qkv, s), is_causal=True)
    return out.transpose(1, 2).reshape(s["batch"] * s["seq"], s["heads"] * s["d"])


def layer_norm(x, gamma, beta):
    return f.layer_norm(x, (x.shape[-1],), gamma, beta)


# Each case: shape, inputs by name in the order of their seeds 1, 2, …, the op, and the names of its outputs' gradients
# (by input; None: not looked at). The gradient that comes in has the seed after the inputs'.
def cases():
    n, h = 17, 127
    yield "layer_norm", dict(n=n, h=h), {"x": (n, h), "gamma": (h,), "beta": (h,)}, \
        lambda x, gamma, beta: layer_norm(x, gamma, beta), ("dx", "d_gamma", "d_beta")
    yield "residual_norm", dict(n=n, h=h), {"x": (n, h), "residual": (n, h), "gamma": (h,), "beta": (h,)}, \
        lambda x, residual, gamma, beta: layer_norm(x + residual, gamma, beta), (None, None, None, None)
    yield "bias_gelu", dict(n=n, cols=h), {"x": (n, h), "bias": (h,)}, \
        lambda x, bias: f.gelu(x + bias, approximate="tanh"), ("dx", "d_bias")
    n, i, o = 33, 129, 65
    yield "linear", {"n": n, "in": i, "out": o}, {"x": (n, i), "w": (o, i), "bias": (o,)}, \
        lambda x, w, bias: f.linear(x, w, bias), ("dx", "dw", "d_bias")
    s = dict(batch=2, seq=129, heads=3, d=17)
    yield "attention", s, {"qkv": (s["batch"] * s["seq"], s["heads"] * 3 * s["d"])}, \
        lambda qkv: attention(qkv, s), ("d_qkv",)


def cross_entropy(dtype, n, cols):
    """Loss of each row, and the gradient of their mean. Targets: the row's number times seven."""
    logits = counter_values(1, n, cols).to(dtype).requires_grad_()
    loss = f.cross_entropy(logits, torch.arange(n) * 7 % cols, reduction="none")
    (loss.sum() / n).backward()
    return {"loss": loss, "d_logits": logits.grad}


def run(dtype, shapes, op, gradients):
    inputs = [counter_values(seed, *shape).to(dtype).requires_grad_()
              for seed, shape in enumerate(shapes.values(), start=1)]
    y = op(*inputs)
    y.backward(counter_values(len(inputs) + 1, *y.shape).to(dtype))
    return {"y": y} | {name: x.grad for name, x in zip(gradients, inputs) if name}


def errors_of(got, exact):
    def error(name):
        difference = got[name].detach().double() - exact[name].detach()
        return difference.abs().max().item() / exact[name].abs().max().item()
    return {name: float(f"{error(name):.4g}") for name in exact}


def main():
    done = []
    for name, shape, inputs, op, gradients in cases():
        errors = errors_of(*(run(t, inputs, op, gradients) for t in (torch.bfloat16, torch.float64)))
        done.append({"op": name, "shape": shape, "errors": errors})
    shape = dict(n=9, cols=1023)
    errors = errors_of(*(cross_entropy(t, **shape) for t in (torch.bfloat16, torch.float64)))
    done.append({"op": "cross_entropy", "shape": shape, "errors": errors})
    out = {"cases": done, "made_with": {"torch": torch.__version__, "numpy": np.__version__}}
    (pathlib.Path(__file__).parent / "kernels_bfloat16.json").write_text(json.dumps(out, indent=2) + "\n")
    for case in done:
        print(case["op"], case["shape"], case["errors"])


if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    main()
