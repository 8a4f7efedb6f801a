#pragma once
// What the report says about the machine and the program: gathered from every rank once, before the
// first case.

#include <string>

#include "bench/device/gpu_device.h"
#include "bench/runner/options.h"
#include "bench/world/binding.h"
#include "bench/world/launcher.h"
#include "bench/world/world.h"
#include "reports/schema/report.h"

namespace bench::runner {

// Collective over the world; complete on rank 0, own entries only elsewhere. gpu: the device where
// it is one, else nullptr.
schema::Environment gather_environment(World& world, const DeviceInfo& device, const GpuDevice* gpu,
                                       const Launch& launch, const Binding& binding);

// Smallest number of ranks any host has, and how many hosts there are. Collective.
struct HostLayout {
  int hosts = 1;
  int least_ranks_per_host = 1;
};
HostLayout host_layout(World& world);

schema::Build build_facts();
const char* bench_version();
std::string utc_now();    // RFC 3339
std::string random_id();  // 16 hexadecimal digits

}  // namespace bench::runner
