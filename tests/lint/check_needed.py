"""`bench` starts on a machine without MPI and without a GPU: it needs neither library. The module of the GPU opens there,
too, so that it can say what is missing: it needs no library of CUDA. Nothing at all needs the driver, which is asked for
at run time."""

import re

import elf
import tree

_NOT_IN_BENCH = re.compile(r"lib(mpi|open-|cuda|cudart|cublas|nccl|nvrtc|nvidia)[\w-]*\.so.*")
_NOWHERE = re.compile(r"lib(cuda|nvidia-ml)\.so.*")


def check(root, options):
    build = options.build or root
    program = build / "bin" / "bench"
    if not program.exists():
        return ["bin/bench: not there, so nothing was checked"]
    findings = [f"bin/bench: needs {name}" for name in sorted(elf.needed(program)) if _NOT_IN_BENCH.fullmatch(name)]
    for module in elf.libraries(build / "lib" / "bench"):
        forbidden = _NOT_IN_BENCH if module.name.startswith("bench_device_") else _NOWHERE
        findings += [f"{module.name}: needs {name}" for name in elf.needed(module) if forbidden.fullmatch(name)]
    return findings


def plant(folder, options):
    options.build = None
    for library in ("libmpi", "libcuda", "libcudart", "libnvidia-ml"):
        elf.plant_library(folder, f"{library}.so", "", f"-Wl,-soname,{library}.so.1")
    link = ["-Wl,--no-as-needed", f"-L{folder}"]
    elf.plant_library(folder, "bin/bench", "", *link, "-lmpi", "-lcuda")
    elf.plant_library(folder, "lib/bench/plugins/train.cuda.so", "", *link, "-lcuda", "-lcudart")
    elf.plant_library(folder, "lib/bench/plugins/gpu.cuda.so", "", *link, "-lnvidia-ml")
    elf.plant_library(folder, "lib/bench/bench_device_cuda.so", "", *link, "-lcudart")
    elf.plant_library(folder, "lib/bench/plugins/train.cpu.so", "")
    return ["bin/bench: needs libmpi.so.1", "bin/bench: needs libcuda.so.1", "train.cuda.so: needs libcuda.so.1",
            "gpu.cuda.so: needs libnvidia-ml.so.1", "bench_device_cuda.so: needs libcudart.so.1"]


if __name__ == "__main__":
    tree.run(check, plant, elf.add_options)
