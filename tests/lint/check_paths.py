"""No absolute path of somebody's machine stands in the tree: home folders, scratch folders, mounts."""

import re

import tree

_MACHINE_PATH = re.compile(r"(?<![\w.}/~$)-])/(work|home|root|tmp|Users|mnt|scratch)/")
_TEXT = {".h", ".c", ".cpp", ".cu", ".cuh", ".in", ".py", ".sh", ".txt", ".cmake", ".json", ".md", ".yml", ".debian", ""}


def check(root, _options):
    findings = []
    for path in tree.files(root, _TEXT):
        for number, line in enumerate(tree.lines(root, path), 1):
            match = _MACHINE_PATH.search(line)
            if match:
                findings.append(f"{path}:{number}: absolute path of a machine: {line.strip()[:90]}")
    return findings


def plant(folder, _options):
    home = "/" + "home"
    tree.write(folder, "bench/main.cpp", f'const char* kData = "{home}/somebody/data";\n')
    tree.write(folder, "scripts/run", f"cd {home}/somebody\n")
    tree.write(folder, "README.md", "See build/tmp/report and https://host.example/home/page.\n")
    return ["bench/main.cpp:1", "scripts/run:1"]


if __name__ == "__main__":
    tree.run(check, plant)
