"""What gpu_check runs, in order: each a program of the carried tree with a time limit of its own."""
import dataclasses
import glob
import os
import shutil
import sys


# Test programs that want a GPU.
PROGRAMS = ("test_*_cuda", "test_cuda_*", "test_mpi_gpu")

# Odd and small shapes of every kernel of our own; under the sanitizer everything takes many times as long.
_SMALL = "*EveryVariant.AgreesWithItsReference*:-*flash*"


@dataclasses.dataclass
class Step:
    name: str
    kind: str  # "test", "suite", "sanitizer"
    command: list
    limit_s: int
    report: str = ""  # the report a suite writes
    why_not: str = ""  # it cannot run here


def _programs(tree):
    """Test programs by name: in one folder of a carried tree, in many of a build folder."""
    found = [path for pattern in PROGRAMS for path in glob.glob(os.path.join(tree, "tests", "**", pattern), recursive=True)]
    return {os.path.basename(path): path for path in sorted(found) if os.path.isfile(path)}


def _has_mpi(tree):
    return os.path.exists(os.path.join(tree, "mpi")) or shutil.which("mpirun") is not None


def _tests(root, tree):
    programs = _programs(tree)
    of_mpi = programs.pop("test_mpi_gpu", None)
    for name, path in programs.items():
        yield Step(name, "test", [path], 240)
    no_mpi = "" if _has_mpi(tree) else "no mpirun"
    for ranks in ("1", "2") if of_mpi else ():
        yield Step(f"test_mpi_gpu on {ranks}", "test", ["mpirun", "-n", ranks, "--oversubscribe", of_mpi,
                   os.path.join(tree, "lib", "bench")], 60, why_not=no_mpi)
    yield Step("the program on GPUs", "test", [sys.executable, "-B", os.path.join(root, "tests", "cli", "gpu_test.py")], 240,
               why_not=no_mpi)


def _sanitized(tree, quick):
    tool = shutil.which("compute-sanitizer")
    program = _programs(tree).get("test_kernels_cuda", "test_kernels_cuda")
    for check in ("memcheck", "racecheck"):
        command = [tool or "compute-sanitizer", "--tool", check, "--error-exitcode", "9", "--print-limit", "20",
                   program, f"--gtest_filter={_SMALL}"]
        yield Step(f"kernels under {check}", "sanitizer", command, 60 if quick else 300,
                   why_not="" if tool else "compute-sanitizer is not on the PATH")


def _suite(tree, out, name, limit_s, *options, ranks=1):
    report = os.path.join(out, f"{name}.json")
    launch = [] if ranks == 1 else ["mpirun", "-n", str(ranks), "--oversubscribe"]
    mpi = [] if ranks > 1 else ["--mpi", "off"]
    why_not = "" if ranks == 1 or _has_mpi(tree) else "no mpirun"
    command = [*launch, os.path.join(tree, "bin", "bench"), *mpi, "--device", "cuda", "--out", report, *options]
    return Step(name, "suite", command, limit_s, report, why_not)


def _suites(tree, out, quick):
    budget = ["--time-budget", "6" if quick else "20"]
    for dtype in ("bf16", "f32"):
        yield _suite(tree, out, f"kernels-{dtype}", 150, "--suite", "kernels", "--dtype", dtype, *budget)
    yield _suite(tree, out, "collectives", 60, "--suite", "collectives", *budget)
    yield _suite(tree, out, "train-gpt2-124m", 120, "--suite", "train", "--dtype", "bf16", "--model", "gpt2-124m",
                 "--micro-batch", "64", *budget)
    yield _suite(tree, out, "scaling", 180, "--suite", "scaling", "--dtype", "bf16", *budget)
    two = ["--comm", "staged", "--samples", "3", "--repetitions", "1"]
    yield _suite(tree, out, "collectives-2-ranks", 90, "--suite", "collectives", *two, ranks=2)
    yield _suite(tree, out, "train-2-ranks", 90, "--suite", "train", "--tp", "2", "--steps", "5", *two[:2],
                 "--repetitions", "1", ranks=2)
    if quick:
        return
    for model, batch, extra in (("gpt2-1558m", "16", ()), ("megatron-1.2b", "8", ()),
                                ("megatron-1.2b", "8", ("--recompute", "full"))):
        name = "-".join(["train", model, *extra[1:]])
        yield _suite(tree, out, name, 150, "--suite", "train", "--dtype", "bf16", "--model", model, "--micro-batch",
                     batch, *extra, *budget)


def all_steps(root, tree, out, quick):
    """`root`: of the source tree, whose tests of the whole program are scripts."""
    yield from _tests(root, tree)
    yield from _sanitized(tree, quick)
    yield from _suites(tree, out, quick)
