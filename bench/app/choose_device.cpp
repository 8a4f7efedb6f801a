#include "bench/app/choose_device.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/base/status.h"
#include "bench/device/cpu/cpu_device.h"
#include "bench/device/cpu/host_facts.h"
#include "bench/device/cuda/open_gpu.h"
#include "parallel/comm/strings.h"

namespace bench::app {
namespace {

void take_cpu(ChosenDevice& chosen, const Place& place) {
  const double memory = read_host_facts().memory_bytes / std::max(1, place.launch.local_size);
  chosen.ran = name_of(DeviceKind::cpu);
  chosen.gpu = nullptr;
  chosen.device = std::make_unique<CpuDevice>(place.binding.threads, static_cast<uint64_t>(memory));
}

void take_gpu(ChosenDevice& chosen, const Place& place, const runner::Paths& paths) {
  auto gpu = open_rank_gpu(place, paths);
  chosen.ran = name_of(DeviceKind::cuda);
  chosen.gpu = gpu.get();
  chosen.device = std::move(gpu);
}

// The first rank's words that has no GPU, or "".
std::string first_without_gpu(const std::vector<std::string>& why_not, const ChosenDevice& own) {
  for (size_t rank = 0; rank < why_not.size(); ++rank)
    if (!why_not[rank].empty())
      return why_not[rank] == own.why_no_gpu ? own.why_no_gpu
                                             : fmt::format("rank {}: {}", rank, why_not[rank]);
  return {};
}

void find_sharers(ChosenDevice& chosen, World& world) {
  const std::vector<std::string> all =
      gather_strings(world.comm(), host_name() + " " + chosen.device->info().uuid);
  const auto ranks_on = [&](const std::string& gpu) {
    return static_cast<int>(std::count(all.begin(), all.end(), gpu));
  };
  const int here = ranks_on(all[static_cast<size_t>(world.rank())]);
  chosen.gpu->share_among(here);
  chosen.gpu_shared = std::any_of(all.begin(), all.end(),
                                  [&](const std::string& gpu) { return ranks_on(gpu) > 1; });
  if (here > 1)
    chosen.reason += fmt::format(
        "; {} ranks share this GPU and take turns: times and efficiencies are not "
        "comparable",
        here);
}

}  // namespace

std::unique_ptr<GpuDevice> open_rank_gpu(const Place& place, const runner::Paths& paths) {
  return open_gpu(paths.modules, {.local_rank = place.launch.local_rank,
                                  .local_size = place.launch.local_size,
                                  .threads = place.binding.threads});
}

ChosenDevice choose_device(const runner::OptionSet& options, const Place& place,
                           const runner::Paths& paths) {
  ChosenDevice chosen;
  chosen.asked = options.text("device", "auto");
  if (chosen.asked == "cpu") {
    take_cpu(chosen, place);
    chosen.reason = "asked for";
    return chosen;
  }
  try {
    take_gpu(chosen, place, paths);
    chosen.reason = fmt::format("{}: {}", chosen.asked == "auto" ? "auto chose CUDA" : "asked for",
                                chosen.gpu->facts().choice);
  } catch (const EnvironmentError& e) {
    if (chosen.asked == "cuda")
      throw EnvironmentError(fmt::format(
          "--device cuda cannot be used here: {}; use --device cpu, or auto to take what there is",
          e.what()));
    chosen.why_no_gpu = e.what();
    take_cpu(chosen, place);
    chosen.reason = "auto chose the CPU: " + chosen.why_no_gpu;
  }
  return chosen;
}

void agree_on_device(ChosenDevice& chosen, const Place& place, World& world) {
  const std::vector<std::string> why_not = gather_strings(world.comm(), chosen.why_no_gpu);
  if (const std::string why = first_without_gpu(why_not, chosen); !why.empty()) {
    take_cpu(chosen, place);
    chosen.reason = "auto chose the CPU: " + why;
  }
  if (chosen.gpu != nullptr) find_sharers(chosen, world);
}

}  // namespace bench::app
