#include "parallel/comm/shared/segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "bench/base/status.h"
#include "parallel/comm/strings.h"

namespace bench::shared {
namespace {

// Where the first rank's memory is, and what stands at its start: a process of the same number on
// another host has not this.
struct Address {
  uint64_t pid, descriptor, token;
};

uint64_t random_token() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device() | 1;
}

std::string words_of(const char* doing) {
  return fmt::format("{}: {}", doing, std::strerror(errno));
}

// The descriptor is the caller's to close; -1 where `why` says what went wrong.
int make(size_t bytes, std::string& why) {
  const int descriptor = memfd_create("bench", MFD_CLOEXEC);
  if (descriptor < 0) {
    why = words_of("memfd_create");
    return -1;
  }
  // Taken now: a page that is not there when it is first touched would end the process.
  if (posix_fallocate(descriptor, 0, static_cast<off_t>(bytes)) == 0) return descriptor;
  why = fmt::format("no {} bytes of shared memory", bytes);
  close(descriptor);
  return -1;
}

int open_other(const Address& address, std::string& why) {
  const std::string path = fmt::format("/proc/{}/fd/{}", address.pid, address.descriptor);
  const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) why = words_of(path.c_str());
  return descriptor;
}

void* map(int descriptor, size_t bytes, std::string& why) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory != MAP_FAILED) return memory;
  why = words_of("mmap");
  return nullptr;
}

// The reasons of all ranks; the first of them, or none.
std::string first_reason(Communicator& comm, const std::string& mine) {
  for (const std::string& why : gather_strings(comm, mine))
    if (!why.empty()) return why;
  return {};
}

}  // namespace

Segment::Segment(Communicator& comm, size_t bytes) : bytes_(bytes) {
  std::string why;
  const bool first = comm.rank() == 0;
  Address address{.pid = static_cast<uint64_t>(getpid()), .descriptor = 0, .token = random_token()};
  int descriptor = first ? make(bytes, why) : -1;
  if (descriptor >= 0) {
    memory_ = map(descriptor, bytes, why);
    address.descriptor = static_cast<uint64_t>(descriptor);
    if (memory_ != nullptr) std::memcpy(memory_, &address.token, sizeof(address.token));
  }
  comm.broadcast(Stream{}, &address, 3, DType::u64, 0);
  if (!first) {
    descriptor = open_other(address, why);
    struct stat facts {};
    if (descriptor >= 0 &&
        (fstat(descriptor, &facts) != 0 || static_cast<size_t>(facts.st_size) != bytes))
      why = "the first rank is on another host";
    else if (descriptor >= 0)
      memory_ = map(descriptor, bytes, why);
    if (memory_ != nullptr && std::memcmp(memory_, &address.token, sizeof(address.token)) != 0)
      why = "the first rank is on another host";
  }
  why = first_reason(comm, why);  // all have looked: the first may close and clear
  if (descriptor >= 0) close(descriptor);
  if (!why.empty()) {
    if (memory_ != nullptr) munmap(memory_, bytes_);
    throw Unsupported("ranks cannot share memory: " + why);
  }
  if (first) std::memset(memory_, 0, sizeof(address.token));
  comm.barrier(Stream{});
}

Segment::~Segment() { munmap(memory_, bytes_); }

}  // namespace bench::shared
