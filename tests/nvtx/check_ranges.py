#!/usr/bin/env python3
"""Runs a program with the NVTX injection library and checks the ranges it showed.

    check_ranges.py --tool libranges_to_file.so [--domain bench] [--tree FILE] [--ranks N] PROGRAM [ARGS…] -- NAME…

A NAME is a dotted range name that must occur: NAME, NAME=PAYLOAD, or OUTER/INNER (INNER directly inside OUTER; any
number of levels, a payload allowed on the last). Pushes and pops must pair up on every thread, and nothing may
be open at the end. PROGRAM may be a launcher: every process it starts writes a file of its own, each is checked, and
--ranks N says how many processes must have shown ranges. --tree prints the ranges, indented, as NAME=PAYLOAD and
compares with FILE. Exit 0: all well; else not, with the reasons.
"""

import argparse
import glob
import os
import subprocess
import sys
import tempfile


def parse_arguments():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    split = len(sys.argv) - 1 - sys.argv[::-1].index("--")
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--domain", default="bench")
    parser.add_argument("--tree")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--exit-code", type=int, default=0, help="what the program has to exit with")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    arguments = parser.parse_args(sys.argv[1:split])
    if not arguments.program:
        parser.error("no program to run")
    if not os.path.isfile(arguments.tool):
        sys.exit(f"no injection library {arguments.tool}: build the target ranges_to_file")
    return arguments, sys.argv[split + 1 :]


def run(arguments, folder):
    environment = dict(os.environ)
    environment["NVTX_INJECTION64_PATH"] = os.path.abspath(arguments.tool)
    environment["NVTX_RANGES_FILE"] = os.path.join(folder, "ranges.%p")
    done = subprocess.run(arguments.program, env=environment, check=False)
    if done.returncode != arguments.exit_code:
        return [f"{arguments.program[0]} exited with {done.returncode}, not {arguments.exit_code}"]
    return []


def read(path, domain):
    """(problems, ranges); a range is its path from the outermost: ((name, payload), …)."""
    problems, ranges, open_ranges = [], [], {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            kind, thread, *rest = line.rstrip("\n").split("\t")
            if rest[0] != domain:
                continue
            stack = open_ranges.setdefault(thread, [])
            if kind == "push":
                stack.append((rest[1], rest[2]))
                ranges.append(tuple(stack))
            elif stack:
                stack.pop()
            else:
                problems.append(f"event {number}: a pop without a push on thread {thread}")
    for thread, stack in open_ranges.items():
        if stack:
            problems.append(f"thread {thread} left open: {'/'.join(name for name, _ in stack)}")
    return problems, ranges


def occurs(wanted, ranges):
    path, _, payload = wanted.partition("=")
    names = path.split("/")
    for found in ranges:
        last = found[-len(names) :]
        if [name for name, _ in last] == names and (not payload or last[-1][1] == payload):
            return True
    return False


def tree_of(ranges):
    return "".join(f"{'  ' * (len(r) - 1)}{r[-1][0]}={r[-1][1]}\n" for r in ranges)


def check_process(path, arguments, names):
    problems, ranges = read(path, arguments.domain)
    problems += [f"no range {name}" for name in names if not occurs(name, ranges)]
    if arguments.tree:
        with open(arguments.tree, encoding="utf-8") as expected:
            if tree_of(ranges) != expected.read():
                problems.append(f"ranges differ from {arguments.tree}:\n{tree_of(ranges)}")
    if problems:
        seen = sorted({r[-1][0] for r in ranges})
        problems.append(f"ranges seen: {' '.join(seen)}")
    return len(ranges) > 0, [f"{os.path.basename(path)}: {p}" for p in problems]


def main():
    arguments, names = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        problems = run(arguments, folder)
        # A launcher may itself show ranges of another domain: only processes with ours count.
        found = [p for p in sorted(glob.glob(os.path.join(folder, "ranges.*"))) if read(p, arguments.domain)[1]]
        if len(found) != arguments.ranks:
            problems.append(f"{len(found)} processes showed ranges of the domain {arguments.domain}, not {arguments.ranks}")
        for path in found:
            problems += check_process(path, arguments, names)[1]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
