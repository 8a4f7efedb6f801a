#include "bench/world/near_gpu.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "bench/world/binding.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

std::string line_of(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// PCI class 03: display controllers, with a screen or without.
bool is_gpu(const fs::path& device) {
  return line_of(device / "vendor") == "0x10de" && line_of(device / "class").rfind("0x03", 0) == 0;
}

std::vector<fs::path> gpus_by_address(const fs::path& root) {
  std::vector<fs::path> gpus;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root / "sys/bus/pci/devices", none))
    if (is_gpu(entry.path())) gpus.push_back(entry.path());
  std::sort(gpus.begin(), gpus.end());
  return gpus;
}

// "1,0" of three -> the second and the first. As CUDA takes it, nothing behind a number that there
// is no GPU for.
std::optional<std::vector<fs::path>> shown(const std::vector<fs::path>& gpus,
                                           const std::string& visible) {
  std::vector<fs::path> chosen;
  std::istringstream in(visible);
  for (std::string name; std::getline(in, name, ',');) {
    const bool number = !name.empty() && name.size() < 6 &&
                        name.find_first_not_of("0123456789") == std::string::npos;
    if (!number) return std::nullopt;
    const auto index = static_cast<size_t>(std::stoi(name));
    if (index >= gpus.size()) break;
    chosen.push_back(gpus[index]);
  }
  return chosen;
}

std::vector<int> cpus_near(const fs::path& root, const fs::path& gpu) {
  const std::string node = line_of(gpu / "numa_node");
  if (node.empty() || node[0] == '-') return {};
  return parse_cpu_list(line_of(root / "sys/devices/system/node" / ("node" + node) / "cpulist"));
}

}  // namespace

std::vector<std::vector<int>> cpus_near_gpus(const fs::path& root,
                                             const std::optional<std::string>& visible) {
  if (!fs::exists(root / "dev/nvidiactl")) return {};
  std::vector<fs::path> gpus = gpus_by_address(root);
  if (visible) {
    const auto chosen = shown(gpus, *visible);
    if (!chosen) return {};
    gpus = *chosen;
  }
  std::vector<std::vector<int>> near;
  for (const fs::path& gpu : gpus) near.push_back(cpus_near(root, gpu));
  const bool unknown =
      std::any_of(near.begin(), near.end(), [](const auto& cpus) { return cpus.empty(); });
  return unknown ? std::vector<std::vector<int>>() : near;
}

std::vector<int> share_near_gpu(const std::vector<int>& allowed,
                                const std::vector<std::vector<int>>& near, int local_rank,
                                int local_size) {
  if (near.empty() || local_rank < 0 || local_rank >= local_size) return {};
  if (near.size() == 1 && local_size > 1) return {};  // a launcher may show each rank another one
  const auto near_rank = [&](int rank) -> const std::vector<int>& {
    return near[static_cast<size_t>(rank) % near.size()];
  };
  const std::vector<int>& mine = near_rank(local_rank);
  std::vector<int> both;
  std::copy_if(allowed.begin(), allowed.end(), std::back_inserter(both),
               [&](int cpu) { return std::find(mine.begin(), mine.end(), cpu) != mine.end(); });
  int ranks = 0, before = 0;
  for (int r = 0; r < local_size; ++r) {
    if (near_rank(r) != mine) continue;
    before += r < local_rank ? 1 : 0;
    ++ranks;
  }
  if (static_cast<int>(both.size()) < ranks) return {};
  return share_of_cpus(both, before, ranks);
}

}  // namespace bench
