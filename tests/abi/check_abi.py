"""The plugin header still says what its released versions said: structs only grew at their ends, constants and
function types stayed. The frozen copies lie beside this file."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lint"))
import abi  # noqa: E402
import tree  # noqa: E402

_FROZEN = sorted(pathlib.Path(__file__).parent.glob("bench_plugin_v*.h"))
_HEADER = pathlib.Path("bench/abi/bench_plugin.h")


def check(root, _options):
    current = (root / _HEADER).read_text()
    return [
        f"{_HEADER} against {frozen.name}: {difference}"
        for frozen in _FROZEN
        for difference in abi.differences(frozen.read_text(), current)
    ]


def plant(folder, _options):
    text = _FROZEN[-1].read_text()
    changes = [
        ("int32_t threads;", "int64_t threads;"),  # a member's type
        ("#define BENCH_OK 0", "#define BENCH_OK 9"),  # a constant
        ("typedef int32_t bench_status;", "typedef int64_t bench_status;"),  # a typedef
        ("  int32_t passed;\n", ""),  # a removed member: every later one moves, the last is gone
        ("const char* unavailable;", "double appended_before; const char* unavailable;"),  # an insertion
        ("const char* text);\n", "const char* text, int flags);\n"),  # a signature
        ("  void* (*native_handle)(void* ctx, const char* what); /* [main] */\n} bench_comm;",
         "  void* (*native_handle)(void* ctx, const char* what);\n  int32_t appended;\n} bench_comm;"),  # allowed
    ]
    for old, new in changes:
        if text.count(old) < 1:
            raise SystemExit(f"cannot plant: {old!r} is not in the header")
        text = text.replace(old, new, 1)
    tree.write(folder, _HEADER, text)
    return ["bench_device.threads: was", "BENCH_OK: was 0, is 9", "typedef int32_t bench_status",
            "bench_check.passed: was", "bench_check.error: was", "bench_check.tolerance: was", "bench_check.detail: gone",
            "bench_case.unavailable: was", "bench_host.log: was"]


if __name__ == "__main__":
    tree.run(check, plant)
