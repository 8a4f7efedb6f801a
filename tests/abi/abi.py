"""Reads the structs and constants of the plugin header: enough of C for that one header, and it says so when it meets
something else."""

import re

_STRUCT = re.compile(r"typedef struct (\w+) \{(.*?)\}\s*\1;", re.S)
_CONSTANT = re.compile(r"^#define (BENCH_\w+)[ \t]+(\S.*?)[ \t]*$", re.M)
_TYPEDEF = re.compile(r"^typedef (?!struct \w+ \{)(.*?);", re.S | re.M)
_MAY_GROW = {"BENCH_ABI_MINOR"}


def without_comments(text):
    return re.sub(r"/\*.*?\*/|\\\n", " ", text, flags=re.S)


def structs(text):
    """{struct: [(member, its whole declaration with single spaces)]} in order of declaration."""
    found = {}
    for name, body in _STRUCT.findall(without_comments(text)):
        found[name] = [row for declaration in body.split(";") for row in _members(" ".join(declaration.split()))]
    return found


def _members(declaration):
    if not declaration:
        return []
    function = re.fullmatch(r"[\w\s*]+\(\*(\w+)\)\(.*\)", declaration)
    if function:
        return [(function.group(1), declaration)]
    plain = re.fullmatch(r"((?:const )?(?:struct )?\w+[\s*]+)(\w+(?:, \w+)*)", declaration)
    if not plain:
        raise ValueError(f"not understood: {declaration}")
    return [(name, plain.group(1) + name) for name in plain.group(2).split(", ")]


def constants(text):
    return {name: value for name, value in _CONSTANT.findall(without_comments(text)) if not name.endswith("_H_")}


def typedefs(text):
    return {" ".join(declaration.split()) for declaration in _TYPEDEF.findall(without_comments(text))}


def differences(frozen, current):
    """What a plugin built with the frozen header would find changed; members appended to a struct are no change."""
    found = []
    now = structs(current)
    for struct, members in structs(frozen).items():
        present = now.get(struct, [])
        for index, (name, declaration) in enumerate(members):
            if index >= len(present):
                found.append(f"{struct}.{name}: gone")
            elif present[index][1] != declaration:
                found.append(f"{struct}.{name}: was `{declaration}`, is `{present[index][1]}`")
    values = constants(current)
    for name, value in constants(frozen).items():
        if name not in _MAY_GROW and values.get(name) != value:
            found.append(f"{name}: was {value}, is {values.get(name, 'gone')}")
    found += [f"gone or changed: typedef {text}" for text in sorted(typedefs(frozen) - typedefs(current))]
    return found
