#pragma once
// Where memory lives and work runs. The host implements it for CPU ranks (and, in a module of its
// own, for GPUs); plugins see the same interface through the SDK.

#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

enum class DeviceKind { cpu, cuda };

constexpr const char* name_of(DeviceKind k) { return k == DeviceKind::cpu ? "cpu" : "cuda"; }

// Work given to one stream runs in order. Default-constructed: the default stream; on a CPU every
// stream means "now, on the calling thread".
struct Stream {
  void* native = nullptr;
};

struct DeviceInfo {
  DeviceKind kind = DeviceKind::cpu;
  std::string name;
  int index = 0;
  std::string uuid;  // empty where the device has none
  int threads = 1;   // CPU threads this rank may use
  uint64_t last_level_cache_bytes = 0;
  uint64_t memory_bytes = 0;  // this rank's share
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;

  // 64-byte aligned, content undefined. Throws EnvironmentError when there is none left.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;

  // In stream order; either side may be host memory.
  virtual void copy(Stream s, void* to, const void* from, size_t bytes) = 0;
  virtual void fill(Stream s, void* to, int byte, size_t bytes) = 0;
  virtual void synchronize(Stream s) = 0;

  virtual Stream create_stream() = 0;
  virtual void destroy_stream(Stream s) noexcept = 0;

  int threads() const { return info().threads; }
};

}  // namespace bench
