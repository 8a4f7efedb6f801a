"""--device: what cuda and auto do with a GPU, on a fake one, and what they say without."""
import json
import os
import re
import shutil
import unittest

import harness
from harness import BENCH, Case, DONE, ENVIRONMENT, PLANTED, USAGE

BUILT = os.path.dirname(os.path.dirname(BENCH))
FAKE = os.path.join(PLANTED, "fake_gpu", "bench_device_cuda.so")
ON_GPU = os.path.join(PLANTED, "planted.cuda.so")


class Device(Case):
    def setUp(self):
        """A tree of its own: the built program and its data, none of its modules for GPUs."""
        super().setUp()
        self.modules = self.path("tree/lib/bench")
        for folder in ("tree/bin", "tree/lib/bench/plugins"):
            os.makedirs(self.path(folder))
        os.symlink(os.path.join(BUILT, "share"), self.path("tree/share"))
        shutil.copy(BENCH, self.path("tree/bin/bench"))
        world = os.path.join(BUILT, "lib", "bench", "bench_world_mpi.so")
        if os.path.exists(world):
            os.symlink(world, os.path.join(self.modules, "bench_world_mpi.so"))
        before, harness.BENCH = harness.BENCH, self.path("tree/bin/bench")
        self.addCleanup(setattr, harness, "BENCH", before)

    def plant_gpu(self):
        shutil.copy(FAKE, self.modules)

    def planted(self, cases, *args, **options):
        return ["--suite", self.suite(cases, **options), "--plugin", ON_GPU, "--out", self.path("out.json"), "--quiet", *args]

    def run_on_gpu(self, cases, *args, ranks=0, env=None, **options):
        self.plant_gpu()
        self.expect(DONE, *self.planted(cases, "--device", "cuda", *args, **options), ranks=ranks, env=env)
        valid = self.bench("validate", self.path("out.json"))
        self.assertEqual(valid.returncode, DONE, valid.stdout)
        return self.report("out.json")

    # ---- without a GPU

    def test_a_build_without_the_module_says_so(self):
        self.expect(ENVIRONMENT, *self.planted(["spin"], "--device", "cuda"),
                    says=["--device cuda", "no CUDA module", "BENCH_CUDA=ON", "--device cpu"])
        self.check_auto_on_cpu("no CUDA module")

    def test_the_real_module_says_what_is_missing(self):
        """Its words where this machine has no driver; where it has one, all GPUs are hidden from it."""
        real = os.path.join(BUILT, "lib", "bench", "bench_device_cuda.so")
        if not os.path.exists(real):
            self.skipTest("this build has no CUDA module")
        os.symlink(real, os.path.join(self.modules, "bench_device_cuda.so"))
        hidden = {"CUDA_VISIBLE_DEVICES": ""}
        done = self.expect(ENVIRONMENT, *self.planted(["spin"], "--device", "cuda"), says=["cudaGetDeviceCount says"],
                           env=hidden)
        self.assertRegex(done.stderr, r"the CUDA driver is not there \(libcuda\.so\.1: .*\)|shows no GPU: .*VISIBLE_DEVICES")
        self.check_auto_on_cpu("the CUDA driver", env=hidden)

    def check_auto_on_cpu(self, why, env=None):
        self.expect(DONE, "--suite", self.suite(["spin"]), "--plugin", harness.planted("planted"), "--samples", "2",
                    "--out", self.path("auto.json"), says=["auto chose the CPU", why], env=env)
        device = self.report("auto.json")["environment"]["device"]
        self.assertEqual((device["asked"], device["ran"]), ("auto", "cpu"))
        self.assertIn(why, device["reason"])

    def test_one_rank_without_a_gpu_is_everybodys_matter(self):
        self.plant_gpu()
        missing = {"FAKE_GPU_MISSING": "1"}
        self.expect(ENVIRONMENT, *self.planted(["spin"], "--device", "cuda"), ranks=3, env=missing,
                    says=["rank 1: --device cuda", "the planted driver shows no GPU"])
        self.expect(DONE, "--suite", self.suite(["spin"]), "--plugin", harness.planted("planted"), "--samples", "2",
                    "--out", self.path("auto.json"), "--quiet", ranks=3, env=missing)
        environment = self.report("auto.json")["environment"]
        self.assertEqual({r["device"]["kind"] for r in environment["ranks"]}, {"cpu"})
        self.assertIn("rank 1: the planted driver shows no GPU", environment["device"]["reason"])

    # ---- on a GPU

    def test_cases_are_timed_by_the_devices_clock(self):
        report = self.run_on_gpu(["spin"], "--samples", "4")
        self.assertEqual(report["environment"]["device"]["ran"], "cuda")
        self.assertIn("asked for: GPU 0", report["environment"]["device"]["reason"])
        self.assertEqual(report["environment"]["cuda"], "runtime 13.0, driver 580.0 (CUDA 13.0)")
        device = report["environment"]["ranks"][0]["device"]
        self.assertEqual((device["kind"], device["name"], device["uuid"]), ("cuda", "Fake GPU", "GPU-fake-0"))
        self.assertEqual((device["facts"]["compute_capability"], device["facts"]["multiprocessors"]), ("9.0", 2))
        case, = report["cases"]
        self.assertEqual((case["outcome"], case["device"], case["time_s"]["clock"]), ("measured", "cuda", "device"))
        self.assertEqual(case["flags"], [])

    def test_auto_takes_the_gpu(self):
        self.plant_gpu()
        self.expect(DONE, *self.planted(["spin"], "--samples", "2"))
        device = self.report("out.json")["environment"]["device"]
        self.assertEqual((device["asked"], device["ran"]), ("auto", "cuda"))
        self.assertIn("auto chose CUDA", device["reason"])

    def test_memory_is_the_devices(self):
        holds, spin = self.run_on_gpu(["holds", "spin"], "--samples", "2", repetitions=2)["cases"]
        self.assertEqual(holds["values"]["memory.peak"]["value"], 3 << 20)
        self.assertEqual(spin["values"]["memory.peak"]["value"], 0)
        self.assertEqual(holds["values"]["memory.beside"]["value"], 0)

    def test_the_worst_health_is_kept(self):
        case, = self.run_on_gpu(["spin"], "--samples", "40", env={"FAKE_GPU_HOT": "1"}, ranks=2)["cases"]
        values = {tag: (v["value"], v["unit"]) for tag, v in case["values"].items() if tag.startswith("gpu.")}
        self.assertLess(values["gpu.sm_clock.min"][0], 1979)
        self.assertGreater(values["gpu.power.max"][0], 601)
        self.assertEqual(values["gpu.temperature.max"], (55, "C"))
        self.assertEqual(case["flags"], ["throttled", "throttled_by_power_cap"])

    def test_a_host_that_is_slower_than_the_device_is_flagged(self):
        case, = self.run_on_gpu(["spin"], "--samples", "4", env={"FAKE_GPU_SPEED": "3"})["cases"]
        self.assertEqual(case["flags"], ["launch_bound"])

    def test_cold_and_flanked_cases(self):
        cold, flanked = self.run_on_gpu(["cold-spin", "cold-flanked-spin"], "--samples", "3",
                                        env={"PLANTED_SPIN_US": "300"})["cases"]
        self.assertEqual((cold["time_s"]["mode"], cold["time_s"]["clock"]), ("cold", "device"))
        self.assertEqual(flanked["time_s"]["clock"] if flanked["time_s"] else "device", "device")

    def test_ranks_that_share_a_gpu_are_told(self):
        report = self.run_on_gpu(["spin"], "--samples", "2", ranks=2, env={"FAKE_GPU_ONE": "1"})
        self.assertIn("2 ranks share this GPU", report["environment"]["device"]["reason"])
        self.assertTrue(any("2 ranks share this GPU" in note for note in report["run"]["notes"]))
        report = self.run_on_gpu(["spin"], "--samples", "2", ranks=2)
        self.assertEqual([r["device"]["uuid"] for r in report["environment"]["ranks"]], ["GPU-fake-0", "GPU-fake-1"])
        self.assertNotIn("share", report["environment"]["device"]["reason"])

    # ---- communicators

    def collectives(self, *args, ranks=0, env=None, code=DONE, says=()):
        self.plant_gpu()
        suite = self.write("collectives.json", json.dumps({
            "name": "collectives", "ceilings": False, "entries": [{"plugin": "collectives", "set": "smoke"}]}))
        self.expect(code, "--suite", suite, "--plugin", os.path.join(PLANTED, "collectives.cuda.so"), "--device", "cuda",
                    "--samples", "3", "--repetitions", "1", "--out", self.path("out.json"), *args, ranks=ranks, env=env,
                    says=says)
        return self.report("out.json") if code == DONE else None

    def check_comm(self, report, label, reason):
        self.assertEqual({(c["outcome"], c["verify"]["status"]) for c in report["cases"]}, {("measured", "passed")})
        self.assertEqual({c["params"]["comm"] for c in report["cases"]}, {label})
        self.assertEqual([n for n in report["run"]["notes"] if n.startswith("communicator")],
                         [f"communicator {label}: {reason}"] if reason else [])
        self.assertIsNone(report["environment"]["nccl"])

    def test_a_rank_alone_copies_on_its_gpu(self):
        self.check_comm(self.collectives(), "self", "")

    def test_ranks_communicate_through_host_memory_where_it_is_asked_for(self):
        self.check_comm(self.collectives("--comm", "staged", ranks=3), "mpi staged through host memory", "asked for")

    def test_a_build_without_nccl_stages_and_says_so(self):
        report = self.collectives(ranks=2)
        missing = os.path.join(self.modules, "bench_comm_nccl.so")
        self.check_comm(report, "mpi staged through host memory",
                        f"rank 0: this build has no NCCL module ({missing} is not there): build where nccl.h and libnccl are, "
                        "or give --comm staged")
        self.collectives("--comm", "nccl", ranks=2, code=ENVIRONMENT, says=["--comm nccl", "no NCCL module"])
        self.collectives("--nccl-algo", "Ring", ranks=2, code=USAGE, says=["--nccl-algo has no effect"])

    def test_the_nccl_module_says_what_is_missing(self):
        real = os.path.join(BUILT, "lib", "bench", "bench_comm_nccl.so")
        if not os.path.exists(real):
            self.skipTest("this build has no NCCL module")
        os.symlink(real, os.path.join(self.modules, "bench_comm_nccl.so"))
        hidden = {"CUDA_VISIBLE_DEVICES": ""}
        self.collectives("--comm", "nccl", code=ENVIRONMENT, says=["--comm nccl", "NCCL finds no GPU"], env=hidden)
        note, = (n for n in self.collectives(ranks=2, env=hidden)["run"]["notes"] if n.startswith("communicator"))
        self.assertIn("NCCL finds no GPU", note)

    # ---- plugins

    def test_a_plugin_without_a_flavour_for_gpus(self):
        self.plant_gpu()
        self.expect(ENVIRONMENT, "--suite", self.suite(["spin"]), "--plugin", harness.planted("planted"), "--device", "cuda",
                    says=["'planted' for cuda", "no planted.cuda.so", "there for cpu", "--device cpu"])
        shutil.copy(harness.planted("planted"), os.path.join(self.modules, "plugins"))
        self.expect(ENVIRONMENT, "--suite", self.suite(["spin"]), "--device", "cuda", says=["there for cpu"])

    def test_a_cpu_run_does_not_open_plugins_for_gpus(self):
        shutil.copy(harness.planted("planted"), os.path.join(self.modules, "plugins"))
        self.write("tree/lib/bench/plugins/planted.cuda.so", "what wants a library that is not here")
        done = self.expect(DONE, "--suite", self.suite(["spin"]), "--samples", "2", "--device", "cpu",
                           "--out", self.path("out.json"))
        self.assertNotIn("planted.cuda.so", done.stderr)

    def test_a_plugin_that_lacks_a_library_of_cudas(self):
        self.expect(ENVIRONMENT, "--suite", "smoke", "--plugin", os.path.join(PLANTED, "needy.cuda.so"),
                    says=["needy.cuda.so", "libcublasLt.so.99", "LD_LIBRARY_PATH", "CUDA_HOME"])

    # ---- what there is

    def test_list_and_doctor(self):
        self.plant_gpu()
        arguments = ["--suite", self.suite(["spin"]), "--plugin", ON_GPU]
        text = self.expect(DONE, "list", *arguments).stdout
        self.assertTrue(re.search(r"cuda +auto chose CUDA: GPU 0", text), text)
        self.assertTrue(re.search(r"planted +cuda +1 ", text), text)
        listed = json.loads(self.expect(DONE, "list", "--json", *arguments).stdout)
        self.assertEqual(listed["device"]["ran"], "cuda")
        arguments += ["--plugin", harness.planted("planted")]
        listed = json.loads(self.expect(DONE, "list", "--json", *arguments, env={"FAKE_GPU_MISSING": "0"}).stdout)
        usable = {p["device"]: (p["usable"], p["reason"]) for p in listed["plugins"]}
        self.assertEqual(usable, {"cpu": (True, None), "cuda": (False, "the planted driver shows no GPU")})
        found = {c["name"]: c for c in json.loads(self.expect(DONE, "doctor", "--json").stdout)["checks"]}
        self.assertEqual((found["GPU"]["status"], found["GPU clocks"]["status"]), ("ok", "ok"))
        self.assertIn("Fake GPU, 1.1 GB, compute capability 9.0", found["GPU"]["value"])
        found = {c["name"]: c for c in json.loads(
            self.expect(DONE, "doctor", "--json", env={"FAKE_GPU_MISSING": "0"}).stdout)["checks"]}
        self.assertEqual((found["GPU"]["status"], found["GPU"]["value"]), ("missing", "the planted driver shows no GPU"))


if __name__ == "__main__":
    unittest.main()
