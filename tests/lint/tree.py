"""What every check here shares: the files of the tree, includes, and how findings are told.

A check module defines `check(root) -> list of findings` and `plant(root)`, which writes a violation into an empty
folder; `run` makes the command line of both: without options it checks the tree, with --self-test it proves that
the check finds the planted violation.
"""

import argparse
import pathlib
import re
import sys
import tempfile

SKIPPED = 77  # ctest's SKIP_RETURN_CODE of these tests

SOURCE_SUFFIXES = {".h", ".c", ".cpp", ".cu", ".cuh", ".in"}
_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Skip(Exception):
    """This check cannot run here; the text says why."""


def files(root, suffixes=None):
    """Paths relative to root, sorted; hidden folders and build folders left out."""
    found = []
    for path in pathlib.Path(root).rglob("*"):
        relative = path.relative_to(root)
        folders = relative.parts[:-1]
        if any(_is_outside(part, depth) for depth, part in enumerate(folders)):
            continue
        if path.is_file() and (suffixes is None or path.suffix in suffixes):
            found.append(relative)
    return sorted(found)


def _is_outside(folder, depth):
    if depth == 0 and re.match(r"build($|-)", folder):
        return True
    return folder == "__pycache__" or (folder.startswith(".") and folder != ".ci")


def lines(root, path):
    return (pathlib.Path(root) / path).read_text(encoding="utf-8", errors="replace").splitlines()


def includes(root, path):
    """(line number, is_quoted, included name) of each include directive."""
    for number, line in enumerate(lines(root, path), 1):
        match = _INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def write(root, path, text):
    target = pathlib.Path(root) / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def run(check, plant, add_options=None):
    """The command line of a check. check(root, options), plant(folder, options) -> what a finding must contain."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2], type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    if add_options:
        add_options(parser)
    options = parser.parse_args()
    try:
        sys.exit(_self_test(check, plant, options) if options.self_test else _report(check(options.root, options)))
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)


def _report(findings):
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


def _self_test(check, plant, options):
    with tempfile.TemporaryDirectory() as folder:
        expected = plant(pathlib.Path(folder), options)
        findings = check(pathlib.Path(folder), options)
    missed = [text for text in expected if not any(text in finding for finding in findings)]
    for text in missed:
        print(f"planted but not found: {text}")
    extra = len(findings) - len(expected)
    if extra != 0:
        print(f"{len(expected)} violations planted, {len(findings)} found:", *findings, sep="\n  ")
    return 1 if missed or extra else 0
