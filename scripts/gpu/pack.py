"""Packs what a GPU machine without a package manager lacks: bench, its modules and GPU tests, and the libraries they
need, except those of C and C++, the driver and CUDA's own large libraries, which are looked for there."""
import glob
import os
import re
import shutil
import subprocess
import tarfile

from gpu import steps

# Never carried: the libraries of C and C++ and the loader belong to the machine, CUDA's libraries are too large.
_LEFT_THERE = re.compile(r"(ld-linux.*|libc|libstdc\+\+|libgcc_s|libm|libdl|libpthread|librt|libresolv|libutil|libcuda|libcudart|libcublas\w*"
                         r"|libcudnn\w*|libnccl\w*|libnvrtc\w*|libnvidia\S*|libcupti)\.so.*")
# Of Open MPI: fabrics, other launchers and checkpointing need libraries of their own.
_MPI_LEFT_OUT = re.compile(r"mca_.*_(ucx|ofi|openib|psm2?|slurm|flux|gridengine|tm|monitoring|romio\d*|usnic|sensor)\.so")


def _needed(files):
    """The libraries that files need, by way of the loader."""
    found = {}
    for file in files:
        words = subprocess.run(["ldd", file], capture_output=True, text=True, check=False).stdout
        for name, path in re.findall(r"(\S+) => (/\S+)", words):
            if not _LEFT_THERE.fullmatch(name):
                found[name] = path
    return found


def _copy(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy2(os.path.realpath(source), target)


def _copy_mpi(tree):
    """Open MPI as Debian installs it, moved by OPAL_PREFIX. Returns the files whose libraries are needed, too."""
    mpirun = shutil.which("mpirun")
    plugins = glob.glob("/usr/lib/*/openmpi/lib/openmpi3/*.so")
    if mpirun is None or not plugins:
        return []
    carried = []
    for program in ("mpirun", "orted"):
        _copy(shutil.which(program), os.path.join(tree, "mpi", "bin", program))
        carried.append(shutil.which(program))
    for plugin in plugins + glob.glob("/usr/lib/*/pmix2/lib/pmix/*.so"):
        if not _MPI_LEFT_OUT.fullmatch(os.path.basename(plugin)):
            _copy(plugin, os.path.join(tree, "mpi", os.path.relpath(plugin, "/usr")))
            carried.append(plugin)
    shutil.copytree("/usr/share/openmpi", os.path.join(tree, "mpi", "share", "openmpi"), dirs_exist_ok=True)
    return carried


def _copy_test(test, tree):
    target = os.path.join(tree, "tests", os.path.basename(test))
    _copy(test, target)
    subprocess.run(["strip", target], check=True)


def make_tree(root, build, tree):
    """Fills the folder `tree` from a build folder."""
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["cmake", "--install", build, "--prefix", tree, "--strip"], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(os.path.join(tree, "include"), ignore_errors=True)
    for archive in glob.glob(os.path.join(tree, "lib*", "**", "*.a"), recursive=True):
        os.remove(archive)
    for pattern in steps.PROGRAMS:
        for test in filter(os.path.isfile, glob.glob(os.path.join(build, "tests", "**", pattern), recursive=True)):
            _copy_test(test, tree)
    shutil.copytree(os.path.join(root, "tests", "golden"), os.path.join(tree, "golden"), dirs_exist_ok=True)
    binaries = [path for path in glob.glob(os.path.join(tree, "**", "*"), recursive=True)
                if os.path.isfile(path) and (path.endswith(".so") or os.access(path, os.X_OK))]
    for name, path in _needed(binaries + _copy_mpi(tree)).items():
        _copy(path, os.path.join(tree, "lib", "carried", name))


def make_archive(tree, archive):
    """`tree` as an .tar.xz; returns (bytes of the archive, bytes unpacked)."""
    unpacked = sum(os.path.getsize(path) for path in glob.glob(os.path.join(tree, "**", "*"), recursive=True)
                   if os.path.isfile(path) and not os.path.islink(path))
    with tarfile.open(archive, "w:xz", preset=4) as packed:
        packed.add(tree, arcname=os.path.basename(tree))
    return os.path.getsize(archive), unpacked
