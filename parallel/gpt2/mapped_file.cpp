#include "parallel/gpt2/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "bench/base/status.h"

namespace bench::gpt2 {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

MappedFile::MappedFile(const std::string& path, const std::string& what) : path_(path) {
  const auto reject = [&](const std::string& why) {
    throw UsageError(fmt::format("{} {}: {}", what, path, why));
  };
  // O_NONBLOCK: a pipe must be refused, not waited for.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) reject(fmt::format("cannot be opened: {}", std::strerror(errno)));
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0) reject(fmt::format("no size: {}", std::strerror(errno)));
  if (!S_ISREG(facts.st_mode)) reject("is no regular file");
  if (facts.st_size == 0) reject("is empty");
  size_ = static_cast<size_t>(facts.st_size);
  void* memory = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (memory == MAP_FAILED) reject(fmt::format("cannot be mapped: {}", std::strerror(errno)));
  data_ = static_cast<const std::byte*>(memory);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace bench::gpt2
