#pragma once
// The steps that a run, a listing and the doctor have in common: launcher, binding, world, device,
// plugins, plan.

#include <memory>
#include <string>
#include <vector>

#include "bench/device/device.h"
#include "bench/runner/case_plan.h"
#include "bench/runner/device_comms.h"
#include "bench/runner/facts.h"
#include "bench/runner/loader.h"
#include "bench/runner/paths.h"
#include "bench/world/binding.h"
#include "bench/world/launcher.h"
#include "bench/world/world.h"

namespace bench::app {

// Where this process stands before MPI is touched. Must be made before any thread exists.
struct Place {
  Launch launch;
  Binding binding;
};
Place take_place(const runner::OptionSet& options);

// MPI where a launcher was found or --mpi on asks for it, else a world of one.
std::unique_ptr<World> open_world(const runner::OptionSet& options, const Launch& launch,
                                  const runner::Paths& paths);

// What --comm gave; all ranks run on devices of one kind. Collective over the world. Throws
// AgreedError: what is asked for cannot be had, or has no effect.
std::unique_ptr<runner::DeviceComms> choose_comms(const runner::OptionSet& options, World& world,
                                                  Device& device, const runner::Paths& paths);

// Those for a device by its name; "" = for any.
runner::PluginSet load_plugins(const runner::OptionSet& options, const runner::Paths& paths,
                               const std::string& device, Log log, Tracer& tracer);

std::vector<runner::Suite> load_suites(const runner::OptionSet& options,
                                       const runner::Paths& paths);

// "scaling" or "kernels+train": for the report and its file name.
std::string suites_name(const std::vector<runner::Suite>& suites);

// The run's own options (rounds, budget …): the command line's, then the first suite's that has
// them.
runner::OptionSet merged_options(const runner::OptionSet& options,
                                 const std::vector<runner::Suite>& suites);

runner::PlanInputs plan_inputs(const runner::OptionSet& options, const Device& device,
                               const World& world, int ranks_per_host);

}  // namespace bench::app
