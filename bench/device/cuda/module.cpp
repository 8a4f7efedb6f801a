// The GPU's module: what `bench` opens where a GPU is asked for.
#include "bench/device/cuda/cuda_device.h"
#include "bench/device/cuda/find_gpu.h"

extern "C" __attribute__((visibility("default"))) bench::GpuDevice* bench_device_cuda_create(
    const bench::GpuRequest& request) {
  const bench::GpuChoice choice =
      bench::choose_gpu(bench::count_gpus(), request.local_rank, request.local_size);
  bench::take_gpu(choice.index);
  return new bench::CudaDevice(choice, request.threads);
}
