#pragma once
// Whether there is a GPU that this build can use, and what it is.

#include "bench/device/cuda/gpu_choice.h"
#include "bench/device/gpu_device.h"

namespace bench {

// How many GPUs the driver shows this process, at least 1. Throws EnvironmentError: no driver, one
// too old, no GPU, with what the runtime says.
int count_gpus();

// Makes it the calling thread's current device. Throws EnvironmentError: in use exclusively, or
// this build has no code for it.
void take_gpu(int index);

// Of the current device.
DeviceInfo read_gpu_info(const GpuChoice& choice, int threads);
GpuFacts read_gpu_facts(const GpuChoice& choice);

}  // namespace bench
