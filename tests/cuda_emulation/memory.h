#pragma once
// Tensors for emulated kernels.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <random>

namespace bench::emulation {

// What a device allocates: aligned to 64 bytes, full of NaN.
template <class T>
class Memory {
 public:
  explicit Memory(int64_t size)
      : size_(static_cast<size_t>(size)),
        data_(static_cast<T*>(::operator new (size_ * sizeof(T), std::align_val_t{64}))) {
    std::fill_n(reinterpret_cast<std::byte*>(data_.get()), size_ * sizeof(T), std::byte{0xff});
  }
  Memory(int64_t size, uint32_t seed) : Memory(size) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::generate_n(data(), size_, [&] { return T(uniform(random)); });
  }
  T* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Deleter {
    void operator()(T* memory) const { ::operator delete (memory, std::align_val_t{64}); }
  };
  size_t size_;
  std::unique_ptr<T, Deleter> data_;
};

// The largest difference, relative to the largest of `want`; NaN where one is.
template <class T>
double error_of(const Memory<T>& got, const Memory<T>& want) {
  double error = 0, most = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(static_cast<double>(got.data()[i]) - want.data()[i]);
    if (std::isnan(difference)) return difference;
    error = std::max(error, difference);
    most = std::max(most, std::abs(static_cast<double>(want.data()[i])));
  }
  return most == 0 ? error : error / most;
}

}  // namespace bench::emulation
