#include "bench/runner/device_comms.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "bench/base/status.h"
#include "parallel/comm/self/self_communicator.h"
#include "parallel/comm/staged/staged_communicator.h"
#include "parallel/comm/strings.h"

namespace bench::runner {
namespace {

// Opens the module where it may be of use; else says why not.
std::string open_nccl(const std::filesystem::path& module_dir, const Device& device,
                      std::unique_ptr<NcclModule>& nccl) {
  try {
    nccl = open_nccl_module(module_dir);
    return nccl->why_not(device);
  } catch (const EnvironmentError& e) {
    return e.what();
  }
}

}  // namespace

DeviceComms::DeviceComms(Communicator& world, Device& device, Settings settings)
    : device_(device),
      settings_(std::move(settings)),
      host_kind_(world.kind()),
      ranks_(world.size()) {
  if (device.info().kind == DeviceKind::cpu) return;
  const bool maybe = settings_.asked == CommChoice::nccl ||
                     (settings_.asked == CommChoice::automatic && ranks_ > 1);
  const std::string why_not =
      maybe ? open_nccl(settings_.module_dir, device, nccl_) : std::string();
  const std::vector<std::string> uuids = gather_strings(world, device.info().uuid);
  decision_ = decide_comm(settings_.asked, uuids, gather_strings(world, why_not));
}

bool DeviceComms::uses_nccl(int ranks) const {
  return decision_.nccl && (ranks > 1 || settings_.asked == CommChoice::nccl);
}

std::unique_ptr<Communicator> DeviceComms::make(Communicator& host) {
  if (device_.info().kind == DeviceKind::cpu) return nullptr;
  if (uses_nccl(host.size())) return nccl_->create(host, device_, settings_.deadline_s);
  if (host.size() == 1) return std::make_unique<SelfCommunicator>(device_);
  return std::make_unique<StagedCommunicator>(host, device_);
}

std::string DeviceComms::label(int ranks) const {
  if (device_.info().kind == DeviceKind::cpu) return {};
  if (uses_nccl(ranks)) return "nccl";
  return ranks == 1 ? "self" : fmt::format("{} staged through host memory", host_kind_);
}

std::string DeviceComms::note() const {
  if (device_.info().kind == DeviceKind::cpu || (ranks_ == 1 && !decision_.nccl)) return {};
  return fmt::format("communicator {}: {}", label(ranks_), decision_.reason);
}

std::string DeviceComms::nccl_version() const {
  return decision_.nccl ? nccl_->version() : std::string();
}

}  // namespace bench::runner
