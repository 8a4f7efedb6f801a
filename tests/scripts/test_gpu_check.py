"""What scripts/gpu_check does and says, on a machine whose GPU and programs are fakes."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Writes the report it is asked for, whose losses ended in a NaN.
BENCH = """#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = --out ] && out=$2; shift; done
echo '{"training": [{"case": "step", "losses": [11.0, null]}], "cases": []}' > "$out"
"""


class GpuCheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.tree = self.folder / "packed"
        self.program("packed/bin/bench", BENCH)

    def program(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def check(self, *arguments, gpu=True, tree=None):
        if gpu:
            self.program("bin/nvidia-smi", "#!/bin/sh\necho 'A GPU, 580, 1000 MiB, 2000 MHz'\n")
        environment = dict(os.environ, PATH=f"{self.folder / 'bin'}:/usr/bin:/bin")
        return subprocess.run([sys.executable, "-B", ROOT / "scripts" / "gpu_check", "--tree", tree or self.tree, "--out",
                               self.folder / "out", *arguments], env=environment, capture_output=True, text=True, check=False)

    def test_without_a_gpu_it_says_so(self):
        result = self.check(gpu=False)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("no GPU can be used here", result.stderr)

    def test_without_a_tree_it_says_how_to_make_one(self):
        result = self.check(tree=self.folder / "nothing")
        self.assertEqual(result.returncode, 4)
        self.assertIn("scripts/gpu_check --pack", result.stderr)

    def test_a_choice_of_nothing_is_a_usage_error(self):
        result = self.check("--only", "no such step")
        self.assertEqual(result.returncode, 3)
        self.assertIn("no step's name matches", result.stderr)

    def test_what_passed_is_told_with_its_figures(self):
        result = self.check("--only", "^train-gpt2-124m$")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("step: loss 11.0000 -> not finite in 2 steps", result.stdout)
        self.assertEqual((self.folder / "out" / "summary.txt").read_text(encoding="utf-8").count("passed"), 1)

    def test_a_failed_test_fails_the_check_and_is_quoted(self):
        self.program("packed/tests/test_made_up_cuda", "#!/bin/sh\necho 'element 7 is wrong'\nexit 1\n")
        result = self.check("--only", "test_made_up_cuda|^collectives$")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, "FAILED .*test_made_up_cuda: exit code 1: element 7 is wrong")
        self.assertRegex(result.stdout, "passed .*collectives")

    def test_when_ended_it_leaves_nothing_running(self):
        started = self.folder / "started"
        self.program("packed/bin/bench", f"#!/bin/sh\necho $$ > {started}.part; mv {started}.part {started}; exec sleep 1000\n")
        self.program("bin/nvidia-smi", "#!/bin/sh\necho 'A GPU, 580, 1000 MiB, 2000 MHz'\n")
        environment = dict(os.environ, PATH=f"{self.folder / 'bin'}:/usr/bin:/bin")
        with subprocess.Popen([sys.executable, "-B", ROOT / "scripts" / "gpu_check", "--tree", self.tree, "--out",
                               self.folder / "out", "--only", "^collectives$"], env=environment,
                              stdout=subprocess.DEVNULL) as check:
            while not started.exists():
                self.assertIsNone(check.poll(), "the check ended before its step began")
                time.sleep(0.01)
            check.terminate()
            self.assertEqual(check.wait(), 128 + signal.SIGTERM)
        with self.assertRaises(ProcessLookupError):
            os.kill(int(started.read_text(encoding="utf-8")), 0)

    def test_an_earlier_report_is_not_told_as_this_ones(self):
        self.program("packed/bin/bench", "#!/bin/sh\nexit 4\n")
        report = self.folder / "out" / "collectives.json"
        report.parent.mkdir()
        report.write_text(json.dumps({"training": [{"case": "old", "losses": [1, 2]}]}), encoding="utf-8")
        result = self.check("--only", "^collectives$")
        self.assertEqual(result.returncode, 1)
        self.assertNotIn("old", result.stdout)

    def test_an_archive_may_have_any_name(self):
        archive = self.folder / "carried.tar.xz"
        with tarfile.open(archive, "w:xz") as packed:
            packed.add(self.tree, arcname="packed")
        result = self.check("--only", "^collectives$", tree=archive)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
