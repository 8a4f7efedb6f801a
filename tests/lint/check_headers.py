"""Every header compiles alone. A header that its own .cpp includes first is proved by the build already, so only
the others are compiled here, two at a time. Files named *-inl.h are no headers but fragments, which one source includes
once for every instruction set."""

import concurrent.futures
import json
import subprocess

import tree


def is_header(path):
    return not path.stem.endswith("-inl")


def proved_by_build(root, header):
    source = header.with_suffix(".cpp")
    if not (root / source).exists():
        return False
    first = next(iter(tree.includes(root, source)), None)
    return first is not None and first[2] == str(header)


def include_flags(options):
    """All include folders that the build uses."""
    if options.compile_commands is None:
        return []
    flags = []
    for entry in json.loads(options.compile_commands.read_text()):
        words = entry["command"].split()
        for number, word in enumerate(words):
            flag = [word, words[number + 1]] if word == "-isystem" else [word] if word.startswith("-I") else []
            if flag and flag not in flags:
                flags.append(flag)
    return [word for flag in flags for word in flag]


def compile_alone(root, header, flags):
    text = f'#include "{header}"\n#include "{header}"\n'
    command = ["g++", "-std=c++20", "-fsyntax-only", "-fopenmp", "-x", "c++", f"-I{root}", *flags, "-"]
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    errors = [line for line in result.stderr.splitlines() if "error" in line]
    return f"{header}: does not compile alone: {(errors or result.stderr.splitlines())[0]}"


def check(root, options):
    headers = [path for path in tree.files(root, {".h"}) if is_header(path) and not proved_by_build(root, path)]
    flags = include_flags(options)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        findings = pool.map(lambda header: compile_alone(root, header, flags), headers)
        return [finding for finding in findings if finding]


def plant(folder, options):
    options.compile_commands = None
    tree.write(folder, "good.h", "#pragma once\n#include <vector>\nusing Row = std::vector<int>;\n")
    tree.write(folder, "bad.h", "#pragma once\nusing Row = std::vector<int>;\n")
    tree.write(folder, "unguarded.h", "struct Row {};\n")
    tree.write(folder, "second.h", "#pragma once\nusing Row = std::vector<int>;\n")
    tree.write(folder, "second.cpp", '#include <vector>\n#include "second.h"\n')
    return ["bad.h: does not compile alone", "unguarded.h: does not compile alone", "second.h: does not compile alone"]


def add_options(parser):
    parser.add_argument("--compile-commands", type=tree.pathlib.Path, help="compile_commands.json of the build")


if __name__ == "__main__":
    tree.run(check, plant, add_options)
