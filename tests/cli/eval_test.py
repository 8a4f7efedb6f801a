"""Perplexity of a file of tokens, alone and over ranks."""
import array
import math
import unittest

from harness import Case, DONE, TINY, USAGE

QUICK = ["--time-budget", "1", "--repetitions", "1", "--quiet", "--device", "cpu"]


class Eval(Case):
    def setUp(self):
        super().setUp()
        with open(self.path("tokens.bin"), "wb") as file:
            array.array("H", [(7 * i * i + i // 3) % 300 for i in range(101)]).tofile(file)

    def evaluate(self, *args, ranks=0):
        self.expect(DONE, "--suite", "eval", "--model", TINY, "--data", self.path("tokens.bin"), *QUICK, *args,
                    "--out", self.path("e.json"), ranks=ranks)
        self.expect(DONE, "validate", self.path("e.json"))
        [case] = [c for c in self.report("e.json")["cases"] if c["plugin"] == "train"]
        self.assertEqual((case["outcome"], case["verify"]["status"]), ("measured", "passed"), case)
        return case

    def test_perplexity(self):
        case = self.evaluate()
        values = {k: v["value"] for k, v in case["values"].items()}
        self.assertEqual(case["name"], "gpt2.eval.l2-h48-a4-s16-v300")
        self.assertEqual((values["eval.targets"], values["eval.windows"]), (100, 7))
        self.assertAlmostEqual(values["eval.perplexity"], math.exp(values["eval.loss"]), places=6)
        # Untrained: about as good as chance over 300 tokens.
        self.assertLess(abs(values["eval.loss"] / math.log(300) - 1), 0.1)
        strided = {k: v["value"] for k, v in self.evaluate("--stride", "4")["values"].items()}
        self.assertEqual((strided["eval.targets"], strided["eval.windows"]), (100, 22))
        self.assertNotEqual(strided["eval.loss"], values["eval.loss"])

    def test_ranks_agree_with_one(self):
        one = self.evaluate("--stride", "8")["values"]["eval.loss"]["value"]
        for layout in (["--tp", "2"], ["--dp", "2"], ["--pp", "2"]):
            many = self.evaluate("--stride", "8", *layout, ranks=2)["values"]["eval.loss"]["value"]
            self.assertLess(abs(many / one - 1), 2e-6, layout)

    def test_trained_weights_are_saved_and_better(self):
        self.expect(DONE, "--suite", "train", "--model", TINY, "--data", self.path("tokens.bin"), *QUICK, "--steps", "12", "--lr", "0.003",
                    "--save-weights", self.path("w.safetensors"), "--zero", "1", "--out", self.path("t.json"), ranks=2)
        [case] = [c for c in self.report("t.json")["cases"] if c["plugin"] == "train"]
        self.assertGreater(case["values"]["weights.optimizer_steps"]["value"], 11)
        before = self.evaluate()["values"]["eval.loss"]["value"]
        after = self.evaluate("--weights", self.path("w.safetensors"))["values"]["eval.loss"]["value"]
        self.assertLess(after, before - 0.1)
        self.expect(USAGE, "--suite", "train", "--model", TINY, *QUICK, "--steps", "2", "--save-weights", self.path("no/such/w.safetensors"),
                    "--out", self.path("u.json"), says=["no/such/w.safetensors", "cannot be written"])

    def test_bad_words(self):
        self.expect(USAGE, "--suite", "eval", "--model", TINY, says=["--data FILE"])
        self.expect(USAGE, "--suite", "eval", "--model", TINY, "--data", self.path("tokens.bin"), "--stride", "17",
                    says=["stride 17", "16 tokens"])
        self.expect(USAGE, "--suite", "train", "--model", TINY, "--stride", "4", says=["--stride", "eval"])
        self.expect(USAGE, "--suite", "eval", "--model", TINY, "--data", self.path("tokens.bin"), "--save-weights", self.path("w"),
                    says=["--save-weights", "0 cases"])
        self.expect(USAGE, "--suite", "scaling", "--save-weights", self.path("w"), ranks=2, says=["--save-weights"])
        self.expect(DONE, "list")


if __name__ == "__main__":
    unittest.main()
