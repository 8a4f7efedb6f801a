"""Plugins that are not what they should be: named, explained, exit code 4; only passed over where not needed."""
import json
import os
import shutil
import unittest

from harness import BENCH, Case, DONE, ENVIRONMENT, FAILED, NO_VERDICT, planted

OWN = os.path.join(os.path.dirname(os.path.dirname(BENCH)), "lib", "bench", "plugins")


class Plugins(Case):
    def refuse(self, file, *says):
        self.expect(ENVIRONMENT, "--suite", "smoke", "--plugin", file, says=[os.path.basename(file), *says])

    def test_named_plugins_must_load(self):
        self.refuse(self.path("missing.cpu.so"), "does not exist")
        self.refuse(self.write("text.cpu.so", "not a library"), "cannot be opened as a library")
        self.refuse(planted("nosymbol"), "does not export bench_plugin_entry")
        self.refuse(planted("wrongmajor"), "ABI 99.", "rebuild")
        self.refuse(planted("wrongname"), "another", "must be named")
        self.refuse(planted("refusing"), "the planted create refuses")

    def test_duplicate(self):
        self.expect(ENVIRONMENT, "--suite", "smoke", "--plugin", planted("planted"), "--plugin", planted("planted"),
                    says=["same name"])

    def test_found_ones_are_passed_over_with_a_warning(self):
        folder = self.path("plugins")
        os.mkdir(folder)
        shutil.copy(planted("wrongmajor"), folder)
        done = self.expect(DONE, "list", "--suite", "smoke", "--plugin-dir", folder, says=["warning", "wrongmajor"])
        self.assertIn("unusable", done.stdout)

    def test_a_needed_one_that_is_broken_ends_the_run(self):
        suite = self.write("needs.json", '{"name": "n", "entries": [{"plugin": "wrongmajor"}], "ceilings": false}')
        folder = self.path("plugins")
        os.mkdir(folder)
        shutil.copy(planted("wrongmajor"), folder)
        self.expect(ENVIRONMENT, "--suite", suite, "--plugin-dir", folder, says=["needs plugin 'wrongmajor'", "ABI 99."])
        self.expect(ENVIRONMENT, "--suite", suite, says=["needs plugin 'wrongmajor'", "there is no wrongmajor.cpu.so"])

    def test_ranks_with_different_plugins(self):
        other = self.path("other")
        os.mkdir(other)
        shutil.copy(planted("planted"), other)
        with open(os.path.join(other, "planted.cpu.so"), "ab") as file:
            file.write(b"one byte more")
        script = self.write("rank.sh", f"""#!/bin/sh
if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then P={other}/planted.cpu.so; else P={planted("planted")}; fi
exec {BENCH} --suite {self.suite(["spin"])} --plugin $P --quiet
""")
        done = self.shell(script, 2)
        self.assertEqual(done.returncode, ENVIRONMENT, done.stderr)
        self.assertIn("plugins", done.stderr)
        self.assertIn("rank", done.stderr)

    def test_ranks_with_different_cases(self):
        script = self.write("rank.sh", f"""#!/bin/sh
[ "$OMPI_COMM_WORLD_RANK" = 1 ] && export PLANTED_EXTRA_CASE=1
exec {BENCH} --suite {self.suite(["spin"])} --plugin {planted("planted")} --quiet
""")
        done = self.shell(script, 3)
        self.assertEqual(done.returncode, ENVIRONMENT, done.stderr)
        self.assertIn("list of cases", done.stderr)

    def shell(self, script, ranks):
        import subprocess
        from harness import mpirun
        return subprocess.run([*mpirun(ranks), "sh", script], cwd=self.folder.name, capture_output=True, text=True, timeout=120)

    def test_plugins_of_the_first_minor_version_still_work(self):
        suite = self.write("old.json", '{"name": "n", "entries": [{"plugin": "planted_v1_0", "set": "cold-spin"}], "ceilings": false}')
        self.expect(DONE, "--suite", suite, "--plugin", planted("planted_v1_0"), "--samples", "5", "--out", self.path("out.json"))
        case, = self.report("out.json")["cases"]
        self.assertEqual((case["outcome"], case["time_s"]["mode"]), ("measured", "hot"))

    def test_a_wrong_kernel_gets_no_time(self):
        self.expect(FAILED, *self.run_planted(["wrong", "cold-wrong", "flanked-wrong", "cold-flanked-wrong", "spin"]))
        *all_wrong, right = self.report("out.json")["cases"]
        for wrong in all_wrong:
            self.assertEqual((wrong["outcome"], wrong["verify"]["status"]), ("wrong", "wrong"), wrong["name"])
            self.assertIsNone(wrong["time_s"])
            self.assertIsNone(wrong["flanked"])
            self.assertEqual(wrong["samples_s"], [])
            self.assertIn("element 3", wrong["reason"])
        self.assertEqual(right["outcome"], "measured")

    def test_lists_are_expanded(self):
        """Every combination is a case of its own; a case that no list touches is planned once."""
        lists = ["--axis", "m=1:4:*2", "--axis", "n=3,5", "--variant", "spin=a", "--variant", "spin=b,c", "--samples", "2"]
        arguments = self.run_planted(["shaped", "spin"], repetitions=2)
        self.expect(DONE, *arguments, *lists)
        self.assertEqual(self.bench("validate", self.path("out.json")).returncode, DONE)
        cases = self.report("out.json")["cases"]
        shaped = {(c["params"]["m"], c["params"]["n"], c["params"]["spin"]) for c in cases if c["name"] == "planted.shaped"}
        self.assertEqual(shaped, {(m, n, v) for m in (1, 2, 4) for n in (3, 5) for v in "abc"})
        self.assertEqual(len(cases), 18 + 1)
        for case in cases:
            self.assertEqual([r["n"] for r in case["rounds"]], [2, 2])
        listed = json.loads(self.expect(DONE, "list", "--json", *arguments, *lists).stdout)["cases"]
        self.assertEqual(sorted(json.dumps(c["params"]) for c in listed), sorted(json.dumps(c["params"]) for c in cases))
        text = self.expect(DONE, "list", *arguments, *lists).stdout
        self.assertIn("m=4 n=5 spin=c", text)

    def test_lists_in_a_suite_file(self):
        self.expect(DONE, *self.run_planted(["shaped"], axis=["m=7:9:1", "k=2"], variant="spin=a,b", samples=1, repetitions=1))
        cases = self.report("out.json")["cases"]
        self.assertEqual([(c["params"]["spin"], c["params"]["m"], c["params"]["k"]) for c in cases],
                         [(v, m, 2) for v in "ab" for m in (7, 8, 9)])

    def test_a_flank_that_is_not_there(self):
        self.expect(ENVIRONMENT, *self.run_planted(["lost-spin"]), says=["planted.lost-spin", "planted.nowhere", "ceilings"])

    def test_a_flank_that_is_wrong_or_never_steady(self):
        for planted_fault, words in (("wrong", "element 3"), ("flips", "all 10 groups")):
            self.expect(NO_VERDICT, *self.run_planted(["flanked-spin", "spin"], samples=5, repetitions=2),
                        env={"PLANTED_CEILING": planted_fault, "PLANTED_SPIN_US": "500"})
            flanked, alone = self.report("out.json")["cases"]
            self.assertEqual((flanked["outcome"], flanked["time_s"], flanked["flanked"]), ("failed", None, None))
            self.assertIn("planted.ceilings", flanked["reason"])
            self.assertIn(words, flanked["reason"])
            self.assertEqual(alone["outcome"], "measured")
            self.assertEqual(self.bench("validate", self.path("out.json")).returncode, DONE)

    def test_a_failing_case_leaves_the_others(self):
        self.expect(NO_VERDICT, *self.run_planted(["fails", "spin"]), ranks=2)
        fails, spins = self.report("out.json")["cases"]
        self.assertEqual(fails["outcome"], "failed", fails)
        self.assertIn("rank 1", fails["reason"])
        self.assertIn("the planted failure", fails["reason"])
        self.assertEqual(spins["outcome"], "measured")


if __name__ == "__main__":
    unittest.main()
