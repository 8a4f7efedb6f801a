"""Where this machine keeps CUDA's libraries, and what loading them here takes."""
import glob
import os
import sys
import sysconfig

# What the CUDA modules and plugins of bench need besides the driver, one file of each.
WANTED = {"cuBLASLt": "libcublasLt.so.13", "cuDNN": "libcudnn.so.9", "NCCL": "libnccl.so.2", "NVRTC": "libnvrtc.so.13"}


def _candidates():
    for variable in ("CUDA_HOME", "CUDA_PATH"):
        if os.environ.get(variable):
            yield from glob.glob(os.path.join(os.environ[variable], "lib64"))
    # The wheels beside a PyTorch: site-packages/nvidia/<component>/lib.
    for site in {sysconfig.get_paths()["purelib"], *(path for path in sys.path if path.endswith("packages"))}:
        yield from sorted(glob.glob(os.path.join(site, "nvidia", "*", "lib")))
    yield from sorted(glob.glob("/usr/local/cuda*/lib64"))
    yield from ("/usr/lib/x86_64-linux-gnu", "/usr/lib64")


def cuda_folders():
    """(folders for the loader, in order; names of the libraries that are nowhere)."""
    folders, missing = [], []
    for name, file in WANTED.items():
        folder = next((c for c in _candidates() if os.path.exists(os.path.join(c, file))), None)
        if folder is None:
            missing.append(f"{name} ({file})")
        elif folder not in folders:
            folders.append(folder)
    return folders, missing


def environment(tree):
    """This process's environment, so that programs of the carried tree find their libraries and MPI itself."""
    folders, _ = cuda_folders()
    own = os.path.join(tree, "lib", "carried")
    made = dict(os.environ)
    made["LD_LIBRARY_PATH"] = ":".join([own, *folders, *filter(None, [os.environ.get("LD_LIBRARY_PATH", "")])])
    if os.path.exists(os.path.join(tree, "mpi", "bin", "mpirun")):
        made["PATH"] = os.path.join(tree, "mpi", "bin") + ":" + made["PATH"]
        made["OPAL_PREFIX"] = os.path.join(tree, "mpi")
        made["PMIX_INSTALL_PREFIX"] = os.path.join(tree, "mpi", "lib", "x86_64-linux-gnu", "pmix2")
    # What the tests ask for.
    made.update({"BENCH": os.path.join(tree, "bin", "bench"), "BENCH_MODULES": os.path.join(tree, "lib", "bench"),
                 "MPIRUN": "mpirun", "PLANTED": ""})
    # One host, no secure shell, perhaps root: what Open MPI would otherwise refuse.
    made.update({"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_plm": "isolated",
                 "OMPI_MCA_pml": "ob1", "OMPI_MCA_btl": "self,vader"})
    return made
