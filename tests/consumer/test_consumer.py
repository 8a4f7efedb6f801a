"""Plugins as a stranger builds them: `bench` installed to a prefix of its own, the plugin's sources outside of the
tree, find_package(bench), and the result loaded by the installed program."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
arguments = argparse.Namespace()


def call(*command, **how):
    """What the command wrote to stdout; its words when it fails."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **how)
    if result.returncode != 0:
        raise AssertionError(f"{command} exits {result.returncode}:\n{result.stdout}\n{result.stderr}")
    return result.stdout


class ConsumerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.prefix = cls.folder / "prefix"
        call(arguments.cmake, "--install", arguments.build, "--prefix", cls.prefix)

    def build(self, sources):
        """Builds the folder of sources against the prefix and returns the plugin's file."""
        build = self.folder / (sources.name + "-build")
        call(arguments.cmake, "-S", sources, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
             f"-DCMAKE_PREFIX_PATH={self.prefix}")
        call(arguments.cmake, "--build", build)
        (plugin,) = build.rglob("*.cpu.so")
        return plugin

    def bench(self, *words):
        return call(self.prefix / "bin" / "bench", *words, cwd=self.folder)

    def entry_of(self, plugin):
        listing = json.loads(self.bench("list", "--json", "--plugin", plugin))
        (entry,) = [entry for entry in listing["plugins"] if pathlib.Path(entry["file"]).resolve() == plugin.resolve()]
        return entry

    def run_alone(self, plugin, name):
        """The report's only case of a suite that runs nothing but this plugin."""
        suite = {"name": name, "ceilings": False, "entries": [{"plugin": name}]}
        (self.folder / f"{name}-suite.json").write_text(json.dumps(suite))
        self.bench("--suite", f"{name}-suite.json", "--plugin", plugin, "--device", "cpu", "--samples", 5, "--repetitions", 1,
                   "--out", f"{name}.json")
        (case,) = json.loads((self.folder / f"{name}.json").read_text())["cases"]
        return case

    def test_a_copy_of_the_template_builds_outside_of_the_tree_and_is_measured(self):
        copy = self.folder / "mine"
        copy.mkdir()
        text = (SOURCE / "plugins/template/plugin.cpp").read_text()
        self.assertEqual(text.count('"template"'), 1)
        (copy / "plugin.cpp").write_text(text.replace('"template"', '"mine"'))
        (copy / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\n"
            "project(mine CXX)\n"
            "find_package(bench REQUIRED)\n"
            "bench_plugin(mine SOURCES plugin.cpp)\n")
        plugin = self.build(copy)
        self.assertEqual(self.entry_of(plugin)["id"], "mine")
        case = self.run_alone(plugin, "mine")
        self.assertEqual((case["outcome"], case["verify"]["status"]), ("measured", "passed"))

    def test_a_plugin_in_c_needs_the_header_alone_and_is_measured(self):
        plugin = self.build(SOURCE / "tests" / "consumer" / "plain_c")
        self.assertEqual(self.entry_of(plugin)["id"], "plain")
        case = self.run_alone(plugin, "plain")
        self.assertEqual((case["name"], case["outcome"], case["verify"]["status"]),
                         ("plain.increment", "measured", "passed"))

    def test_the_installed_program_finds_its_own_plugins(self):
        found = {entry["id"] for entry in json.loads(self.bench("list", "--json"))["plugins"]}
        self.assertLessEqual({"kernels", "collectives", "train"}, found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the finished build")
    parser.add_argument("--cmake", default="cmake")
    parser.parse_known_args(namespace=arguments)
    unittest.main(argv=sys.argv[:1])
