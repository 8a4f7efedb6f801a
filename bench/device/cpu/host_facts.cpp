#include "bench/device/cpu/host_facts.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
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
  facts.cpu_quota = parse_cpu_quota(read_text("/sys/fs/cgroup/cpu.max"));
  return facts;
}

}  // namespace bench
