"""Data and weights files that cannot be used: named, with the place and the remedy, exit code 3."""
import json
import struct
import unittest

from harness import Case, DONE, FAILED, USAGE

SHORT = ["--micro-batch", "2", "--steps", "2", "--quiet", "--repetitions", "1",
         "--time-budget", "0.2"]


def safetensors(tensors):
    """A file of f32 zeros: name -> shape."""
    header, offset = {}, 0
    for name, shape in tensors.items():
        size = 4
        for n in shape:
            size *= n
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(offset)


def gpt2_shapes(layers=2, h=48, seq=16, vocab=300):
    shapes = {"wte.weight": [vocab, h], "wpe.weight": [seq, h], "ln_f.weight": [h], "ln_f.bias": [h]}
    for n in range(layers):
        shapes |= {f"h.{n}.{norm}.{part}": [h] for norm in ("ln_1", "ln_2") for part in ("weight", "bias")}
        for name, rows, cols in (("attn.c_attn", h, 3 * h), ("attn.c_proj", h, h), ("mlp.c_fc", h, 4 * h), ("mlp.c_proj", 4 * h, h)):
            shapes |= {f"h.{n}.{name}.weight": [rows, cols], f"h.{n}.{name}.bias": [cols]}
    return shapes


class Data(Case):
    def refuse(self, file, *says):
        self.expect(USAGE, *self.train_alone(), *SHORT, "--data", file, says=[file, *says])

    def test_bad_data(self):
        self.refuse(self.path("missing.txt"))
        self.refuse(self.write("empty.txt", b""), "empty")
        self.refuse(self.write("odd.bin", b"\1\0\2\0\3"))
        self.refuse(self.write("big.bin", struct.pack("<6H", 1, 2, 3, 4, 65000, 5)), "65000", "300")
        llmc = struct.pack("<256i", 20240520, 1, 1000, *([0] * 253)) + struct.pack("<4H", 1, 2, 3, 4)
        self.refuse(self.write("short.bin", llmc), "1000")

    def test_bad_data_on_all_ranks_ends_all(self):
        self.expect(USAGE, *self.train_alone(), *SHORT, "--data", self.path("missing.txt"), ranks=2, says=["missing.txt"])

    def test_good_data_of_every_kind(self):
        text = self.write("some.txt", "the quick brown fox jumps over the lazy dog. " * 20)
        raw = self.write("raw.bin", struct.pack("<200H", *(i % 300 for i in range(200))))
        for file in (text, raw):
            self.expect(DONE, *self.train_alone(), *SHORT, "--data", file, "--out", self.path("out.json"))
            run = self.report("out.json")["training"][0]
            self.assertEqual(len(run["losses"]), 2)

    def test_loss_falls_on_text(self):
        text = self.write("some.txt", "she sells sea shells by the sea shore. " * 40)
        self.expect(DONE, *self.train_alone(), "--micro-batch", "4", "--steps", "60", "--lr", "0.003", "--quiet",
                    "--repetitions", "1", "--time-budget", "0.2", "--data", text, "--out", self.path("out.json"))
        losses = self.report("out.json")["training"][0]["losses"]
        self.assertEqual(len(losses), 60)
        self.assertLess(losses[-1], 0.7 * losses[0])


class Weights(Case):
    def refuse(self, file, *says):
        self.expect(USAGE, *self.train_alone(), *SHORT, "--weights", file, says=[file, *says])

    def test_bad_weights(self):
        whole = safetensors(gpt2_shapes())
        self.refuse(self.path("missing.safetensors"))
        self.refuse(self.write("empty.safetensors", b""))
        self.refuse(self.write("truncated.safetensors", whole[:-100]))
        self.refuse(self.write("header.safetensors", struct.pack("<Q", 1 << 60) + b"{}"))
        self.refuse(self.write("text.safetensors", struct.pack("<Q", 4) + b"spam"))
        lacking = {k: v for k, v in gpt2_shapes().items() if k != "h.1.mlp.c_fc.bias"}
        self.refuse(self.write("lacking.safetensors", safetensors(lacking)), "h.1.mlp.c_fc.bias")
        self.refuse(self.write("narrow.safetensors", safetensors(gpt2_shapes(h=32))), "wte.weight")

    def test_good_weights(self):
        file = self.write("whole.safetensors", safetensors(gpt2_shapes()))
        self.expect(DONE, *self.train_alone(), *SHORT, "--weights", file, "--out", self.path("out.json"))
        # All logits are equal, so the loss is the logarithm of the true vocabulary: the padding takes no part.
        self.assertAlmostEqual(self.report("out.json")["training"][0]["losses"][0], 5.703782474656201, places=5)

    def test_a_loss_that_is_not_finite_is_wrong(self):
        data = bytearray(safetensors(gpt2_shapes()))
        data[-4:] = struct.pack("<f", float("nan"))
        file = self.write("nan.safetensors", bytes(data))
        self.expect(FAILED, *self.train_alone(), *SHORT, "--weights", file, "--out", self.path("out.json"))
        case = [c for c in self.report("out.json")["cases"] if c["plugin"] == "train"][0]
        self.assertEqual(case["outcome"], "wrong")
        self.assertIn("finite", case["reason"])
        self.assertIsNone(case.get("time_s"))


if __name__ == "__main__":
    unittest.main()
