"""Every suite runs, and its report is valid and complete."""
import json
import os
import unittest

from harness import BENCH, Case, DONE, FAILED, NO_VERDICT, TINY, USAGE

QUICK = ["--time-budget", "1", "--repetitions", "1", "--quiet"]


class Suites(Case):
    def run_suite(self, *args, ranks=0, code=DONE):
        self.expect(code, *args, *QUICK, "--out", self.path("out.json"), ranks=ranks)
        valid = self.bench("validate", self.path("out.json"))
        self.assertEqual(valid.returncode, DONE, valid.stdout)
        report = self.report("out.json")
        self.assertTrue(report["run"]["complete"])
        self.assertEqual({r["id"] for r in report["references"]},
                         {"megatron2019.single_gpu_tflops", "megatron2019.scaling_efficiency"})
        return report

    def test_smoke(self):
        report = self.run_suite("--suite", "smoke")
        self.assertEqual({c["outcome"] for c in report["cases"]}, {"measured"})
        self.assertEqual({c["plugin"] for c in report["cases"]}, {"kernels", "collectives", "train"})

    def test_kernels_collectives_train(self):
        for dtype in ("f32", "bf16"):
            report = self.run_suite("--suite", "kernels", "--model", TINY, "--dtype", dtype, "--mode", "hot")
            self.assertEqual({(c["outcome"], c["params"]["mode"]) for c in report["cases"] if "op" in c["params"]},
                             {("measured", "hot")})
        report = self.run_suite("--suite", "kernels", "--model", TINY, "--mode", "cold", "--filter", r"ln1\.fwd|proj\.fwd")
        cold = {c["name"]: c for c in report["cases"] if "op" in c["params"]}
        self.assertEqual({c["params"]["mode"] for c in cold.values()}, {"cold"})
        self.assertGreater(cold["gpt2.layer.ln1.fwd"]["flanked"]["n"], 0)
        report = self.run_suite("--suite", "collectives,train", "--model", TINY, "--exclude", "[0-9]{7}", ranks=2)
        for case in report["cases"]:
            self.assertEqual(case["outcome"], "measured", case["name"] + ": " + str(case["reason"]))

    def scaling_suite(self, ranks):
        """The shipped suite; with more ranks than this needs for the ceilings, without them: they take turns for minutes."""
        if ranks <= 2:
            return "scaling"
        shipped = os.path.join(os.path.dirname(os.path.dirname(BENCH)), "share", "bench", "suites", "scaling.json")
        with open(shipped) as file:
            suite = json.load(file)
        return self.write("scaling.json", json.dumps({**suite, "ceilings": False}))

    def test_scaling(self):
        for ranks in (1, 2, 3, 4):
            report = self.run_suite("--suite", self.scaling_suite(ranks), "--micro-batch", "2", "--case-timeout", "100", ranks=ranks)
            curve = report["scaling"]
            self.assertEqual(curve["kind"], "weak")
            expected = {1: [1], 2: [1, 2], 3: [1, 2, 3], 4: [1, 2, 4]}[ranks]
            self.assertEqual([p["ranks"] for p in curve["points"]], expected)
            for point in curve["points"]:
                self.assertIsNotNone(point["step_s"])
                self.assertIsNotNone(point["efficiency"]["flops"])
                self.assertIsNotNone(point["efficiency"]["parameters"])
            self.assertEqual(curve["points"][0]["efficiency"]["flops"], 1.0)
            self.assertEqual([c["kind"] for c in report["scaling_more"]], ["strong"])

    def test_scaling_axes(self):
        expected = {"tensor": ("tp2.dp1", "l4-h48-a4-s16-v300"), "data": ("tp1.dp2", "l4-h48-a4-s16-v300"),
                    "pipeline": ("tp1.pp2.dp1", "l8-h48-a4-s16-v300")}
        model = TINY.replace("layers=2", "layers=4")
        for axis, (layout, grown) in expected.items():
            report = self.run_suite("--suite", self.scaling_suite(4), "--model", model, "--scaling-axis", axis, "--kind", "weak",
                                    "--case-timeout", "100", ranks=2)
            self.assertEqual((report["scaling"]["kind"], report["scaling"]["axis"], report["scaling_more"]), ("weak", axis, []))
            point = report["scaling"]["points"][-1]
            self.assertTrue(point["case"].endswith(f"{grown}.{layout}"), point["case"])
            self.assertIsNotNone(point["efficiency"]["flops"])
            self.assertIsNotNone(point["split_s"]["bubble"])
        self.expect(USAGE, "--suite", "scaling", "--pp", "2", says=["--scaling-axis pipeline"])
        self.expect(USAGE, "--suite", "scaling", "--tp", "2", "--scaling-axis", "data", says=["--tp", "--scaling-axis data"])

    def test_phases_cover_the_run(self):
        phases = self.run_suite("--suite", "train", "--model", TINY, ranks=2)["phases_s"]
        wall = phases.pop("wall")
        self.assertGreaterEqual(sum(phases.values()), 0.98 * wall)

    def test_require(self):
        train = self.train_alone()
        name = "gpt2.train"
        report = self.run_suite(*train)
        case = next(c["name"] for c in report["cases"] if c["name"].startswith(name))
        self.assertEqual(report["verdict"]["state"], "not_asked")
        report = self.run_suite(*train, "--require", f"cases.{case}.rates.tokens_per_s>=0.001")
        self.assertEqual(report["verdict"]["state"], "pass")
        report = self.run_suite(*train, "--require", f"cases.{case}.rates.tokens_per_s>=1e30", code=FAILED)
        self.assertEqual(report["verdict"]["state"], "fail")
        report = self.run_suite(*train, "--require", "scaling.efficiency.flops>=0.1", code=NO_VERDICT)
        self.assertEqual(report["verdict"]["state"], "no_verdict")

    def test_same_seed_same_bits(self):
        losses = []
        for _ in range(2):
            report = self.run_suite(*self.train_alone(), "--steps", "5", ranks=2)
            losses.append(report["training"][0]["losses"])
        self.assertEqual(*losses)

    def test_parallel_forms_agree(self):
        """The same model and data on 1, 2 and 4 ranks: the same losses."""
        model = [*self.train_alone(), "--steps", "5", "--global-batch", "4"]
        reference = self.run_suite(*model, "--micro-batch", "4")["training"][0]["losses"]
        for layout, ranks, micro in (("--tp=2", 2, "4"), ("--tp=1", 2, "2"), ("--tp=2", 4, "2"), ("--tp=4", 4, "4")):
            losses = self.run_suite(*model, layout, "--micro-batch", micro, ranks=ranks)["training"][0]["losses"]
            for got, expected in zip(losses, reference):
                self.assertLess(abs(got - expected), 2e-6 * expected, layout)

    def test_list_and_doctor(self):
        listed = json.loads(self.expect(DONE, "list", "--json").stdout)
        self.assertLessEqual({"kernels", "collectives", "train"}, {p["id"] for p in listed["plugins"]})
        self.assertLessEqual({"smoke", "kernels", "collectives", "train", "scaling"}, {s["name"] for s in listed["suites"]})
        self.assertTrue(listed["cases"])
        found = json.loads(self.expect(DONE, "doctor", "--json", ranks=2).stdout)
        self.assertEqual(found["ranks"], 2)
        self.assertIn("CUDA driver", [c["name"] for c in found["checks"]])


if __name__ == "__main__":
    unittest.main()
