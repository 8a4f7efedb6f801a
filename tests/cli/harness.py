"""What the tests of the whole program share: starting it, alone or under mpirun, and reading what it left."""
import json
import os
import subprocess
import tempfile
import unittest

BENCH = os.environ["BENCH"]
PLANTED = os.environ["PLANTED"]
MPIRUN = os.environ.get("MPIRUN", "mpirun")
TINY = "layers=2,hidden=48,heads=4,seq=16,vocab=300"

DONE, FAILED, NO_VERDICT, USAGE, ENVIRONMENT = range(5)


def mpirun(ranks):
    return [MPIRUN, "--oversubscribe", "-n", str(ranks)]


def planted(which):
    return os.path.join(PLANTED, which + ".cpu.so")


class Case(unittest.TestCase):
    """A test in a folder of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def command(self, args, ranks=0):
        return (mpirun(ranks) if ranks else []) + [BENCH, *args]

    def bench(self, *args, ranks=0, env=None):
        return subprocess.run(self.command(args, ranks), cwd=self.folder.name, env={**os.environ, **(env or {})},
                              capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)

    def expect(self, code, *args, says=(), ranks=0, env=None):
        """Runs it; the exit code must be `code` and stderr must hold every text of `says`."""
        done = self.bench(*args, ranks=ranks, env=env)
        self.assertEqual(done.returncode, code, f"{args}\nstdout: {done.stdout}\nstderr: {done.stderr}")
        for text in says:
            self.assertIn(text, done.stderr)
        return done

    def report(self, name):
        with open(self.path(name)) as file:
            return json.load(file)

    def suite(self, cases, **options):
        """A suite file of planted cases."""
        return self.write("planted.json", json.dumps({
            "name": "planted", "ceilings": False, "options": options,
            "entries": [{"plugin": "planted", "set": c} for c in cases]}))

    def train_alone(self):
        """The suite train without the machine's ceilings: a fraction of a second instead of many."""
        suite = {"name": "train", "ceilings": False, "entries": [{"plugin": "train"}]}
        return ["--suite", self.write("train.json", json.dumps(suite)), "--model", TINY]

    def run_planted(self, cases, *args, **more):
        """Arguments of a run of planted cases with the report in out.json."""
        return ["--suite", self.suite(cases, **more), "--plugin", planted("planted"), "--out", self.path("out.json"),
                "--quiet", *args]
