"""A file includes only its own layer and those below it, as layers.json allows. Edges pass on: who may include
`device` may include what `device` may include."""

import json
import pathlib

import tree

_DATA = json.loads((pathlib.Path(__file__).parent / "layers.json").read_text())


def layer_of(path):
    """The layer of the longest folder in layers.json that holds the path, or None."""
    for folder in path.parents:
        if str(folder) in _DATA["layers"]:
            return _DATA["layers"][str(folder)]
    return None


def reachable(layer):
    seen, open_layers = set(), [layer]
    while open_layers:
        current = open_layers.pop()
        if current not in seen:
            seen.add(current)
            open_layers += _DATA["may_include"].get(current, [])
    return seen


def check(root, _options):
    findings = []
    for path in tree.files(root, tree.SOURCE_SUFFIXES):
        layer = layer_of(path)
        if layer is None:
            findings.append(f"{path}: stands in no layer; name its folder in tests/lint/layers.json")
            continue
        allowed = reachable(layer)
        for number, quoted, name in tree.includes(root, path):
            target = layer_of(pathlib.Path(name)) if quoted else None
            if quoted and target is None:
                findings.append(f'{path}:{number}: "{name}" is no path from the root of the tree')
            elif quoted and target not in allowed and "*" not in allowed:
                findings.append(f'{path}:{number}: layer {layer} must not include layer {target} ("{name}")')
    return findings


def plant(folder, _options):
    tree.write(folder, "kernels/gelu.h", '#include "bench/device/device.h"\n#include "bench/abi/bench_plugin.h"\n')
    tree.write(folder, "bench/base/status.h", '#include "bench/runner/session.h"\n')
    tree.write(folder, "plugins/train/train.cpp", '#include "reports/schema/report.h"\n#include "train.h"\n')
    tree.write(folder, "elsewhere/lost.h", "")
    return [
        "bench/base/status.h:1: layer base must not include layer runner",
        "plugins/train/train.cpp:1: layer plugins must not include layer schema",
        'plugins/train/train.cpp:2: "train.h" is no path from the root',
        "elsewhere/lost.h: stands in no layer",
    ]


if __name__ == "__main__":
    tree.run(check, plant)
