"""The program on GPUs, as its users start it: one rank, and two that may have to share one. Without a GPU it is left out."""
import json
import sys
import unittest

from harness import Case, DONE, ENVIRONMENT

SKIPPED = 77  # as the build's test driver knows it
SMALL = ["--samples", "3", "--repetitions", "1", "--quiet"]


class Gpu(Case):
    def run_on_gpu(self, *args, ranks=0, code=DONE, says=()):
        """Runs it; returns the report, where there should be one."""
        self.expect(code, "--device", "cuda", *SMALL, *args, "--out", self.path("out.json"), ranks=ranks, says=says)
        return self.report("out.json") if code == DONE else None

    def collectives(self, *args, cases="smoke", **more):
        suite = self.write("collectives.json", json.dumps({
            "name": "collectives", "ceilings": False, "entries": [{"plugin": "collectives", "set": cases}]}))
        return self.run_on_gpu("--suite", suite, *args, **more)

    def check_measured(self, report, comm):
        self.assertEqual({c["outcome"] for c in report["cases"]}, {"measured"})
        self.assertEqual({c["verify"]["status"] for c in report["cases"]}, {"passed"})
        self.assertEqual({c["params"]["comm"] for c in report["cases"]}, {comm})

    def test_one_rank_alone_copies_on_the_stream(self):
        report = self.collectives()
        self.check_measured(report, "self")
        self.assertIsNone(report["environment"]["nccl"])

    def test_one_rank_over_nccl(self):
        report = self.collectives("--comm", "nccl", cases="")
        self.check_measured(report, "nccl")
        self.assertRegex(report["environment"]["nccl"], r"^2\.\d+\.\d+$")

    def test_nccl_is_held_to_an_algorithm_and_a_protocol(self):
        report = self.collectives("--comm", "nccl", "--nccl-algo", "Ring", "--nccl-proto", "Simple")
        self.check_measured(report, "nccl")
        variables = report["environment"]["variables"]
        self.assertEqual((variables["NCCL_ALGO"], variables["NCCL_PROTO"]), ("Ring", "Simple"))

    def test_two_ranks_staged_through_host_memory(self):
        report = self.collectives("--comm", "staged", ranks=2)
        self.check_measured(report, "mpi staged through host memory")

    def test_two_ranks_that_share_a_gpu_are_staged_and_told_so(self):
        report = self.collectives(ranks=2)
        uuids = {r["device"]["uuid"] for r in report["environment"]["ranks"]}
        shared = len(uuids) == 1
        self.check_measured(report, "mpi staged through host memory" if shared else "nccl")
        note = next(n for n in report["run"]["notes"] if n.startswith("communicator "))
        self.assertIn("ranks 0, 1 share one GPU" if shared else "every rank has a GPU of its own", note)
        if shared:
            self.collectives("--comm", "nccl", ranks=2, code=ENVIRONMENT, says=["ranks 0, 1 share one GPU"])

    def test_two_ranks_train_the_same_model_as_one(self):
        """Losses of data and tensor parallel ranks against those of a rank alone, on the same tokens."""
        losses = {}
        for name, ranks, layout in (("alone", 0, []), ("data", 2, ["--dp", "2"]), ("tensor", 2, ["--tp", "2"])):
            report = self.run_on_gpu(*self.train_alone(), "--global-batch", "4", "--micro-batch", "2", "--steps", "3",
                                        *layout, *(["--comm", "staged"] if ranks else []), ranks=ranks)
            losses[name] = report["training"][0]["losses"]
        for name in ("data", "tensor"):
            for one, other in zip(losses["alone"], losses[name], strict=True):
                self.assertAlmostEqual(one, other, delta=1e-4, msg=name)


def why_no_gpu():
    """What the program says where it finds no GPU; None where it finds one."""
    probe = Case()
    probe.setUp()
    done = probe.bench("list", "--device", "cuda")
    probe.doCleanups()
    return done.stderr.strip() if done.returncode == ENVIRONMENT else None


if __name__ == "__main__":
    if reason := why_no_gpu():
        print("no GPU:", reason)
        sys.exit(SKIPPED)
    unittest.main()
