#pragma once
// A device as strange as a GPU, without one: its memory cannot be read through its addresses, and
// what is given to a stream happens only when somebody waits for that stream.

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/device/device.h"

namespace bench::comm_checks {

class RemoteDevice final : public Device {
 public:
  // What it says of itself.
  explicit RemoteDevice(DeviceKind kind = DeviceKind::cpu, std::string uuid = {});
  ~RemoteDevice() override;
  RemoteDevice(const RemoteDevice&) = delete;

  const DeviceInfo& info() const override { return info_; }
  // Addresses that nothing is mapped to: reading one ends the test.
  void* allocate(size_t bytes) override;
  void release(void* memory) noexcept override;
  // Throw std::logic_error for a range that is neither wholly in one allocation nor wholly outside.
  void copy(Stream s, void* to, const void* from, size_t bytes) override;
  void fill(Stream s, void* to, int byte, size_t bytes) override;
  void synchronize(Stream s) override;
  Stream create_stream() override;
  void destroy_stream(Stream s) noexcept override;

 private:
  unsigned char* real(void* address, size_t bytes);

  DeviceInfo info_;
  unsigned char* reserved_ = nullptr;  // addresses without memory
  size_t used_ = 0;
  std::map<const unsigned char*, std::vector<unsigned char>> blocks_;  // by address
  std::map<void*, std::deque<std::function<void()>>> waiting_;         // by stream
  int streams_ = 0;
};

}  // namespace bench::comm_checks
