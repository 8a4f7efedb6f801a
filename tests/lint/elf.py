"""What the checks of built libraries share: symbols, needed libraries, and planting a small library."""

import pathlib
import re
import shutil
import subprocess

import tree


def tool(*command):
    if not shutil.which(command[0]):
        raise tree.Skip(f"no {command[0]} on this machine (package binutils)")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def exported(library):
    """Names that a library defines for others."""
    return {line.split()[-1] for line in tool("nm", "-D", "--defined-only", str(library)).splitlines() if line.strip()}


def needed(binary):
    """File names that the loader brings in with a binary."""
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", tool("readelf", "-d", "-W", str(binary))))


def libraries(folder):
    return sorted(pathlib.Path(folder).rglob("*.so"))


def plant_library(folder, path, text, *flags):
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["gcc", "-shared", "-fPIC", "-nostdlib", "-x", "c", "-", "-o", str(target), *flags]
    subprocess.run(command, input=text, text=True, check=True)


def add_options(parser):
    parser.add_argument("--build", type=pathlib.Path, help="build folder, or an installed prefix")
