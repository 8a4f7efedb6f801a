#pragma once
// What /proc and /sys say about this host. What cannot be read is "unknown", 0 or empty, never an
// error.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

struct HostFacts {
  std::string hostname, cpu_model, kernel, governor;
  int cores_online = 1;
  double memory_bytes = 0;
  double load_1min = 0;
  std::optional<double> cpu_quota;  // CPUs the control group may use; empty: no limit
};

HostFacts read_host_facts();
std::string host_name();
std::string cpu_model_name();
uint64_t last_level_cache_bytes();

// Time of all CPUs since the host started, in the kernel's ticks. The difference of two tells which
// fraction of a time another guest of the machine took away.
struct CpuTicks {
  uint64_t total = 0, steal = 0;
};
CpuTicks read_cpu_ticks();
double steal_fraction(const CpuTicks& before, const CpuTicks& after);

// The parsers, for tests.
std::string parse_cpu_model(std::string_view cpuinfo);
double parse_memory_bytes(std::string_view meminfo);              // MemTotal
std::optional<double> parse_cpu_quota(std::string_view cpu_max);  // cgroup v2's cpu.max
std::optional<double> parse_cpu_quota(std::string_view quota_us, std::string_view period_us);  // v1
// The control group of a process: its path in /proc/self/cgroup, of version 2 or (with the name of
// a controller) of version 1. Empty: none.
std::string parse_cgroup(std::string_view text, std::string_view controller);
CpuTicks parse_cpu_ticks(std::string_view stat);   // /proc/stat
uint64_t parse_cache_size(std::string_view text);  // "32768K"

}  // namespace bench
