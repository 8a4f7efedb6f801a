#include "bench/device/cpu/host_facts.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

TEST(HostFacts, CpuModelOfX86AndArm) {
  EXPECT_EQ(parse_cpu_model("processor\t: 0\nmodel\t\t: 85\nmodel name\t: Xeon(R) @ 2.5GHz\n"),
            "Xeon(R) @ 2.5GHz");
  EXPECT_EQ(parse_cpu_model("processor\t: 0\nCPU implementer\t: 0x41\n"), "0x41");
  EXPECT_EQ(parse_cpu_model(""), "unknown CPU");
}

TEST(HostFacts, MemoryIsInBytes) {
  EXPECT_EQ(parse_memory_bytes("MemTotal:       16384 kB\nMemFree:  1 kB\n"), 16384.0 * 1024);
  EXPECT_EQ(parse_memory_bytes(""), 0);
}

TEST(HostFacts, QuotaOfBothVersionsOfControlGroups) {
  EXPECT_EQ(parse_cpu_quota("150000 100000\n"), 1.5);
  EXPECT_FALSE(parse_cpu_quota("max 100000\n"));
  EXPECT_FALSE(parse_cpu_quota(""));
  EXPECT_EQ(parse_cpu_quota("50000\n", "100000\n"), 0.5);
  EXPECT_FALSE(parse_cpu_quota("-1\n", "100000\n"));
  EXPECT_FALSE(parse_cpu_quota("", ""));
}

TEST(HostFacts, ControlGroupOfBothVersions) {
  const char* mixed = "4:memory:/m\n2:cpu,cpuacct:/slurm/job_7\n1:name=systemd:/s\n0::/user:1\n";
  EXPECT_EQ(parse_cgroup(mixed, "cpu"), "/slurm/job_7");
  EXPECT_EQ(parse_cgroup(mixed, "cpuacct"), "/slurm/job_7");
  EXPECT_EQ(parse_cgroup(mixed, ""), "/user:1");
  EXPECT_EQ(parse_cgroup("3:cpuset:/x\n", "cpu"), "");
}

TEST(HostFacts, StolenTimeIsAFractionOfAllTime) {
  const CpuTicks before = parse_cpu_ticks("cpu  10 0 10 70 0 0 0 10 5 5\ncpu0 1 1\n");
  EXPECT_EQ(before.total, 100U);
  EXPECT_EQ(before.steal, 10U);
  EXPECT_DOUBLE_EQ(steal_fraction(before, {.total = 300, .steal = 60}), 0.25);
  EXPECT_EQ(steal_fraction(before, before), 0);
  EXPECT_EQ(parse_cpu_ticks("").total, 0U);
}

TEST(HostFacts, CacheSizesHaveUnits) {
  EXPECT_EQ(parse_cache_size("32768K\n"), uint64_t{32} << 20);
  EXPECT_EQ(parse_cache_size("2M"), uint64_t{2} << 20);
  EXPECT_EQ(parse_cache_size("512"), 512U);
  EXPECT_EQ(parse_cache_size(""), 0U);
}

TEST(HostFacts, OfThisHost) {
  const HostFacts facts = read_host_facts();
  EXPECT_FALSE(facts.hostname.empty());
  EXPECT_FALSE(facts.governor.empty());
  EXPECT_GE(facts.cores_online, 1);
  EXPECT_GT(facts.memory_bytes, 1e6);
  EXPECT_GT(read_cpu_ticks().total, 0U);
}

}  // namespace
}  // namespace bench
