"""Runs that do not end by themselves: interrupts, killed, stopped and hanging ranks."""
import json
import os
import signal
import subprocess
import time
import unittest

from harness import BENCH, Case, DONE, NO_VERDICT


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")


class Endings(Case):
    def start(self, args, ranks=0):
        process = subprocess.Popen(self.command(args, ranks), cwd=self.folder.name, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def journal(self):
        with open(self.path("out.jsonl")) as file:
            return [json.loads(line) for line in file]

    def has_journal_of(self, lines):
        return lambda: os.path.exists(self.path("out.jsonl")) and len(self.journal()) >= lines

    def long_run(self):
        # "spin" is finished round after round while "late" takes its time.
        return self.run_planted(["spin", "late"], samples=50, repetitions=100)

    def pid_of_rank(self, rank, launcher):
        """The process of a rank below a launcher."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    environment = file.read().split(b"\0")
                with open(f"/proc/{pid}/stat") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
                if parent == launcher and f"OMPI_COMM_WORLD_RANK={rank}".encode() in environment:
                    return int(pid)
            except (OSError, IndexError):
                continue
        raise AssertionError(f"rank {rank} was not found")

    def test_interrupt_leaves_a_valid_report(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start(self.long_run())
            wait_for(self.has_journal_of(3))
            process.send_signal(number)
            process.communicate(timeout=30)
            self.assertEqual(process.returncode, NO_VERDICT)
            report = self.report("out.json")
            self.assertFalse(report["run"]["complete"])
            self.assertEqual(self.bench("validate", self.path("out.json")).returncode, DONE)
            self.assertEqual(len(report["cases"]), 2)
            os.remove(self.path("out.json"))
            os.remove(self.path("out.jsonl"))

    def test_interrupt_under_mpirun(self):
        process = self.start(self.long_run(), ranks=2)
        wait_for(self.has_journal_of(3))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        report = self.report("out.json")
        self.assertFalse(report["run"]["complete"])
        self.assertEqual(self.bench("validate", self.path("out.json")).returncode, DONE)

    def test_killed_rank_leaves_the_journal(self):
        process = self.start(self.long_run(), ranks=2)
        wait_for(self.has_journal_of(4))
        os.kill(self.pid_of_rank(0, process.pid), signal.SIGKILL)
        process.communicate(timeout=60)
        self.assertNotEqual(process.returncode, DONE)
        cases = [line for line in self.journal() if line["type"] == "case"]
        self.assertGreaterEqual(len(cases), 2)
        for case in cases:
            self.assertIn("median", json.dumps(case))

    def assert_timeout_names(self, process, rank):
        output, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, NO_VERDICT, errors)
        self.assertIn(f"rank {rank} on ", errors)
        self.assertNotIn(f"rank {1 - rank} on ", errors)
        report = self.report("out.json")
        self.assertFalse(report["run"]["complete"])
        return report

    def test_stopped_rank_is_named(self):
        args = self.run_planted(["late"], samples=1000, repetitions=100)
        process = self.start([*args, "--case-timeout", "8"], ranks=2)
        wait_for(lambda: os.path.exists(self.path("out.jsonl")))
        time.sleep(1.0)  # into the first case, wherever that is: the deadline is far away
        stopped = self.pid_of_rank(1, process.pid)
        os.kill(stopped, signal.SIGSTOP)
        began = time.monotonic()
        report = self.assert_timeout_names(process, 1)
        self.assertLess(time.monotonic() - began, 8 + 5)
        self.assertEqual([c["outcome"] for c in report["cases"]], ["timeout"])

    def test_hanging_rank_is_named(self):
        process = self.start([*self.run_planted(["hang"]), "--case-timeout", "3"], ranks=2)
        report = self.assert_timeout_names(process, 1)
        self.assertEqual([c["outcome"] for c in report["cases"]], ["timeout"])
        self.assertIn("rank 1", report["cases"][0]["reason"])
        self.assertEqual(self.bench("validate", self.path("out.json")).returncode, DONE)


if __name__ == "__main__":
    unittest.main()
