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

PeakMemory::PeakMemory(std::string proc_folder) : proc_folder_(std::move(proc_folder)) {}

std::string PeakMemory::why_not(const std::string& proc_folder) {
  if (const int error = set_mark_back(proc_folder); error != 0)
    return fmt::format("{}/clear_refs cannot be written: {}", proc_folder,
                       std::generic_category().message(error));
  if (!read_bytes(proc_folder, "VmHWM") || !read_bytes(proc_folder, "VmRSS"))
    return proc_folder + "/status does not tell VmHWM and VmRSS";
  return {};
}

void PeakMemory::begin() {
  peak_.reset();
  mark();
  baseline_ = read_bytes(proc_folder_, "VmRSS");
}

// What was freed and is still held would hide what is allocated next, or count without being used.
void PeakMemory::mark() {
  ::malloc_trim(0);
  counting_ = set_mark_back(proc_folder_) == 0;
}

void PeakMemory::take() {
  if (!counting_) return;
  if (const auto high = read_bytes(proc_folder_, "VmHWM"))
    peak_ = std::max(peak_.value_or(0), *high);
  counting_ = false;
}

void PeakMemory::pause() { take(); }

void PeakMemory::resume() {
  if (baseline_) mark();
}

std::optional<double> PeakMemory::net_bytes() {
  if (counting_) {
    take();
    counting_ = true;
  }
  if (!baseline_ || !peak_) return {};
  return std::max(0.0, *peak_ - *baseline_);
}

}  // namespace bench::measure
