#include "tests/comm/remote_device.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

namespace bench::comm_checks {
namespace {

constexpr size_t kAddresses = size_t{1} << 32;
constexpr size_t kAlignment = 256;

}  // namespace

RemoteDevice::RemoteDevice(DeviceKind kind, std::string uuid) {
  info_.kind = kind;
  info_.name = "a device elsewhere";
  info_.uuid = std::move(uuid);
  void* reserved =
      mmap(nullptr, kAddresses, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) throw std::bad_alloc();
  reserved_ = static_cast<unsigned char*>(reserved);
}

RemoteDevice::~RemoteDevice() { munmap(reserved_, kAddresses); }

void* RemoteDevice::allocate(size_t bytes) {
  unsigned char* address = reserved_ + used_;
  used_ += (bytes / kAlignment + 1) * kAlignment;
  if (used_ > kAddresses) throw std::bad_alloc();
  blocks_[address] = std::vector<unsigned char>(bytes, 0xAB);
  return address;
}

void RemoteDevice::release(void* memory) noexcept {
  blocks_.erase(static_cast<unsigned char*>(memory));
}

unsigned char* RemoteDevice::real(void* address, size_t bytes) {
  auto* first = static_cast<unsigned char*>(address);
  if (first + bytes <= reserved_ || first >= reserved_ + kAddresses) return first;
  auto block = blocks_.upper_bound(first);
  if (block == blocks_.begin()) throw std::logic_error("no memory of this device");
  --block;
  const auto offset = static_cast<size_t>(first - block->first);
  if (offset + bytes > block->second.size()) throw std::logic_error("beyond an allocation");
  return block->second.data() + offset;
}

void RemoteDevice::copy(Stream s, void* to, const void* from, size_t bytes) {
  unsigned char* target = real(to, bytes);
  const unsigned char* source = real(const_cast<void*>(from), bytes);
  waiting_[s.native].push_back([=] { std::memcpy(target, source, bytes); });
}

void RemoteDevice::fill(Stream s, void* to, int byte, size_t bytes) {
  unsigned char* target = real(to, bytes);
  waiting_[s.native].push_back([=] { std::memset(target, byte, bytes); });
}

void RemoteDevice::synchronize(Stream s) {
  for (auto& work = waiting_[s.native]; !work.empty(); work.pop_front()) work.front()();
}

Stream RemoteDevice::create_stream() { return {reserved_ + kAddresses - ++streams_}; }

void RemoteDevice::destroy_stream(Stream s) noexcept { waiting_.erase(s.native); }

}  // namespace bench::comm_checks
