// The GPU's module: what `bench` opens where a GPU is asked for.
#include <exception>
#include <string>

#include "bench/base/status.h"
#include "bench/device/cuda/cuda_device.h"
#include "bench/device/cuda/find_gpu.h"

extern "C" __attribute__((visibility("default"))) bench::GpuDevice* bench_device_cuda_create(
    const bench::GpuRequest& request) {
  try {
    const bench::GpuChoice choice =
        bench::choose_gpu(bench::count_gpus(), request.local_rank, request.local_size);
    bench::take_gpu(choice.index);
    return new bench::CudaDevice(choice, request.threads);
  } catch (const bench::Error&) {
    throw;
  } catch (const std::exception& e) {
    throw bench::EnvironmentError(std::string("the GPU cannot be used: ") + e.what());
  }
}
