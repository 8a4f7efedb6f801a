#include "bench/device/cuda/find_gpu.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>

#include "bench/base/status.h"
#include "bench/device/cuda/cuda_check.h"
#include "bench/device/cuda/device_kernels.h"

namespace bench {
namespace {

std::string says(cudaError_t status) {
  return fmt::format("{} ({})", cudaGetErrorString(status), cudaGetErrorName(status));
}

// "13.0" of 13000
std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string runtime_version() {
  int version = 0;
  check_cuda(cudaRuntimeGetVersion(&version), "asking for the runtime's version");
  return version_text(version);
}

// The newest CUDA that the driver knows.
std::string driver_cuda_version() {
  int version = 0;
  check_cuda(cudaDriverGetVersion(&version), "asking for the driver's version");
  return version_text(version);
}

// The runtime says of a driver that is not there that it is too old.
std::string why_no_gpu(cudaError_t status) {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr)
    return fmt::format("the CUDA driver is not there ({}): cudaGetDeviceCount says {}", dlerror(),
                       says(status));
  dlclose(driver);
  if (status == cudaErrorInsufficientDriver)
    return fmt::format("the CUDA driver is too old: it knows CUDA {}, this build was made with {}",
                       driver_cuda_version(), runtime_version());
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  return fmt::format(
      "the CUDA driver shows no GPU: cudaGetDeviceCount says {}{}",
      status == cudaSuccess ? "0" : says(status),
      visible != nullptr ? fmt::format("; CUDA_VISIBLE_DEVICES is '{}'", visible) : "");
}

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  check_cuda(cudaDeviceGetAttribute(&value, which, device), "asking for a device's attribute");
  return value;
}

cudaDeviceProp properties(int device) {
  cudaDeviceProp p;
  check_cuda(cudaGetDeviceProperties(&p, device), "asking for a device's properties");
  return p;
}

// As nvidia-smi writes it.
std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (size_t i = 0; i < sizeof uuid.bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

std::string pci_bus_id(int device) {
  char text[32] = {};
  check_cuda(cudaDeviceGetPCIBusId(text, sizeof text, device), "asking for a PCI address");
  std::string id = text;
  std::transform(id.begin(), id.end(), id.begin(), [](unsigned char c) { return std::tolower(c); });
  return id;
}

int numa_node_of(const std::string& pci) {
  std::ifstream in("/sys/bus/pci/devices/" + pci + "/numa_node");
  int node = -1;
  return in >> node ? node : -1;
}

}  // namespace

int count_gpus() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count < 1) {
    cudaGetLastError();  // the runtime would tell it again
    throw EnvironmentError(why_no_gpu(status));
  }
  return count;
}

void take_gpu(int index) {
  if (const cudaError_t status = cudaSetDevice(index); status != cudaSuccess)
    throw EnvironmentError(fmt::format("GPU {} cannot be used: {}", index, says(status)));
  // Makes the context where cudaSetDevice has not.
  if (const cudaError_t status = cudaFree(nullptr); status != cudaSuccess)
    throw EnvironmentError(fmt::format("GPU {} cannot be used: {}", index, says(status)));
  if (const cudaError_t status = can_launch(); status != cudaSuccess)
    throw EnvironmentError(fmt::format(
        "this build has no code for GPU {}, whose compute capability is {}.{}: {}; build with "
        "CMAKE_CUDA_ARCHITECTURES for it",
        index, attribute(cudaDevAttrComputeCapabilityMajor, index),
        attribute(cudaDevAttrComputeCapabilityMinor, index), says(status)));
}

DeviceInfo read_gpu_info(const GpuChoice& choice, int threads) {
  const cudaDeviceProp p = properties(choice.index);
  return {.kind = DeviceKind::cuda,
          .name = p.name,
          .index = choice.index,
          .uuid = uuid_text(p.uuid),
          .threads = threads,
          .last_level_cache_bytes = static_cast<uint64_t>(p.l2CacheSize),
          .memory_bytes = p.totalGlobalMem / static_cast<uint64_t>(choice.ranks)};
}

GpuFacts read_gpu_facts(const GpuChoice& choice) {
  const int device = choice.index;
  const cudaDeviceProp p = properties(device);
  GpuFacts facts;
  facts.runtime = runtime_version();
  facts.driver = "CUDA " + driver_cuda_version();
  facts.compute_capability = fmt::format("{}.{}", p.major, p.minor);
  facts.pci_bus_id = pci_bus_id(device);
  facts.multiprocessors = p.multiProcessorCount;
  facts.numa_node = numa_node_of(facts.pci_bus_id);
  // The attributes are in kHz.
  facts.most_sm_clock_mhz = 1e-3 * attribute(cudaDevAttrClockRate, device);
  facts.most_memory_clock_mhz = 1e-3 * attribute(cudaDevAttrMemoryClockRate, device);
  facts.total_memory_bytes = p.totalGlobalMem;
  facts.choice = choice.words;
  return facts;
}

}  // namespace bench
