"""Layouts that fit into memory: listed, taken by `--layout auto`, and refused before anything is allocated."""
import json
import os
import unittest

from harness import Case, DONE, FAILED, TINY, USAGE

QUICK = ["--time-budget", "1", "--repetitions", "1", "--quiet"]
GIB = 1 << 30


class Plan(Case):
    def plan(self, *args, code=DONE):
        return json.loads(self.expect(code, "plan", "--device", "cpu", "--json", *args).stdout)["layouts"]

    def test_every_division_of_the_ranks_is_listed(self):
        layouts = self.plan("--model", "gpt2-124m", "--ranks", "12", "--memory", "400GiB")
        divisions = {(x["tp"], x["pp"], x["dp"]) for x in layouts}
        self.assertEqual(divisions, {(t, p, 12 // t // p) for t in (1, 2, 3, 4, 6, 12)
                                     for p in (1, 2, 3, 4, 6, 12) if 12 % (t * p) == 0})
        for x in layouts:
            self.assertTrue(x["fits"], x)
            self.assertEqual(sum(x["memory"].values()), x["memory_bytes"])
        # Nothing is split that need not be.
        self.assertEqual((layouts[0]["tp"], layouts[0]["pp"], layouts[0]["zero"]), (1, 1, 0))
        fixed = self.plan("--model", "gpt2-124m", "--ranks", "12", "--memory", "400GiB", "--tp", "3", "--zero", "1")
        self.assertEqual({(x["tp"], x["zero"]) for x in fixed}, {(3, 1)})

    def test_less_memory_asks_for_more_remedies(self):
        def best(gib):
            return self.plan("--model", "gpt2-345m", "--micro-batch", "1", "--ranks", "4", "--tp", "1", "--pp", "1",
                             "--memory", str(int(gib * GIB)))[0]
        plenty = best(100)
        self.assertEqual((plenty["zero"], plenty["recompute"]), (0, "none"))
        spread = best(plenty["memory_bytes"] / GIB - 0.1)
        self.assertEqual((spread["zero"], spread["recompute"]), (1, "none"))
        # A quarter of the moments on each of four data ranks.
        self.assertAlmostEqual(spread["memory"]["optimizer"] * 4 / plenty["memory"]["optimizer"], 1, places=3)
        self.assertEqual(spread["memory"]["gradients"], plenty["memory"]["gradients"])
        less = best(spread["memory_bytes"] / GIB - 0.01)
        self.assertNotEqual(less["recompute"], "none")
        self.assertLess(less["memory"]["activations"], spread["memory"]["activations"])

    def test_why_a_layout_does_not_fit(self):
        none = self.plan("--model", "gpt2-1558m", "--ranks", "2", "--memory", "1GiB", code=FAILED)
        reasons = {(x["tp"], x["pp"]): x["reason"] for x in none}
        self.assertIn("25 heads", reasons[2, 1])
        self.assertIn("has 1.00 GiB", reasons[1, 1])
        shown = self.expect(FAILED, "plan", "--model", "gpt2-1558m", "--ranks", "2", "--memory", "1GiB").stdout
        self.assertIn("no layout fits", shown)

    def test_ranks_of_a_host_share_its_memory(self):
        def has(*args):
            text = self.expect(FAILED, "plan", "--device", "cpu", "--model", "megatron-8.3b", "--pp", "1", "--tp", "1", *args).stdout
            return float(text.split("ranks with ")[1].split(" GiB")[0])
        self.assertAlmostEqual(has("--ranks", "1") / has("--ranks", "4"), 4, delta=0.1)
        self.assertAlmostEqual(has("--ranks", "1") / has("--ranks", "4", "--ranks-per-host", "2"), 2, delta=0.1)

    def test_bad_words(self):
        self.expect(USAGE, "plan", "--model", "gpt2-124m", says=["--ranks"])
        self.expect(USAGE, "plan", "--ranks", "0", says=["--ranks"])
        self.expect(USAGE, "plan", "--ranks", "4", "--memory", "lots", says=["--memory", "lots"])
        self.expect(USAGE, "plan", "--ranks", "4", "--tp", "3", says=["4 ranks"])
        self.expect(USAGE, "--suite", "scaling", "--layout", "auto", says=["--layout", "curves"])
        self.expect(USAGE, "--suite", "kernels", "--layout", "auto", says=["--layout", "trains"])
        self.expect(USAGE, "plan", "--ranks", "2", "--variant", "attention=flash,unfused", says=["one --variant"])
        self.expect(USAGE, "--suite", "train", "--layout", "best", says=["--layout", "auto"])

    def test_what_does_not_fit_is_refused(self):
        self.expect(USAGE, "--suite", "train", "--model", "megatron-8.3b", "--device", "cpu", "--out", self.path("x.json"),
                    says=["megatron-8.3b", "GiB a rank, which has", "bench plan", "--layers-slice"])
        self.assertFalse(os.path.exists(self.path("x.json")))

    def test_dry_run_shows_the_cases_and_measures_none(self):
        shown = self.expect(DONE, "--suite", "train", "--model", TINY, "--dry-run", "--out", self.path("x.json"), ranks=2)
        self.assertIn("gpt2.train.l2-h48-a4-s16-v300.tp1.dp2", shown.stdout)
        self.assertIn("MiB", shown.stdout)
        self.assertFalse(os.path.exists(self.path("x.json")))

    def test_auto_takes_the_best_layout(self):
        self.expect(DONE, "--suite", "train", "--model", TINY, "--layout", "auto", *QUICK, "--steps", "2",
                    "--out", self.path("a.json"), ranks=2)
        report = self.report("a.json")
        [case] = [c for c in report["cases"] if c["plugin"] == "train"]
        self.assertEqual((case["outcome"], case["layout"]["dp"]), ("measured", 2))
        self.assertTrue(any("--layout auto: tp 1 x pp 1 x dp 2" in n for n in report["run"]["notes"]), report["run"]["notes"])

    def test_a_slice_of_the_layers_is_named_so(self):
        self.expect(DONE, "--suite", "train", "--model", TINY, "--layers-slice", "1", *QUICK, "--steps", "2",
                    "--out", self.path("s.json"))
        [case] = [c for c in self.report("s.json")["cases"] if c["plugin"] == "train"]
        self.assertEqual((case["params"]["layers"], case["params"]["model"]), (1, "l2-h48-a4-s16-v300-slice1of2"))
        self.assertEqual(case["outcome"], "measured")
        self.expect(USAGE, "--suite", "train", "--model", TINY, "--layers-slice", "3", says=["--layers-slice 3", "2 layers"])
        self.expect(USAGE, "--suite", "train", "--model", TINY, "--layers-slice", "1", "--weights", "x.safetensors",
                    says=["--layers-slice", "--weights"])


if __name__ == "__main__":
    unittest.main()
