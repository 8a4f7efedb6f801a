// NCCL's module: the only place that calls NCCL.
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <nccl.h>

#include "parallel/comm/agreement.h"
#include "parallel/comm/nccl/connect.h"
#include "parallel/comm/nccl/nccl_communicator.h"
#include "parallel/comm/nccl/nccl_module.h"
#include "parallel/comm/nccl/record.h"
#include "parallel/comm/nccl/version.h"

namespace bench {
namespace {

// In the folder of this module.
std::filesystem::path record_module() {
  static const char here = 0;
  Dl_info info = {};
  dladdr(&here, &info);
  return std::filesystem::path(info.dli_fname).parent_path() / "bench_nccl_record.so";
}

class Nccl final : public NcclModule {
 public:
  void record(bool on) override { record_.turn(on); }
  std::map<std::string, int> ran() override { return record_.read(); }

  std::optional<double> estimated_s(const std::function<void()>& enqueue) override {
    if (ncclGroupStart() != ncclSuccess) return std::nullopt;
    ncclSimInfo_t found = NCCL_SIM_INFO_INITIALIZER;
    try {
      enqueue();
    } catch (...) {
      ncclGroupSimulateEnd(&found);
      throw;
    }
    const bool known = ncclGroupSimulateEnd(&found) == ncclSuccess && found.estimatedTime > 0;
    return known ? std::optional<double>(1e-6 * found.estimatedTime) : std::nullopt;
  }

  std::string version() const override {
    int code = 0;
    return ncclGetVersion(&code) == ncclSuccess ? nccl_version_text(code) : "of unknown version";
  }

  std::string why_not(const Device& device) const override {
    if (device.info().kind != DeviceKind::cuda) return "NCCL is for GPUs";
    int gpus = 0;
    const cudaError_t status = cudaGetDeviceCount(&gpus);
    if (status != cudaSuccess)
      return fmt::format("NCCL finds no GPU: {}", cudaGetErrorString(status));
    if (device.info().index >= gpus)
      return fmt::format("NCCL finds {} GPUs, not GPU {}", gpus, device.info().index);
    return {};
  }

  // NCCL takes the GPU that is current.
  std::unique_ptr<Communicator> create(Communicator& host, Device& device,
                                       double deadline_s) override {
    const cudaError_t status = cudaSetDevice(device.info().index);
    all_ready(host, "starting NCCL",
              status == cudaSuccess ? std::string()
                                    : fmt::format("cudaSetDevice: {}", cudaGetErrorString(status)));
    auto made = std::make_unique<nccl::NcclCommunicator>(nccl::connect(host, deadline_s), device);
    made->meet(deadline_s);
    return made;
  }

 private:
  NcclRecord record_{record_module()};
};

}  // namespace
}  // namespace bench

extern "C" __attribute__((visibility("default"))) bench::NcclModule* bench_comm_nccl_create() {
  return new bench::Nccl;
}
