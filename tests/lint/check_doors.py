"""A vendor's headers are included only behind that vendor's door, as doors.json names them."""

import fnmatch
import json
import pathlib
import re

import tree

_VENDORS = json.loads((pathlib.Path(__file__).parent / "doors.json").read_text())


def check(root, _options):
    findings = []
    for path in tree.files(root, tree.SOURCE_SUFFIXES):
        for number, _, name in tree.includes(root, path):
            for vendor in _VENDORS:
                behind_door = any(fnmatch.fnmatch(str(path), door) for door in vendor["doors"])
                if re.fullmatch(vendor["headers"], name) and not behind_door:
                    doors = ", ".join(vendor["doors"])
                    findings.append(f"{path}:{number}: {vendor['what']} ({name}) may be included only in {doors}")
    return findings


def plant(folder, _options):
    tree.write(folder, "parallel/comm/mpi/mpi_communicator.cpp", "#include <mpi.h>\n")
    tree.write(folder, "kernels/gemm/gemm_cpu.cpp", "#include <oneapi/dnnl/dnnl.hpp>\n")
    tree.write(folder, "bench/runner/run.cpp", "#include <mpi.h>\n#include <benchmark/benchmark.h>\n#include <map>\n")
    tree.write(folder, "kernels/gemm/gemm.h", "#include <dnnl.hpp>\n")
    tree.write(folder, "plugins/train/step.cpp", "#include <cuda_runtime.h>\n#include <nccl.h>\n")
    tree.write(folder, "bench/main.cpp", "#  include <nvtx3/nvToolsExt.h>\n")
    return [
        "bench/runner/run.cpp:1: MPI",
        "bench/runner/run.cpp:2: Google Benchmark",
        "kernels/gemm/gemm.h:1: oneDNN",
        "plugins/train/step.cpp:1: CUDA",
        "plugins/train/step.cpp:2: NCCL",
        "bench/main.cpp:1: NVTX",
    ]


if __name__ == "__main__":
    tree.run(check, plant)
