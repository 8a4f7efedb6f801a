"""A GPT-2 training step in PyTorch: what a user would write, with the library's best parts."""
import contextlib
import time

# layers, hidden, heads, seq, vocab
PRESETS = {"gpt2-124m": (12, 768, 12, 1024, 50257), "gpt2-345m": (24, 1024, 16, 1024, 50257),
           "gpt2-774m": (36, 1280, 20, 1024, 50257), "gpt2-1558m": (48, 1600, 25, 1024, 50257),
           "megatron-1.2b": (40, 1536, 16, 1024, 50257), "megatron-mini-mp1": (5, 192, 8, 128, 6282)}


def shape_of(model):
    """As bench reads it: a preset with changes, or all five numbers."""
    parts = model.split(",")
    shape = dict(zip(("layers", "hidden", "heads", "seq", "vocab"), PRESETS[parts.pop(0)])) if "=" not in parts[0] else {}
    shape.update({key: int(value) for key, value in (part.split("=") for part in parts)})
    return shape


def make_model(shape, device):
    import torch
    from torch import nn
    h, heads, seq = shape["hidden"], shape["heads"], shape["seq"]
    padded = (shape["vocab"] + 127) // 128 * 128

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

    torch.manual_seed(1)
    return Model().to(device)


def _compiled_blocks(model):
    """A deep model's blocks compiled one by one: the same kernels after a fraction of the compiler's time."""
    for block in model.blocks:
        block.compile()
    return model


def make_steps(shape, batch, threads, dtype, device, ways):
    """A step function for each way that works here, by name: eager, compiled, blocks."""
    import torch
    if "blocks" in ways and len(ways) > 1:
        raise SystemExit("--torch blocks compiles the model's own blocks, so no other way is left as it was: give it alone")
    if device == "cpu":
        torch.set_num_threads(threads)
    make = {"eager": lambda model: model, "compiled": torch.compile, "blocks": _compiled_blocks}
    tokens = torch.randint(0, shape["vocab"], (batch, shape["seq"] + 1), device=device)
    narrow = torch.autocast(device, dtype=torch.bfloat16) if dtype == "bf16" else contextlib.nullcontext()
    model = make_model(shape, device)  # one for all ways: a large one exists once
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)

    def step(module):
        optimizer.zero_grad(set_to_none=True)
        with narrow:
            loss = module(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    steps = {}
    for way in ways:
        module = make[way](model)
        try:
            step(module)  # compiles, and touches memory for the first time
            steps[way] = lambda module=module: step(module)
        except Exception as error:  # pylint: disable=broad-exception-caught  # whatever a compiler throws
            print(f"PyTorch {way} does not run here: {str(error).strip().splitlines()[0]}", flush=True)
    return steps


def seconds(step, count, device):
    """Of one of `count` steps: on a GPU they follow each other without waiting, as in a training loop."""
    import torch
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    for _ in range(count):
        step()
    wait()
    return (time.perf_counter() - start) / count
