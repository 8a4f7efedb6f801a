"""The sources are formatted as .clang-format says. Versions of clang-format disagree, so only one of them judges."""

import re
import shutil
import subprocess

import tree

_VERSION = "14"
_FROZEN = "tests/abi/bench_plugin_v*.h"  # released copies stay as they were
_SUFFIXES = {".h", ".c", ".cpp", ".cu", ".cuh"}


def formatter():
    for name in (f"clang-format-{_VERSION}", "clang-format"):
        if not shutil.which(name):
            continue
        words = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
        if re.search(rf"version {_VERSION}\.", words):
            return name
    raise tree.Skip(f"no clang-format {_VERSION} on this machine")


def check(root, _options):
    command = [formatter(), "--dry-run", "-Werror", f"--style=file:{_style(root)}"]
    sources = [str(path) for path in tree.files(root, _SUFFIXES) if not path.match(_FROZEN)]
    result = subprocess.run(command + sources, cwd=root, capture_output=True, text=True, check=False)
    badly = sorted({line.split(":")[0] for line in result.stderr.splitlines() if "-Wclang-format" in line})
    if result.returncode != 0 and not badly:
        return [result.stderr.strip()]
    return [f"{path}: not formatted; run clang-format -i on it" for path in badly]


def _style(root):
    own = root / ".clang-format"
    return own if own.exists() else tree.pathlib.Path(__file__).resolve().parents[2] / ".clang-format"


def plant(folder, _options):
    tree.write(folder, "good.cpp", "int main() { return 0; }\n")
    tree.write(folder, "bad.cpp", "int   main( ) {return 0;}\n")
    return ["bad.cpp: not formatted"]


if __name__ == "__main__":
    tree.run(check, plant)
