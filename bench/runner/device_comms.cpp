#include "bench/runner/device_comms.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "bench/base/status.h"
#include "parallel/comm/self/self_communicator.h"
#include "parallel/comm/shared/shared_communicator.h"
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
  if (on_cpu()) {
    decide_for_cpus(world);
    return;
  }
  const bool maybe = settings_.asked == CommChoice::nccl ||
                     (settings_.asked == CommChoice::automatic && ranks_ > 1);
  const std::string why_not =
      maybe ? open_nccl(settings_.module_dir, device, nccl_) : std::string();
  const std::vector<std::string> uuids = gather_strings(world, device.info().uuid);
  decision_ = decide_comm(settings_.asked, uuids, gather_strings(world, why_not));
}

bool DeviceComms::on_cpu() const { return device_.info().kind == DeviceKind::cpu; }

// By trying: what can go wrong depends on hosts, users and name spaces.
void DeviceComms::decide_for_cpus(Communicator& world) {
  decision_.reason = "asked for";
  if (settings_.asked == CommChoice::mpi || ranks_ == 1) return;
  try {
    const SharedCommunicator tried(world, past_caches_bytes(ranks_));
    shared_ = true;
    if (settings_.asked == CommChoice::automatic) decision_.reason = "all ranks are on one host";
  } catch (const Unsupported& e) {
    if (settings_.asked == CommChoice::shared)
      throw AgreedError(
          ExitCode::kEnvironment,
          fmt::format("--comm shared cannot be used here: {}; use --comm mpi, or auto "
                      "to take what there is",
                      e.what()));
    decision_.reason = e.what();
  }
}

// Beyond this, what the ranks of a host read and write does not stay in their cache.
int64_t DeviceComms::past_caches_bytes(int ranks) const {
  return static_cast<int64_t>(device_.info().last_level_cache_bytes) / (2 * ranks);
}

bool DeviceComms::uses_nccl(int ranks) const {
  return decision_.nccl && (ranks > 1 || settings_.asked == CommChoice::nccl);
}

std::unique_ptr<Communicator> DeviceComms::make(Communicator& host) {
  if (on_cpu() && shared_ && host.size() > 1)
    return std::make_unique<SharedCommunicator>(host, past_caches_bytes(host.size()));
  if (on_cpu()) return nullptr;
  if (uses_nccl(host.size())) return nccl_->create(host, device_, settings_.deadline_s);
  if (host.size() == 1) return std::make_unique<SelfCommunicator>(device_);
  return std::make_unique<StagedCommunicator>(host, device_);
}

std::string DeviceComms::label(int ranks) const {
  if (on_cpu()) return ranks == 1 ? "" : shared_ ? "shared memory" : host_kind_;
  if (uses_nccl(ranks)) return "nccl";
  return ranks == 1 ? "self" : fmt::format("{} staged through host memory", host_kind_);
}

std::string DeviceComms::note() const {
  if (ranks_ == 1 && !decision_.nccl) return {};
  return fmt::format("communicator {}: {}", label(ranks_), decision_.reason);
}

std::string DeviceComms::nccl_version() const {
  return decision_.nccl ? nccl_->version() : std::string();
}

DeviceComms::NcclWords DeviceComms::ask_nccl(int ranks, const std::function<void()>& enqueue,
                                             const std::function<void()>& synchronize) {
  if (on_cpu() || !uses_nccl(ranks)) return {};
  nccl_->ran();  // what others left
  nccl_->record(true);
  enqueue();
  synchronize();
  nccl_->record(false);
  NcclWords words{.runs = nccl_->ran(), .estimated_s = std::nullopt};
  if (words.runs.empty()) return words;
  words.estimated_s = nccl_->estimated_s(enqueue);
  synchronize();
  return words;
}

}  // namespace bench::runner
