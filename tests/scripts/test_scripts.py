"""What scripts/quickstart and scripts/test do to a machine, with everything they call replaced by a fake that writes
down how it was called."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE_TOOLS = ["bash", "cat", "dirname", "env", "grep", "mkdir", "sort", "tee", "touch", "wc"]
PROBED = [line.split()[1] for line in (ROOT / "scripts/packages.debian").read_text().splitlines() if line[:1] not in ("#", "")]


class Machine:
    """A copy of the scripts and a PATH that holds the fakes, and of the real machine only BASE_TOOLS."""

    def __init__(self, folder, uid=1000, cpus=4, debian=True, missing=(), commands=()):
        self.root = pathlib.Path(folder) / "clone"
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        self.bin = pathlib.Path(folder) / "bin"
        self.bin.mkdir()
        self.log = pathlib.Path(folder) / "log"
        self.log.touch()
        for tool in BASE_TOOLS:
            if shutil.which(tool):
                (self.bin / tool).symlink_to(shutil.which(tool))
        for probe in PROBED:
            if probe.startswith("c:") and probe[2:] not in missing:
                self.fake(probe[2:])
        self.fake("id", f"echo {uid}")
        self.fake("nproc", f"echo {cpus}")
        self.fake("lscpu", f"for core in {' '.join(map(str, range(cpus)))}; do echo $core,0; done")
        if debian:
            self.fake("apt-get")
            absent = "|".join(missing) or "-"
            self.fake("dpkg-query", f'case "$4" in {absent}) exit 1 ;; *) echo -n installed ;; esac')
        for name, body in commands:
            self.fake(name, body)

    def fake(self, name, body=":"):
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!{shutil.which("bash")}\necho "{name} $*" >> "{self.log}"\n{body}\n')
        path.chmod(0o755)

    def run(self, script, *arguments):
        environment = {"PATH": str(self.bin), "HOME": str(self.root), "LC_ALL": "C"}
        return subprocess.run([self.root / "scripts" / script, *arguments], env=environment, cwd=self.bin,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def calls(self, name):
        return [line[len(name) + 1:] for line in self.log.read_text().splitlines() if line.startswith(name + " ")]


class ScriptsTest(unittest.TestCase):
    def machine(self, **how):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Machine(folder.name, **how)

    @unittest.skipUnless(shutil.which("dpkg-query") and shutil.which("apt-get"), "needs /etc/os-release of Debian")
    def test_without_root_it_names_the_missing_packages_and_installs_nothing(self):
        for script in ("quickstart", "test"):
            machine = self.machine(missing=["libdnnl-dev", "libhwy-dev"])
            result = machine.run(script)
            self.assertEqual(result.returncode, 4, result.stderr)
            self.assertIn("Missing on this machine: libdnnl-dev libhwy-dev", result.stderr)
            self.assertIn("apt-get install --no-install-recommends libdnnl-dev libhwy-dev", result.stderr)
            self.assertEqual(machine.calls("apt-get") + machine.calls("cmake"), [])

    @unittest.skipUnless(shutil.which("dpkg-query") and shutil.which("apt-get"), "needs /etc/os-release of Debian")
    def test_root_installs_exactly_what_is_missing(self):
        machine = self.machine(uid=0, missing=["libdnnl-dev"], commands=[("cmake", "exit 7")])
        result = machine.run("quickstart")
        self.assertEqual(result.returncode, 7, result.stderr)
        self.assertEqual(machine.calls("apt-get"), ["update -q", "install -q -y --no-install-recommends libdnnl-dev"])

    @unittest.skipUnless(shutil.which("dpkg-query") and shutil.which("apt-get"), "needs /etc/os-release of Debian")
    def test_a_failing_installation_is_an_environment_error(self):
        machine = self.machine(uid=0, missing=["libdnnl-dev"], commands=[("apt-get", "exit 100")])
        result = machine.run("test")
        self.assertEqual(result.returncode, 4)
        self.assertIn("apt-get failed", result.stderr)

    def test_elsewhere_it_probes_commands_and_names_what_is_missing(self):
        machine = self.machine(debian=False, uid=0, missing=["mpicxx"])
        result = machine.run("quickstart")
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("libopenmpi-dev", result.stderr.splitlines()[0])
        self.assertNotIn("openmpi-bin", result.stderr.splitlines()[0])
        self.assertIn("neither Debian nor Ubuntu", result.stderr)

    def test_elsewhere_it_probes_headers_with_the_compiler(self):
        no_onednn = "if grep -q dnnl; then exit 1; fi"
        result = self.machine(debian=False, commands=[("g++", no_onednn)]).run("test")
        self.assertEqual(result.returncode, 4)
        self.assertEqual(result.stderr.splitlines()[0], "Missing on this machine: libdnnl-dev")

    def test_nothing_is_installed_when_nothing_is_missing(self):
        machine = self.machine(commands=[("cmake", "exit 7")])
        self.assertEqual(machine.run("test").returncode, 7)
        self.assertEqual(machine.calls("apt-get"), [])
        self.assertEqual(machine.calls("cmake"), ["--preset release -DBENCH_TESTS=ON"])

    def test_ranks_follow_the_cores(self):
        report = "echo {} > bench-scaling.json"
        for cpus, expected in ((1, "-n 2 --oversubscribe "), (2, "-n 2 "), (6, "-n 6 "), (64, "-n 8 ")):
            machine = self.machine(cpus=cpus, commands=[("mpirun", report)])
            result = machine.run("quickstart")
            self.assertEqual(result.returncode, 0, result.stderr)
            command = "build/release/bin/bench --suite scaling --out bench-scaling.json"
            self.assertEqual(machine.calls("mpirun"), [expected + command])
            self.assertIn(f"The report is {machine.root}/bench-scaling.json", result.stdout)

    def test_ranks_of_one_host_start_without_ssh(self):
        machine = self.machine(commands=[("mpirun", 'echo "plm=$OMPI_MCA_plm"; exit 2')])
        self.assertIn("plm=isolated", machine.run("quickstart").stdout)
        machine.fake("ssh")
        self.assertIn("plm=\n", machine.run("quickstart").stdout)

    def test_a_failing_main_job_fails_the_command(self):
        machine = self.machine(commands=[("mpirun", "exit 2")])
        result = machine.run("quickstart")
        self.assertEqual(result.returncode, 2)
        self.assertNotIn("The report is", result.stdout)

    def test_a_report_of_an_earlier_run_is_not_taken_for_this_one(self):
        machine = self.machine()
        report = machine.root / "bench-scaling.json"
        report.write_text("{}")
        os.utime(report, (1e9, 1e9))
        self.assertNotEqual(machine.run("quickstart").returncode, 0)

    def test_failing_tests_fail_the_command_and_the_sanitizers_still_run(self):
        ctest = 'case "$2" in release) echo "50% tests passed, 1 tests failed out of 2"; exit 8;; esac\n' \
                'echo "100% tests passed, 0 tests failed out of 9"'
        machine = self.machine(commands=[("cmake", "mkdir -p build/$2 build/$3"), ("ctest", ctest)])
        result = machine.run("test")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.splitlines()[-4:], [
            "tests of build/asan:", "100% tests passed, 0 tests failed out of 9",
            "tests of build/release:", "50% tests passed, 1 tests failed out of 2"])

    def test_arguments_are_refused(self):
        for script in ("quickstart", "test"):
            self.assertEqual(self.machine().run(script, "--fast").returncode, 3)
            self.assertEqual(self.machine().run(script, "--help").returncode, 0)


if __name__ == "__main__":
    unittest.main()
