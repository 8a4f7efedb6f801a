#pragma once
// A stream that ends with its owner.

#include "bench/device/device.h"

namespace bench {

class OwnedStream {
 public:
  explicit OwnedStream(Device& device) : device_(device), stream_(device.create_stream()) {}
  ~OwnedStream() { device_.destroy_stream(stream_); }
  OwnedStream(const OwnedStream&) = delete;
  OwnedStream& operator=(const OwnedStream&) = delete;
  Stream get() const { return stream_; }

 private:
  Device& device_;
  Stream stream_;
};

}  // namespace bench
