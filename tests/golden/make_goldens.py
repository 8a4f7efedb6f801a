#!/usr/bin/env python3
"""Makes the golden files beside this script: GPT-2 training steps computed by PyTorch.

    python3 tests/golden/make_goldens.py [exact] [bfloat16]   (needs torch, numpy, safetensors; transformers is optional)

Each folder holds one model of an odd shape: weights in Hugging Face's names and layout, tokens as raw uint16,
the gradients of the first step, the weights after ten AdamW steps, and expected.json with the ten losses and
gradient norms. The arithmetic is in double on weights that float32 holds exactly, so that the files carry no
rounding of their own beyond float32 storage. Where transformers is installed, the model below is first held
against its GPT2LMHeadModel. expected.json records the versions the files were made with.

bfloat16.json holds how far PyTorch itself gets from that when it computes in bfloat16: with its own ops, weights rounded
from float32 ones which AdamW updates, loss from logits in float32. It is made from the files above.
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file

STEPS = 10
CASES = {
    "two_layers_three_heads": dict(
        layers=2, hidden=24, heads=3, seq=7, vocab=61, micro_batch=1, global_batch=3, tokens=101),
    "three_layers_five_heads": dict(
        layers=3, hidden=40, heads=5, seq=13, vocab=131, micro_batch=2, global_batch=4, tokens=389),
    "one_layer_two_heads": dict(
        layers=1, hidden=36, heads=2, seq=31, vocab=257, micro_batch=2, global_batch=2, tokens=1024),
}
LR, CLIP, DECAY = 1e-3, 1.0, 0.01
BFLOAT16_CASE, BFLOAT16_STEPS = "three_layers_five_heads", 50


def initial_weights(c, generator):
    """Larger than a real initialisation, biases included: every term of the gradient then shows."""
    h, l = c["hidden"], c["layers"]
    shapes = {"wte.weight": (c["vocab"], h), "wpe.weight": (c["seq"], h)}
    for i in range(l):
        shapes |= {
            f"h.{i}.ln_1.weight": (h,), f"h.{i}.ln_1.bias": (h,),
            f"h.{i}.attn.c_attn.weight": (h, 3 * h), f"h.{i}.attn.c_attn.bias": (3 * h,),
            f"h.{i}.attn.c_proj.weight": (h, h), f"h.{i}.attn.c_proj.bias": (h,),
            f"h.{i}.ln_2.weight": (h,), f"h.{i}.ln_2.bias": (h,),
            f"h.{i}.mlp.c_fc.weight": (h, 4 * h), f"h.{i}.mlp.c_fc.bias": (4 * h,),
            f"h.{i}.mlp.c_proj.weight": (4 * h, h), f"h.{i}.mlp.c_proj.bias": (h,),
        }
    shapes |= {"ln_f.weight": (h,), "ln_f.bias": (h,)}
    weights = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=generator, dtype=torch.float32) * 0.15
        weights[name] = values + 1 if name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight")) else values
    return weights


def norm(x, w, b):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * w + b


def gelu(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def logits(w, c, ids):
    batch, seq = ids.shape
    h, heads = c["hidden"], c["heads"]
    mask = torch.ones(seq, seq, dtype=torch.bool).tril()
    split = lambda t: t.view(batch, seq, heads, h // heads).transpose(1, 2)
    x = w["wte.weight"][ids] + w["wpe.weight"][:seq]
    for i in range(c["layers"]):
        p = lambda name: w[f"h.{i}.{name}"]
        y = norm(x, p("ln_1.weight"), p("ln_1.bias"))
        q, k, v = (y @ p("attn.c_attn.weight") + p("attn.c_attn.bias")).split(h, dim=-1)
        scores = split(q) @ split(k).transpose(-1, -2) / math.sqrt(h // heads)
        y = torch.softmax(scores.masked_fill(~mask, -math.inf), -1) @ split(v)
        y = y.transpose(1, 2).reshape(batch, seq, h)
        x = x + y @ p("attn.c_proj.weight") + p("attn.c_proj.bias")
        y = norm(x, p("ln_2.weight"), p("ln_2.bias"))
        y = gelu(y @ p("mlp.c_fc.weight") + p("mlp.c_fc.bias"))
        x = x + y @ p("mlp.c_proj.weight") + p("mlp.c_proj.bias")
    return norm(x, w["ln_f.weight"], w["ln_f.bias"]) @ w["wte.weight"].T


def batch_of(tokens, c, step):
    """Step k: batch*seq + 1 consecutive tokens from k*batch*seq, token i is tokens[i mod length]."""
    size = c["global_batch"] * c["seq"]
    part = tokens[(step * size + np.arange(size + 1)) % len(tokens)].astype(np.int64)
    shape = (c["global_batch"], c["seq"])
    return torch.from_numpy(part[:-1].reshape(shape)), torch.from_numpy(part[1:].reshape(shape))


def check_against_transformers(w, c, ids):
    try:
        import transformers
    except ImportError:
        return None
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=c["vocab"], n_positions=c["seq"], n_embd=c["hidden"], n_layer=c["layers"],
        n_head=c["heads"], resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)).double().eval()
    missing, unexpected = model.transformer.load_state_dict(w, strict=False)
    assert not missing and not unexpected, (missing, unexpected)
    with torch.no_grad():
        difference = (model(ids).logits - logits(w, c, ids)).abs().max().item()
    assert difference < 1e-10, difference
    return transformers.__version__


def adamw(w):
    return torch.optim.AdamW(
        [{"params": [v for v in w.values() if v.dim() == 2], "weight_decay": DECAY},
         {"params": [v for v in w.values() if v.dim() == 1], "weight_decay": 0.0}],
        lr=LR, betas=(0.9, 0.999), eps=1e-8)


def library_logits(w, c, ids):
    """The same with PyTorch's own ops, in the type of the weights."""
    f = torch.nn.functional
    batch, seq = ids.shape
    h, heads = c["hidden"], c["heads"]
    split = lambda t: t.view(batch, seq, heads, h // heads).transpose(1, 2)
    linear = lambda x, name: f.linear(x, w[name + ".weight"].T, w[name + ".bias"])
    norm_of = lambda x, name: f.layer_norm(x, (h,), w[name + ".weight"], w[name + ".bias"])
    x = w["wte.weight"][ids] + w["wpe.weight"][:seq]
    for i in range(c["layers"]):
        q, k, v = (split(t) for t in linear(norm_of(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn").split(h, dim=-1))
        y = f.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(batch, seq, h)
        x = x + linear(y, f"h.{i}.attn.c_proj")
        y = f.gelu(linear(norm_of(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc"), approximate="tanh")
        x = x + linear(y, f"h.{i}.mlp.c_proj")
    return norm_of(x, "ln_f") @ w["wte.weight"].T


def steps_in(dtype, start, tokens, c, model):
    """Losses of all steps and gradients of the first; AdamW in the type of `start`, the model in `dtype`."""
    w = {k: v.clone().requires_grad_() for k, v in start.items()}
    optimizer, losses, first = adamw(w), [], None
    for step in range(BFLOAT16_STEPS):
        inputs, targets = batch_of(tokens, c, step)
        rounded = {k: v.to(dtype) for k, v in w.items()}
        wide = model(rounded, c, inputs).to(next(iter(w.values())).dtype)
        loss = torch.nn.functional.cross_entropy(wide.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        first = first or {k: v.grad.clone() for k, v in w.items()}
        torch.nn.utils.clip_grad_norm_(list(w.values()), CLIP)
        optimizer.step()
        losses.append(loss.item())
    return losses, first


def without_key_bias(name, gradient, h):
    """The key bias has no gradient but rounding. Columns are [3, heads, d]."""
    return torch.cat([gradient[:h], gradient[2 * h:]]) if name.endswith("attn.c_attn.bias") else gradient


def make_bfloat16(name, c):
    folder = pathlib.Path(__file__).parent / name
    start = load_file(folder / "weights.safetensors")
    tokens = np.frombuffer((folder / "tokens.bin").read_bytes(), dtype="<u2")
    exact, wanted = steps_in(torch.float64, {k: v.double() for k, v in start.items()}, tokens, c, logits)
    rounded, got = steps_in(torch.bfloat16, start, tokens, c, library_logits)
    errors = {}
    for key, want in wanted.items():
        want, have = without_key_bias(key, want, c["hidden"]), without_key_bias(key, got[key], c["hidden"])
        errors[key] = float(f"{(have.double() - want).norm().item() / want.norm().item():.4g}")
    (folder / "bfloat16.json").write_text(json.dumps({
        "exact_losses": exact, "torch_bfloat16_losses": rounded, "torch_bfloat16_gradient_errors": errors,
        "made_with": {"torch": torch.__version__, "numpy": np.__version__},
    }, indent=2) + "\n")
    rms = math.sqrt(sum((a - b) ** 2 for a, b in zip(rounded, exact)) / len(exact))
    print(name, f"bfloat16 losses off by {rms:.2e} (root mean square), gradients by {max(errors.values()):.2e} at most")


def make(name, c, seed):
    generator = torch.Generator().manual_seed(seed)
    start = initial_weights(c, generator)
    tokens = torch.randint(c["vocab"], (c["tokens"],), generator=generator).numpy().astype("<u2")
    w = {k: v.double().requires_grad_() for k, v in start.items()}
    hf = check_against_transformers({k: v.detach() for k, v in w.items()}, c, batch_of(tokens, c, 0)[0])
    optimizer = adamw(w)
    losses, norms, first = [], [], None
    for step in range(STEPS):
        inputs, targets = batch_of(tokens, c, step)
        loss = torch.nn.functional.cross_entropy(logits(w, c, inputs).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        first = first or {k: v.grad.float().contiguous() for k, v in w.items()}
        norms.append(torch.nn.utils.clip_grad_norm_(list(w.values()), CLIP).item())
        optimizer.step()
        losses.append(loss.item())

    folder = pathlib.Path(__file__).parent / name
    folder.mkdir(exist_ok=True)
    save_file(start, folder / "weights.safetensors")
    save_file(first, folder / "first_gradients.safetensors")
    save_file({k: v.detach().float().contiguous() for k, v in w.items()}, folder / "final_weights.safetensors")
    (folder / "tokens.bin").write_bytes(tokens.tobytes())
    expected = {
        "model": {k: c[k] for k in ("layers", "hidden", "heads", "seq", "vocab")},
        "micro_batch": c["micro_batch"], "global_batch": c["global_batch"], "lr": LR, "clip": CLIP,
        "weight_decay": DECAY, "losses": losses, "grad_norms": norms,
        "made_with": {"torch": torch.__version__, "numpy": np.__version__, "checked_against_transformers": hf},
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
    print(name, f"loss {losses[0]:.6f} -> {losses[-1]:.6f}, gradient norm {norms[0]:.4f}")


if __name__ == "__main__":
    wanted_parts = sys.argv[1:] or ["exact", "bfloat16"]
    torch.use_deterministic_algorithms(True)
    if "exact" in wanted_parts:
        for seed, (name, case) in enumerate(CASES.items(), start=1):
            make(name, case, seed)
    if "bfloat16" in wanted_parts:
        make_bfloat16(BFLOAT16_CASE, CASES[BFLOAT16_CASE])
