"""Writes the list of members of the frozen header as C rows, or (--mutate) the header with one member inserted, for
the layout test to find."""

import pathlib
import sys

import abi


def rows(text):
    for struct, members in abi.structs(text).items():
        yield f'ROW_STRUCT({struct})'
        for name, _ in members:
            yield f"ROW_MEMBER({struct}, {name})"
    for name, value in abi.constants(text).items():
        if name != "BENCH_ABI_MINOR" and not value.startswith('"'):
            yield f"ROW_CONSTANT({name})"


def mutated(text):
    place = "  int32_t rank;\n"
    if text.count(place) != 1:
        raise SystemExit("cannot plant a member: the place is not in the header")
    return text.replace(place, "  double planted;\n" + place)


if __name__ == "__main__":
    mode, frozen, target = sys.argv[1:]
    source = pathlib.Path(frozen).read_text()
    pathlib.Path(target).write_text(mutated(source) if mode == "--mutate" else "\n".join(rows(source)) + "\n")
