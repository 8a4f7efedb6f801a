"""Bad words on the command line: a message that names the thing and the remedy, and exit code 3."""
import json
import unittest

from harness import Case, DONE, TINY, USAGE


class Usage(Case):
    def test_unknown_names(self):
        self.expect(USAGE, "--suite", "nosuch", says=["no suite 'nosuch'", "scaling", "smoke"])
        self.expect(USAGE, "--nosuch", "1", says=["--nosuch", "--help"])
        self.expect(USAGE, "--suite", "train", "--model", "gpt5", says=["gpt5", "gpt2-124m"])
        self.expect(USAGE, "--suite", "smoke", "--filter", "nothing-is-called-so", says=["leave none", "bench list"])
        self.expect(USAGE, "--suite", "smoke", "--filter", "a(", says=["no regular expression"])
        self.expect(USAGE, "nosuchcommand", says=["--help"])
        for later in ("compare", "report"):
            self.expect(USAGE, later, "a.json", "b.json")

    def test_ill_typed_values(self):
        self.expect(USAGE, "--suite", "smoke", "--repetitions", "many", says=["--repetitions", "'many'"])
        self.expect(USAGE, "--suite", "smoke", "--repetitions", "1.5", says=["whole number"])
        self.expect(USAGE, "--suite", "smoke", "--repetitions", "0", says=["at least 1"])
        self.expect(USAGE, "--suite", "smoke", "--device", "tpu", says=["auto|cpu|cuda", "'tpu'"])
        self.expect(USAGE, "--suite", "smoke", "--require", "speed is good", says=["speed is good"])
        self.expect(USAGE, "--suite", "smoke", "--require", "nosuch.path>=1", says=["nosuch.path"])
        self.expect(USAGE, "--suite", "train", "--model", TINY, "--lr-decay-style", "step", says=["constant|linear|cosine"])
        self.expect(USAGE, "--suite", "train", "--model", TINY, "--lr-decay-style", "cosine", says=["lr-decay-steps 0"])
        self.expect(USAGE, "--suite", "train", "--model", TINY, "--min-lr", "1e-5", says=["min-lr"])
        self.expect(USAGE, "--suite", "train", "--model", "layers=2,hidden=x,heads=4,seq=16,vocab=300", says=["hidden"])

    def test_lists(self):
        for text in ("x", "=a", "op=", "op=a,,b"):
            self.expect(USAGE, "--suite", "smoke", "--variant", text, says=["--variant", f"'{text}'", "op=name"])
        for text in ("m", "m=", "m=0", "m=-1", "m=1.5", "m=3:1:1", "m=1:3", "m=1:9:*1", "m=1:9:0", "m=1,x", "m=1:100000:1"):
            self.expect(USAGE, "--suite", "smoke", "--axis", text, says=["--axis", f"'{text}'", "key=LIST"])
        self.expect(USAGE, "--suite", "smoke", "--axis", "nosuch=1,2", says=["'nosuch'", "bench list"])
        self.expect(USAGE, "--suite", "smoke", "--axis", "m=1:40:1", "--axis", "n=1:40:1", says=["combinations"])
        self.expect(USAGE, "--suite", "scaling", "--variant", "gelu=simd,simd2", says=["scaling"])
        self.expect(USAGE, "--suite", self.write("e.json", json.dumps(
            {"name": "e", "options": {"axis": "m=2:1:1"}, "entries": [{"plugin": "train"}]})), says=["e.json", "'m=2:1:1'"])

    def test_communicators(self):
        self.expect(USAGE, "--suite", "collectives", "--comm", "tcp", says=["auto|nccl|staged|mpi|shared", "'tcp'"])
        for option, value in (("--comm", "staged"), ("--nccl-algo", "Ring"), ("--nccl-proto", "Simple")):
            self.expect(USAGE, "--suite", "collectives", "--device", "cpu", option, value, says=[option, "for ranks on GPUs"])

    def test_impossible_combinations(self):
        model = "layers=2,hidden=48,heads=3,seq=16,vocab=300"
        self.expect(USAGE, "--suite", "train", "--model", model, "--tp", "2", ranks=2, says=["3", "2", "heads"])
        self.expect(USAGE, "--suite", "train", "--model", TINY, "--tp", "2", ranks=3, says=["3", "2"])
        self.expect(USAGE, "--suite", "train", "--model", "layers=2,hidden=50,heads=4,seq=16,vocab=300", says=["50", "4"])
        self.expect(USAGE, "--suite", "train", "--model", TINY, "--micro-batch", "3", "--global-batch", "4",
                    says=["3", "4"])
        self.expect(USAGE, "--suite", "train", "--mpi", "off", ranks=2, says=["--mpi off"])

    def test_suite_files(self):
        self.expect(USAGE, "--suite", self.path("none.json"), says=["none.json"])
        self.expect(USAGE, "--suite", self.write("a.json", "{"), says=["a.json", "no JSON"])
        self.expect(USAGE, "--suite", self.write("b.json", '{"name": "b", "entrys": []}'), says=["entrys", "entries"])
        self.expect(USAGE, "--suite", self.write("c.json", '{"name": "c", "entries": [{"plugin": 3}]}'),
                    says=["plugin", "wrong type"])
        self.expect(USAGE, "--suite", self.write("d.json", json.dumps(
            {"name": "d", "options": {"nosuch": 1}, "entries": [{"plugin": "train"}]})), says=["nosuch"])

    def test_validate(self):
        self.expect(USAGE, "validate", self.path("none.json"), says=["none.json"])
        self.expect(USAGE, "validate", self.write("half.json", '{"schema": '), says=["half.json"])
        done = self.bench("validate", self.write("empty.json", "{}"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("schema", done.stdout)

    def test_help_and_version_are_results(self):
        for flag in ("--help", "--version"):
            done = self.expect(DONE, flag)
            self.assertIn("bench", done.stdout)
        for name in ("suite", "weights", "require", "case-timeout"):
            self.assertIn("--" + name, self.expect(DONE, "--help").stdout)


if __name__ == "__main__":
    unittest.main()
