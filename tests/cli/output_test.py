"""Where the report goes: never half written, never lost without a word."""
import json
import os
import subprocess
import tempfile
import unittest

from harness import Case, DONE, ENVIRONMENT


class Output(Case):
    def test_unwritable_before_anything_runs(self):
        self.expect(ENVIRONMENT, *self.run_planted(["spin"])[:-2], "--out", self.path("no/such/folder/r.json"),
                    says=["no/such/folder"])
        self.expect(ENVIRONMENT, *self.run_planted(["spin"])[:-2], "--out", self.folder.name, says=[self.folder.name])
        self.expect(ENVIRONMENT, *self.run_planted(["spin"])[:-2], "--out", "/proc/nothing.json", says=["/proc/nothing.json"],
                    ranks=2)

    def run_planted(self, cases, *args, **more):
        args = super().run_planted(cases, *args, **more)
        out = args.index("--out")
        return args[:out] + args[out + 2:] + args[out:out + 2]

    def test_device_is_written_directly_and_gets_no_journal(self):
        self.expect(DONE, *self.run_planted(["spin"])[:-2], "--out", "/dev/null")
        self.assertFalse(os.path.exists("/dev/null.jsonl"))
        done = self.expect(DONE, *self.run_planted(["spin"])[:-2], "--out", "/dev/stdout")
        self.assertTrue(json.loads(done.stdout)["run"]["complete"])

    def test_full_device(self):
        self.expect(ENVIRONMENT, *self.run_planted(["spin"])[:-2], "--out", "/dev/full", says=["/dev/full", "No space left"])

    def test_full_file_system_leaves_the_old_report(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small file system needs root")
        small = self.path("small")
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode != 0:
            self.skipTest("mounting a small file system is not permitted here")
        self.addCleanup(subprocess.run, ["umount", small])
        report = os.path.join(small, "r.json")
        with open(report, "w") as file:
            file.write("the old report")
        with open(os.path.join(small, "filler"), "wb") as file:
            file.write(bytes(44 * 1024))
        self.expect(ENVIRONMENT, *self.run_planted(["spin"], samples=3000)[:-2], "--out", report, says=["No space left"])
        with open(report) as file:
            self.assertEqual(file.read(), "the old report")

    def test_an_existing_report_is_replaced_whole(self):
        out = self.write("out.json", "old")
        self.expect(DONE, *self.run_planted(["spin"]))
        self.assertTrue(self.report("out.json")["run"]["complete"])
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["out.json", "out.jsonl", "planted.json"])
        self.assertTrue(os.path.samefile(out, self.path("out.json")))

    def test_journal_holds_every_case(self):
        self.expect(DONE, *self.run_planted(["spin"]))
        with open(self.path("out.jsonl")) as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual(lines[0]["type"], "run")
        self.assertEqual(lines[-1]["type"], "end")
        self.assertIn("case", [line["type"] for line in lines])

    def test_stdout_is_for_results_only(self):
        done = self.expect(DONE, *self.run_planted(["spin"]))
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
