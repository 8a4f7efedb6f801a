"""One run of bench, as a comparison's other half: started, waited for, its report read."""
import json
import os
import subprocess
import tempfile

DEFAULT = os.path.join(os.path.dirname(__file__), "..", "..", "build", "release", "bin", "bench")


def cases(program, suite, arguments):
    """The cases of the report of one quiet run; `suite` is the content of a suite file."""
    with tempfile.TemporaryDirectory() as folder:
        suite_file, out = os.path.join(folder, "suite.json"), os.path.join(folder, "report.json")
        with open(suite_file, "w", encoding="utf-8") as file:
            json.dump(suite, file)
        subprocess.run([program, "--mpi", "off", "--suite", suite_file, "--quiet", "--out", out, *arguments], check=True)
        with open(out, encoding="utf-8") as file:
            return json.load(file)["cases"]
