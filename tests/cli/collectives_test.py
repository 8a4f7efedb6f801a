"""The suite of collectives: ways to all-reduce side by side, which one training takes, and simulated ranks."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import DONE, TINY, USAGE, Case  # noqa: E402  pylint: disable=wrong-import-position

QUICK = ("--samples", "3", "--repetitions", "1", "--out", "out.json")


def timed(report):
    return [case for case in report["cases"] if case["name"].startswith("collectives.")]


class Collectives(Case):
    def test_every_way_is_measured_checked_and_compared_in_one_run(self):
        variants = "library,library_kept,shared,ring,rabenseifner,double_tree"
        self.expect(DONE, "--suite", "collectives", "--filter", "all_reduce", "--axis", "bytes=40,70000", "--variant",
                    f"all_reduce={variants}", *QUICK, ranks=3)
        report = self.report("out.json")
        self.assertEqual({(case["outcome"], case["verify"]["status"]) for case in timed(report)}, {("measured", "passed")})
        self.assertEqual({case["params"]["bytes"] for case in timed(report)}, {40, 70000})
        for comparison in report["comparisons"]:
            self.assertEqual([v["variant"] for v in comparison["variants"]], variants.split(","))
        self.expect(DONE, "validate", "out.json")

    def test_our_own_algorithms_of_other_operations_stand_beside_the_librarys(self):
        ways = {"reduce_scatter": "ring", "all_gather": "ring", "broadcast": "binomial"}
        variants = [arg for op, way in ways.items() for arg in ("--variant", f"{op}=library,{way}")]
        self.expect(DONE, "--suite", "collectives", "--filter", "scatter|gather|broadcast", "--axis", "bytes=40000", *variants,
                    *QUICK, ranks=3)
        cases = timed(self.report("out.json"))
        self.assertEqual({(case["outcome"], case["verify"]["status"]) for case in cases}, {("measured", "passed")})
        self.assertEqual({(case["params"]["operation"], case["params"]["variant"]) for case in cases},
                         {(op, variant) for op, way in ways.items() for variant in ("library", way)})

    def test_sums_of_bf16_say_how_they_are_rounded(self):
        self.expect(DONE, "--suite", "collectives", "--filter", "all_reduce", "--axis", "bytes=5000", "--dtype", "bf16",
                    "--variant", "all_reduce=library,shared", *QUICK, ranks=2)
        said = {case["params"]["variant"]: case["params"]["accumulation"] for case in timed(self.report("out.json"))}
        self.assertEqual(said, {"library": "f32, rounded to bf16 after every addition", "shared": "f32, rounded once"})

    def test_algorithms_of_the_library_are_told_seen_and_skipped_where_it_replaces_them(self):
        variants = "library,library.recursive_doubling,library.ring,library.rabenseifner"
        self.expect(DONE, "--suite", "collectives", "--filter", "all_reduce", "--axis", "bytes=8,70000", "--variant",
                    f"all_reduce={variants}", *QUICK, ranks=3)
        cases = {(case["params"]["bytes"], case["params"]["variant"]): case for case in timed(self.report("out.json"))}
        self.assertEqual(len(cases), 8)
        replaced = cases.pop((8, "library.ring"))
        self.assertEqual(replaced["outcome"], "skipped")
        self.assertIn("told to take ring for 2 elements on 3 ranks, the MPI library took another algorithm", replaced["reason"])
        self.assertEqual({(case["outcome"], case["verify"]["status"]) for case in cases.values()}, {("measured", "passed")})
        self.assertEqual(cases[(70000, "library.ring")]["params"]["proof"], "sizes of its additions")
        compared = [[v["variant"] for v in c["variants"] if v.get("ratio")] for c in self.report("out.json")["comparisons"]]
        self.assertIn(variants.split(","), compared)
        self.expect(DONE, "validate", "out.json")

    def test_a_way_that_is_not_there_is_a_usage_error_with_those_that_are(self):
        self.expect(USAGE, "--suite", "collectives", "--variant", "all_reduce=star", says=["star", "rabenseifner"])
        self.expect(USAGE, "--suite", "collectives", "--variant", "all_gather=binomial", says=["all_gather=binomial", "shared", "ring"])

    def test_ranks_of_one_host_train_over_shared_memory_unless_told_otherwise(self):
        losses = []
        for asked, took in (("auto", "shared memory"), ("shared", "shared memory"), ("mpi", "mpi")):
            self.expect(DONE, "--suite", "train", "--model", TINY, "--steps", "3", "--comm", asked, *QUICK, ranks=2)
            report = self.report("out.json")
            self.assertEqual(report["cases"][0]["params"]["comm"], took)
            self.assertTrue(any(note.startswith(f"communicator {took}: ") for note in report["run"]["notes"]))
            losses.append(report["training"][0]["losses"])
        # Two ranks add two numbers: there is one order.
        self.assertEqual(losses, [losses[0]] * 3)

    def test_every_two_ranks_meet_once_in_rounds_of_disjoint_pairs(self):
        for ranks in (2, 5):
            done = self.expect(DONE, "--suite", "pairs", *QUICK, ranks=ranks)
            report = self.report("out.json")
            met = []
            for case in timed(report):
                if case["params"]["bytes"] == 8:
                    pairs = [tuple(map(int, pair.split("-"))) for pair in case["params"]["pairs"].split()]
                    members = [rank for pair in pairs for rank in pair]
                    self.assertEqual(len(members), len(set(members)))
                    met += pairs
            self.assertEqual(sorted(met), [(a, b) for a in range(ranks) for b in range(a + 1, ranks)])
            matrix = report["pairs"][0]["sizes"][0]["seconds"]
            self.assertEqual([[time is None for time in row] for row in matrix],
                             [[a == b for b in range(ranks)] for a in range(ranks)])
            # Ranks that take turns on a core, or two alone, blame nobody.
            self.assertEqual(report["pairs"][0]["verdict"], "unknown" if ranks == 2 or len(os.sched_getaffinity(0)) < ranks else report["pairs"][0]["verdict"])
            self.assertIn("every two ranks against each other", done.stdout)
            self.expect(DONE, "validate", "out.json")

    def test_simulated_ranks_are_labelled_so(self):
        done = self.expect(DONE, "--suite", "collectives", "--simulate", "ranks=16,per-host=4,inter-us=20", "--axis",
                           "bytes=8,1048576", "--out", "out.json")
        self.assertIn("SIMULATED, not measured", done.stdout)
        report = self.report("out.json")
        self.assertEqual(report["cases"], [])
        sizes = report["simulated"][0]["all_reduces"]
        self.assertEqual([size["bytes"] for size in sizes], [8, 1048576])
        self.assertEqual(sizes[1]["best"], "two_level_rail")
        # Four doublings, two of them inside a host: alpha and the bytes of each.
        doubling = next(t["time_s"] for t in sizes[0]["times"] if t["algorithm"] == "recursive_doubling")
        self.assertAlmostEqual(doubling, 2 * 1e-6 + 2 * 20e-6 + 8 * (2 / 200e9 + 2 / 12.5e9 + 4 / 200e9), delta=1e-14)
        self.expect(DONE, "validate", "out.json")

    def test_what_cannot_be_simulated_is_a_usage_error(self):
        for text, says in (("ranks=0", "'ranks=0'"), ("per-host=2", "ranks is a whole number"), ("ranks=4,speed=3", "'speed=3'"),
                           ("ranks=4,intra-us=fast", "'intra-us=fast'"), ("ranks=2.5", "ranks is a whole number")):
            self.expect(USAGE, "--suite", "collectives", "--simulate", text, says=["--simulate", says])
        self.expect(USAGE, "--suite", "train", "--simulate", "ranks=4", says=["--suite collectives"])


if __name__ == "__main__":
    unittest.main()
