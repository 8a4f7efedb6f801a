#include "bench/device/cpu/host_facts.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace bench {
namespace {

constexpr uint64_t kUsualCacheBytes = uint64_t{32} << 20;  // where the kernel does not tell

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\n") - first + 1));
}

// The text after "key…: " on the first line that starts with key.
std::string field(std::string_view text, std::string_view key) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    const size_t colon = line.find(':');
    if (line.starts_with(key) && colon != std::string_view::npos)
      return trimmed(line.substr(colon + 1));
    at = end + 1;
  }
  return {};
}

// The smallest quota that `read` finds on the way from a control group up to the root.
template <class Read>
std::optional<double> least_quota(const std::filesystem::path& root, const std::string& group,
                                  Read&& read) {
  std::optional<double> least;
  std::filesystem::path folder = root;
  const auto look = [&] {
    const std::optional<double> quota = read(folder);
    if (quota && (!least || *quota < *least)) least = quota;
  };
  look();  // in a container the root is the container's own group
  for (const auto& part : std::filesystem::path(group).relative_path()) {
    folder /= part;
    look();
  }
  return least;
}

std::optional<double> cpu_quota() {
  const std::filesystem::path root = "/sys/fs/cgroup";
  const std::string groups = read_text("/proc/self/cgroup");
  const auto unified =
      least_quota(root, parse_cgroup(groups, ""), [](const std::filesystem::path& folder) {
        return parse_cpu_quota(read_text(folder / "cpu.max"));
      });
  if (unified) return unified;
  return least_quota(root / "cpu", parse_cgroup(groups, "cpu"),
                     [](const std::filesystem::path& folder) {
                       return parse_cpu_quota(read_text(folder / "cpu.cfs_quota_us"),
                                              read_text(folder / "cpu.cfs_period_us"));
                     });
}

}  // namespace

std::string parse_cpu_model(std::string_view cpuinfo) {
  for (const char* key : {"model name", "Model", "CPU implementer"}) {
    const std::string value = field(cpuinfo, key);
    if (!value.empty()) return value;
  }
  return "unknown CPU";
}

double parse_memory_bytes(std::string_view meminfo) {
  return std::strtod(field(meminfo, "MemTotal").c_str(), nullptr) * 1024;  // the kernel writes kB
}

std::optional<double> parse_cpu_quota(std::string_view cpu_max) {
  std::istringstream in{std::string(cpu_max)};
  std::string quota;
  double period = 0;
  if (!(in >> quota >> period) || quota == "max" || period <= 0) return {};
  return std::strtod(quota.c_str(), nullptr) / period;
}

std::optional<double> parse_cpu_quota(std::string_view quota_us, std::string_view period_us) {
  const double quota = std::strtod(std::string(quota_us).c_str(), nullptr);
  const double period = std::strtod(std::string(period_us).c_str(), nullptr);
  if (quota <= 0 || period <= 0) return {};  // -1: no limit
  return quota / period;
}

std::string parse_cgroup(std::string_view text, std::string_view controller) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    // Controllers that are mounted together: "cpu,cpuacct".
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (names.find("," + std::string(controller) + ",") != std::string::npos)
      return line.substr(second + 1);
  }
  return {};
}

CpuTicks parse_cpu_ticks(std::string_view stat) {
  std::istringstream in{std::string(stat)};
  std::string name;
  in >> name;
  CpuTicks ticks;
  // user nice system idle iowait irq softirq steal; the guests' times after them are in user.
  uint64_t value = 0;
  for (int i = 0; i < 8 && in >> value; ++i) {
    ticks.total += value;
    if (i == 7) ticks.steal = value;
  }
  return ticks;
}

double steal_fraction(const CpuTicks& before, const CpuTicks& after) {
  if (after.total <= before.total || after.steal < before.steal) return 0;
  return static_cast<double>(after.steal - before.steal) /
         static_cast<double>(after.total - before.total);
}

uint64_t parse_cache_size(std::string_view text) {
  uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc()) return 0;
  const char unit = parsed.ptr == text.data() + text.size() ? ' ' : *parsed.ptr;
  return unit == 'K' ? value << 10 : unit == 'M' ? value << 20 : unit == 'G' ? value << 30 : value;
}

std::string host_name() {
  utsname names{};
  return uname(&names) == 0 ? names.nodename : "unknown";
}

std::string cpu_model_name() { return parse_cpu_model(read_text("/proc/cpuinfo")); }

uint64_t last_level_cache_bytes() {
  uint64_t largest = 0;
  for (int index = 0; index < 8; ++index) {
    const std::string text =
        read_text("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size");
    largest = std::max(largest, parse_cache_size(text));
  }
  return largest != 0 ? largest : kUsualCacheBytes;
}

CpuTicks read_cpu_ticks() { return parse_cpu_ticks(read_text("/proc/stat")); }

HostFacts read_host_facts() {
  HostFacts facts;
  utsname names{};
  facts.kernel = uname(&names) == 0 ? std::string(names.sysname) + " " + names.release : "unknown";
  facts.hostname = host_name();
  facts.cpu_model = cpu_model_name();
  facts.cores_online = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  facts.memory_bytes = parse_memory_bytes(read_text("/proc/meminfo"));
  facts.load_1min = std::strtod(read_text("/proc/loadavg").c_str(), nullptr);
  facts.governor = trimmed(read_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
  if (facts.governor.empty()) facts.governor = "unknown";
  facts.cpu_quota = cpu_quota();
  return facts;
}

}  // namespace bench
