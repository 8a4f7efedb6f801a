#pragma once
// What --device gives: the CPU, or one of this host's GPUs.

#include <memory>
#include <string>

#include "bench/app/setup.h"
#include "bench/device/gpu_device.h"

namespace bench::app {

struct ChosenDevice {
  std::string asked, ran, reason;
  std::unique_ptr<Device> device;
  GpuDevice* gpu = nullptr;  // the device where it is one
  bool gpu_shared = false;   // several ranks have the same GPU, here or on another host
  std::string why_no_gpu;    // where one was looked for in vain
};

// On this rank alone. Throws EnvironmentError when --device cuda cannot be had.
ChosenDevice choose_device(const runner::OptionSet& options, const Place& place,
                           const runner::Paths& paths);

// One kind of device on all ranks: where auto has found no GPU for one of them, all take the CPU
// and say whose reason it is. Finds out which ranks share a GPU. Collective over the world.
void agree_on_device(ChosenDevice& chosen, const Place& place, World& world);

// A GPU for this rank, whatever --device says. Throws EnvironmentError: why there is none.
std::unique_ptr<GpuDevice> open_rank_gpu(const Place& place, const runner::Paths& paths);

}  // namespace bench::app
