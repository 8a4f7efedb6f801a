"""A plugin exports exactly its entry symbol, and a module exactly its own: nothing of the static libraries or
of the C++ library inside leaks into the process, where it could meet another version of itself."""

import elf
import tree

# Below lib/bench of a build or an installed prefix.
_EXPECTED = {"plugins/*.so": {"bench_plugin_entry"}, "bench_world_*.so": {"bench_world_create"}}
# Not built everywhere.
_OPTIONAL = {"bench_device_cuda.so": {"bench_device_cuda_create"}, "bench_comm_nccl.so": {"bench_comm_nccl_create"},
             "bench_nccl_record.so": {"bench_nccl_record_switch", "bench_nccl_record_read", "ncclProfiler_v3"}}


def check(root, options):
    build = options.build or root
    findings = []
    for pattern, expected in {**_EXPECTED, **_OPTIONAL}.items():
        modules = sorted((build / "lib" / "bench").glob(pattern))
        if not modules and pattern in _EXPECTED:
            findings.append(f"{pattern}: nothing was built, so nothing was checked")
        for module in modules:
            found = elf.exported(module)
            findings += [f"{module.name}: exports {name}" for name in sorted(found - expected)[:5]]
            findings += [f"{module.name}: lacks {name}" for name in sorted(expected - found)]
    return findings


def plant(folder, options):
    options.build = None
    entry = "int bench_plugin_entry(void) { return 0; }\n"
    elf.plant_library(folder, "lib/bench/plugins/good.cpu.so", entry)
    elf.plant_library(folder, "lib/bench/plugins/leaky.cpu.so", entry + "int helper(void) { return 1; }\n")
    elf.plant_library(folder, "lib/bench/plugins/mute.cpu.so", "")
    elf.plant_library(folder, "lib/bench/bench_device_cuda.so", "int bench_device_cuda_make(void) { return 0; }\n")
    return ["bench_device_cuda.so: exports bench_device_cuda_make", "bench_device_cuda.so: lacks bench_device_cuda_create",
            "leaky.cpu.so: exports helper", "mute.cpu.so: lacks bench_plugin_entry", "bench_world_*.so: nothing was built"]


if __name__ == "__main__":
    tree.run(check, plant, elf.add_options)
