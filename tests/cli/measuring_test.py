"""What is reported against what a spinning case knows of itself: it records the true length of every call."""
import unittest

from harness import Case, DONE


def quantile(values, q):
    """Linear between the closest ranks, as the report's."""
    values = sorted(values)
    at = q * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (at - low) * (values[high] - values[low])


class Measuring(Case):
    def spin(self, microseconds, samples, ranks=0, **env):
        record = self.path("record")
        self.expect(DONE, *self.run_planted(["spin"], samples=samples, repetitions=1), ranks=ranks,
                    env={"PLANTED_SPIN_US": str(microseconds), "PLANTED_RECORD": record, **env})
        case = self.report("out.json")["cases"][0]
        with open(record + ".0") as file:
            recorded = [float(line) for line in file]
        return case, recorded

    def undisturbed(self, check):
        """A wrong clock is wrong every time; another process that takes the CPU between two readings is not there thrice."""
        for _ in range(2):
            try:
                return check()
            except AssertionError:
                pass
        return check()

    def check_quantiles(self, microseconds, samples):
        case, recorded = self.spin(microseconds, samples)
        time = case["time_s"]
        self.assertEqual(time["n"], samples)
        recorded = recorded[-samples:]  # the samples are the last calls
        for name, q in (("p5", 0.05), ("median", 0.5), ("p95", 0.95)):
            if time.get(name) is None:
                continue  # p95 is reported from 200 samples on
            true = quantile(recorded, q)
            self.assertAlmostEqual(time[name], true, delta=max(0.01 * true, 1e-6), msg=name)

    def test_reported_quantiles_are_the_recorded_ones(self):
        for microseconds, samples in ((10, 400), (100, 400), (1000, 100), (10000, 40), (100000, 12)):
            with self.subTest(microseconds=microseconds):
                self.undisturbed(lambda: self.check_quantiles(microseconds, samples))

    def test_a_cold_case_is_timed_one_iteration_at_a_time(self):
        self.expect(DONE, *self.run_planted(["spin", "cold-spin"], **{"time-budget": 1}), env={"PLANTED_SPIN_US": "1"})
        hot, cold = self.report("out.json")["cases"]
        for case, mode in ((hot, "hot"), (cold, "cold")):
            self.assertEqual((case["params"]["mode"], case["time_s"]["mode"]), (mode, mode))
        self.assertGreater(hot["time_s"]["block"], 1)
        self.assertEqual(cold["time_s"]["block"], 1)

    def test_a_flanked_case_has_its_ratio(self):
        for ranks in (0, 2):
            self.expect(DONE, *self.run_planted(["flanked-spin", "cold-flanked-spin"], samples=20, repetitions=2), ranks=ranks,
                        env={"PLANTED_SPIN_US": "2000"})
            for case in self.report("out.json")["cases"]:
                flanked = case["flanked"]
                self.assertEqual(flanked["by"], "planted.ceilings")
                self.assertEqual(flanked["n"] + flanked["dropped"], 40)
                self.assertEqual((case["time_s"]["n"], len(case["samples_s"])), (2 * flanked["n"],) * 2)
                self.assertEqual(case["time_s"]["stop_reason"], "fixed")
                self.assertEqual(len(flanked["ratio_by_round"]), 2)
                self.assertGreater(flanked["ratio"]["min"], 0)
            self.assertEqual(self.bench("validate", self.path("out.json")).returncode, DONE)

    def test_the_slow_rank_is_named(self):
        self.undisturbed(self.check_slow_rank)

    def check_slow_rank(self):
        # Slower by more than another process takes a core away at a time.
        case, _ = self.spin(8000, 60, ranks=2, PLANTED_SLOW_RANK="1")
        ranks = case["ranks_time_s"]
        histogram = ranks["last_rank_histogram"]
        self.assertGreater(histogram[1], 3 * histogram[0])
        self.assertGreater(ranks["median"][1], 1.5 * ranks["median"][0])
        self.assertGreater(case["time_s"]["median"], 1.5 * ranks["median"][0])
        self.assertGreater(ranks["skew_median"], 0.5 * ranks["median"][0])


if __name__ == "__main__":
    unittest.main()
