"""Plugins as a stranger builds them: `bench` installed to a prefix of its own, the plugin's sources outside of the
tree, find_package(bench), and the result loaded by the installed program."""

import argparse
import json
import pathlib
import shutil
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
        """Copies the sources, builds them against the prefix, and returns the plugin's file."""
        copy = self.folder / sources.name
        shutil.copytree(sources, copy)
        call(arguments.cmake, "-S", copy, "-B", copy / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
             f"-DCMAKE_PREFIX_PATH={self.prefix}")
        call(arguments.cmake, "--build", copy / "build")
        (plugin,) = (copy / "build").rglob("*.cpu.so")
        return plugin

    def bench(self, *words):
        return call(self.prefix / "bin" / "bench", *words, cwd=self.folder)

    def entry_of(self, plugin):
        listing = json.loads(self.bench("list", "--json", "--plugin", plugin))
        (entry,) = [entry for entry in listing["plugins"] if pathlib.Path(entry["file"]).resolve() == plugin.resolve()]
        return entry

    def test_the_template_builds_outside_of_the_tree_and_is_listed(self):
        (self.prefix / "lib/bench/plugins/template.cpu.so").unlink(missing_ok=True)
        plugin = self.build(SOURCE / "plugins" / "template")
        self.assertEqual(self.entry_of(plugin)["id"], "template")

    def test_a_plugin_in_c_needs_the_header_alone_and_is_measured(self):
        plugin = self.build(SOURCE / "tests" / "consumer" / "plain_c")
        self.assertEqual(self.entry_of(plugin)["id"], "plain")
        suite = {"name": "plain", "ceilings": False, "entries": [{"plugin": "plain"}]}
        (self.folder / "plain.json").write_text(json.dumps(suite))
        self.bench("--suite", "plain.json", "--plugin", plugin, "--samples", 5, "--repetitions", 1, "--out", "report.json")
        (case,) = json.loads((self.folder / "report.json").read_text())["cases"]
        self.assertEqual((case["name"], case["outcome"], case["verify"]["status"]), ("plain.increment", "measured", "passed"))

    def test_the_installed_program_finds_its_own_plugins(self):
        found = {entry["id"] for entry in json.loads(self.bench("list", "--json"))["plugins"]}
        self.assertLessEqual({"kernels", "collectives", "train"}, found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the finished build")
    parser.add_argument("--cmake", default="cmake")
    parser.parse_known_args(namespace=arguments)
    unittest.main(argv=sys.argv[:1])
