#include "bench/measure/peak_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

namespace bench::measure {
namespace {

constexpr double kBytesPerKb = 1024;  // the kernel's "kB"

// errno, or 0.
int set_mark_back(const std::string& proc_folder) {
  const int fd = ::open((proc_folder + "/clear_refs").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = ::write(fd, "5", 1) == 1 ? 0 : errno;
  ::close(fd);
  return error;
}

std::optional<double> read_bytes(const std::string& proc_folder, const std::string& key) {
  std::ifstream status(proc_folder + "/status");
  for (std::string word; status >> word;) {
    double kb = 0;
    if (word == key + ":" && status >> kb) return kb * kBytesPerKb;
  }
  return {};
}

}  // namespace

HostPeakMemory::HostPeakMemory(std::string proc_folder) : proc_folder_(std::move(proc_folder)) {}

std::string HostPeakMemory::why_not(const std::string& proc_folder) {
  if (const int error = set_mark_back(proc_folder); error != 0)
    return fmt::format("{}/clear_refs cannot be written: {}", proc_folder,
                       std::generic_category().message(error));
  if (!read_bytes(proc_folder, "VmHWM") || !read_bytes(proc_folder, "VmRSS"))
    return proc_folder + "/status does not tell VmHWM and VmRSS";
  return {};
}

void HostPeakMemory::begin() {
  peak_.reset();
  mark();
  baseline_ = read_bytes(proc_folder_, "VmRSS");
}

// What was freed and is still held would hide what is allocated next, or count without being used.
void HostPeakMemory::mark() {
  ::malloc_trim(0);
  counting_ = set_mark_back(proc_folder_) == 0;
}

void HostPeakMemory::take() {
  if (!counting_) return;
  if (const auto high = read_bytes(proc_folder_, "VmHWM"))
    peak_ = std::max(peak_.value_or(0), *high);
  counting_ = false;
}

void HostPeakMemory::pause() { take(); }

void HostPeakMemory::resume() {
  if (baseline_) mark();
}

std::optional<double> HostPeakMemory::net_bytes() {
  if (counting_) {
    take();
    counting_ = true;
  }
  if (!baseline_ || !peak_) return {};
  return std::max(0.0, *peak_ - *baseline_);
}

// A device that has failed has no memory to tell of; its failure is told by what it was doing.
std::optional<GpuMemory> GpuPeakMemory::look() noexcept {
  try {
    return device_.memory();
  } catch (const std::exception&) {
    known_ = false;
    return {};
  }
}

// Of the whole device, what is in use and not by the device's own keeping.
double GpuPeakMemory::beside(const GpuMemory& now) const {
  if (shared_) return 0;
  return static_cast<double>(now.total) - static_cast<double>(now.free) -
         static_cast<double>(now.reserved);
}

void GpuPeakMemory::begin() {
  const std::optional<GpuMemory> now = look();
  if (!now) return;
  baseline_ = static_cast<double>(now->in_use);
  beside_baseline_ = beside(*now);
  peak_ = most_beside_ = 0;
  device_.reset_memory_peak();
  known_ = counting_ = true;
}

void GpuPeakMemory::take() {
  const std::optional<GpuMemory> now = look();
  if (!now) return;
  beside_at_pause_ = beside(*now);
  most_beside_ = std::max(most_beside_, beside_at_pause_ - beside_baseline_);
  peak_ = std::max(peak_, static_cast<double>(now->peak_in_use) - baseline_ + most_beside_);
}

void GpuPeakMemory::pause() {
  if (counting_) take();
  counting_ = false;
}

void GpuPeakMemory::resume() {
  const std::optional<GpuMemory> now = known_ ? look() : std::nullopt;
  if (!now) return;
  // What a check has taken and keeps is not the case's.
  beside_baseline_ += std::max(0.0, beside(*now) - beside_at_pause_);
  device_.reset_memory_peak();
  counting_ = true;
}

std::optional<double> GpuPeakMemory::net_bytes() {
  if (counting_) take();
  if (!known_) return {};
  return std::max(0.0, peak_);
}

std::optional<double> GpuPeakMemory::beside_bytes() const {
  if (!known_ || shared_) return {};
  return most_beside_;
}

}  // namespace bench::measure
