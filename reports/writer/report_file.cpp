#include "reports/writer/report_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "bench/base/status.h"

namespace bench::reports {
namespace {

[[noreturn]] void cannot(const std::string& what, const std::string& path, int error) {
  throw EnvironmentError(
      fmt::format("cannot {} {}: {}", what, path, std::generic_category().message(error)));
}

// All of it, or the errno of what went wrong.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(fd, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    text.remove_prefix(static_cast<size_t>(done));
  }
  return 0;
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A symbolic link stays one: what it points at is replaced.
std::string resolved(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) return path;
  std::string found = real;
  std::free(real);
  return found;
}

constexpr int kNewFile = O_WRONLY | O_CREAT | O_TRUNC;

int open_retrying(const std::string& path, int flags) {
  int fd;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  while (fd < 0 && errno == EINTR);
  return fd;
}

// Names of what this process has open already: written on, never replaced.
bool is_descriptor(std::string_view path) {
  return path == "/dev/stdout" || path == "/dev/stderr" || path.starts_with("/dev/fd/") ||
         path.starts_with("/proc/self/fd/");
}

// Beside the target, and another one each time: two threads never share one.
std::string temporary_name(const std::string& target) {
  static std::atomic<unsigned> count = 0;
  return fmt::format("{}.{}-{}.tmp", target, ::getpid(), count++);
}

// Who may read it: as the old report, where there is one.
void copy_mode(const std::string& from, int fd) {
  struct stat old {};
  if (::stat(from.c_str(), &old) == 0) (void)!::fchmod(fd, old.st_mode & 07777);
}

}  // namespace

ReportFile ReportFile::open_target(const std::string& path) {
  if (path.empty()) throw UsageError("--out needs a file name; it is empty");
  ReportFile file;
  file.path_ = path;
  struct stat found {};
  const bool exists = ::stat(path.c_str(), &found) == 0;
  if (!exists && errno != ENOENT) cannot("write the report", path, errno);
  if (exists && S_ISDIR(found.st_mode)) cannot("write the report", path, EISDIR);
  file.regular_ = !exists || (S_ISREG(found.st_mode) && !is_descriptor(path));
  if (!file.regular_) {
    file.fd_ = open_retrying(path, O_WRONLY | O_APPEND);
    if (file.fd_ < 0) cannot("write the report", path, errno);
    return file;
  }
  if (exists && ::access(path.c_str(), W_OK) != 0) cannot("write the report", path, errno);
  file.target_ = exists ? resolved(path) : path;
  const std::string probe = temporary_name(file.target_);
  const int fd = open_retrying(probe, kNewFile);
  if (fd < 0)
    cannot(fmt::format("write the report {} in the folder", path), directory_of(file.target_),
           errno);
  ::close(fd);
  ::unlink(probe.c_str());
  return file;
}

void ReportFile::write(std::string_view text) {
  if (!regular_) {
    if (const int error = write_all(fd_, text); error != 0)
      cannot("write the report", path_, error);
    return;
  }
  const std::string temporary = temporary_name(target_);
  const int fd = open_retrying(temporary, kNewFile);
  if (fd < 0) cannot("write the report", temporary, errno);
  copy_mode(target_, fd);
  int error = write_all(fd, text);
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), target_.c_str()) != 0) error = errno;
  if (error == 0) return;
  ::unlink(temporary.c_str());
  cannot("write the report", path_, error);
}

std::string ReportFile::journal_path() const {
  if (!regular_) return "";
  constexpr std::string_view kEnding = ".json";
  std::string stem = path_;
  if (stem.ends_with(kEnding)) stem.resize(stem.size() - kEnding.size());
  return stem + ".jsonl";
}

ReportFile::ReportFile(ReportFile&& other) noexcept { *this = std::move(other); }

ReportFile& ReportFile::operator=(ReportFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(target_, other.target_);
  std::swap(fd_, other.fd_);
  std::swap(regular_, other.regular_);
  return *this;
}

ReportFile::~ReportFile() {
  if (fd_ >= 0) ::close(fd_);
}

JournalFile::JournalFile(const std::string& path) : path_(path) {
  if (path_.empty()) return;
  fd_ = open_retrying(path_, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
  if (fd_ < 0) cannot("write the journal", path_, errno);
}

JournalFile::JournalFile(JournalFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

JournalFile& JournalFile::operator=(JournalFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

JournalFile::~JournalFile() {
  if (fd_ >= 0) ::close(fd_);
}

void JournalFile::append(std::string_view line) {
  if (fd_ < 0) return;
  if (const int error = write_all(fd_, line); error != 0) cannot("write the journal", path_, error);
}

}  // namespace bench::reports
