#pragma once
// Device memory that frees itself.

#include <cstdint>
#include <utility>

#include "bench/device/device.h"

namespace bench {

// `size` elements of T in memory of a device. Move-only; content undefined until written.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Device& device, int64_t size)
      : device_(&device),
        data_(
            static_cast<T*>(device.allocate(static_cast<size_t>(size > 0 ? size : 1) * sizeof(T)))),
        size_(size) {}
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) device_->release(data_);
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t size() const { return size_; }
  size_t bytes() const { return static_cast<size_t>(size_) * sizeof(T); }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
  Device* device_ = nullptr;
  T* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace bench
