# Shared by scripts/quickstart and scripts/test, which source it: finds the tree, installs what is missing,
# configures and builds. Exit code 4 means: this machine lacks something, and the message says what.
# shellcheck shell=bash

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
started=$SECONDS

say() { printf '[%3d s] %s\n' "$((SECONDS - started))" "$*"; }

# Allowed CPUs, by affinity and by the control group's quota (containers): what a build may use.
usable_cpus() {
  local cpus quota period
  cpus=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
  if read -r quota period 2>/dev/null < /sys/fs/cgroup/cpu.max && [ "$quota" != max ]; then
    quota=$((quota / period))
    [ "$quota" -ge 1 ] || quota=1
    [ "$quota" -ge "$cpus" ] || cpus=$quota
  fi
  echo "$cpus"
}

# Physical cores among them: two hardware threads of one core do not compute twice as fast.
usable_cores() {
  local cpus cores
  cpus=$(usable_cpus)
  cores=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l) || true
  if [ "${cores:-0}" -ge 1 ] && [ "$cores" -lt "$cpus" ]; then echo "$cores"; else echo "$cpus"; fi
}

is_debian() {
  command -v dpkg-query > /dev/null && command -v apt-get > /dev/null &&
    grep -Eq '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release 2> /dev/null
}

installed() { # PACKAGE PROBE
  if is_debian; then
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
  else
    case $2 in
      c:*) command -v "${2#c:}" > /dev/null ;;
      h:*) printf '#include <%s>\n' "${2#h:}" | g++ -std=c++20 -fsyntax-only -x c++ - 2> /dev/null ;;
    esac
  fi
}

missing_packages() {
  local package probe
  while read -r package probe _; do
    case $package in '' | '#'*) continue ;; esac
    installed "$package" "$probe" || echo "$package"
  done < "$root/scripts/packages.debian"
}

cannot_install() { # REASON PACKAGE...
  local reason=$1
  shift
  {
    echo "Missing on this machine: $*"
    echo "They are not installed for you: $reason."
    echo "On Debian or Ubuntu, type as root:"
    echo "    apt-get update"
    echo "    apt-get install --no-install-recommends $*"
    is_debian || echo "Elsewhere, install what these packages hold (scripts/packages.debian says what each is for)."
    echo "and start ${0##*/} again."
  } >&2
  exit 4
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} -eq 0 ]; then
    say "all packages are there"
    return
  fi
  is_debian || cannot_install "this is neither Debian nor Ubuntu" "${missing[@]}"
  [ "$(id -u)" -eq 0 ] || cannot_install "that needs root" "${missing[@]}"
  say "installing ${#missing[@]} packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update -q && apt-get install -q -y --no-install-recommends "${missing[@]}"; } < /dev/null; then
    cannot_install "apt-get failed, see above" "${missing[@]}"
  fi
  say "packages installed"
}

has_nvcc() {
  command -v nvcc > /dev/null || [ -x "${CUDA_HOME:-${CUDA_PATH:-/usr/local/cuda}}/bin/nvcc" ]
}

# The headers of cuDNN's graph API, from PyPI into build/cudnn_frontend. Without them attention is built without cuDNN,
# so to fail here is no error.
get_cudnn_frontend() {
  local to="$root/build/cudnn_frontend"
  has_nvcc || return 0
  [ ! -f "$to/include/cudnn_frontend.h" ] || return 0
  say "getting the headers of cuDNN's graph API"
  if ! python3 -m pip --version > /dev/null 2>&1 && is_debian && [ "$(id -u)" -eq 0 ]; then
    apt-get install -q -y --no-install-recommends python3-pip < /dev/null || true
  fi
  mkdir -p "$to"
  {
    python3 -m pip download -q --no-deps --only-binary=:all: -d "$to" 'nvidia-cudnn-frontend==1.32.*' &&
      python3 -c 'import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
    wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith("include/")])' "$to"
  } < /dev/null || true
  [ -f "$to/include/cudnn_frontend.h" ] || say "they could not be had: attention is built without cuDNN"
}

# Configures and builds one preset of CMakePresets.json: build_preset NAME [cmake options...]
build_preset() {
  local preset=$1
  shift
  say "configuring build/$preset"
  (cd "$root" && cmake --preset "$preset" "$@" < /dev/null)
  say "building build/$preset on $(usable_cpus) CPUs"
  (cd "$root" && NINJA_STATUS='[%f/%t, %e s] ' cmake --build --preset "$preset" --parallel "$(usable_cpus)" < /dev/null)
}

# Open MPI asks root for a confirmation; whoever runs these scripts as root has given it.
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# Without ssh, Open MPI refuses to start even where all ranks are on this host, unless told that they are.
if ! command -v ssh > /dev/null && ! command -v rsh > /dev/null; then
  export OMPI_MCA_plm="${OMPI_MCA_plm:-isolated}"
fi
