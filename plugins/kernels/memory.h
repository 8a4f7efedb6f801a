#pragma once
// The memory of an open case, and what its check sees of it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "bench/device/buffer.h"
#include "bench/device/context.h"
#include "kernels/copy_column.h"
#include "kernels/pointers.h"

namespace bench::kernel_cases {

// Whether the host reads and writes the device's memory by its pointers.
inline bool on_host(const Context& context) {
  return context.device.info().kind == DeviceKind::cpu;
}

// Buffers of one open case with seeded content; pointers stay valid as long as it lives. Without a
// context it only counts: what a case will take is known from the same code that takes it.
class Memory {
 public:
  // Work goes into the context's stream and is done when a function returns.
  Memory(const Context* context, uint64_t seed)
      : context_(context), state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}

  // In [-1, 1]. On another device than the host's the values recur after kTile elements.
  template <class T>
  T* uniform(int64_t size) {
    return made<T>(size, [this] { return T(next()); });
  }
  template <class T>
  T* filled(int64_t size, T value) {
    return made<T>(size, [value] { return value; });
  }
  // NaN in every floating type, until written.
  template <class T>
  T* poisoned(int64_t size) {
    return static_cast<T*>(take(size * static_cast<int64_t>(sizeof(T)), 0xff));
  }
  int32_t* tokens(int64_t size, int64_t vocab);

  // What an op keeps by itself.
  void count(int64_t bytes) { bytes_ += bytes; }
  int64_t bytes() const { return bytes_; }

 private:
  // Prime, so that neither rows nor columns of a matrix repeat each other.
  static constexpr int64_t kTile = 4194301;

  float next();
  void* take(int64_t bytes, int byte);
  // Fills the rest with copies of the tile at its start.
  void repeat(std::byte* memory, const void* tile, int64_t tile_bytes, int64_t bytes);

  template <class T, class Value>
  T* made(int64_t size, const Value& value) {
    T* const data = poisoned<T>(size);
    if (data == nullptr) return nullptr;
    if (on_host(*context_)) {
      std::generate_n(data, size, value);
      return data;
    }
    std::vector<T> tile(static_cast<size_t>(std::min(size, kTile)));
    std::generate(tile.begin(), tile.end(), value);
    const auto element = static_cast<int64_t>(sizeof(T));
    repeat(reinterpret_cast<std::byte*>(data), tile.data(),
           static_cast<int64_t>(tile.size()) * element, size * element);
    return data;
  }

  const Context* context_;
  uint64_t state_;
  int64_t bytes_ = 0;
  std::vector<Buffer<std::byte>> buffers_;
};

// Tensors as a check on the host sees them: a CPU's where they are, another device's as copies,
// each extent once, which live as long as this.
class HostView {
 public:
  explicit HostView(const Context& context) : context_(context) {}
  HostView(const HostView&) = delete;

  // `count` elements from there on; not to be written.
  template <class T>
  const T* of(const T* data, int64_t count) {
    if (on_host(context_)) return data;
    return static_cast<const T*>(copy_of(data, count * static_cast<int64_t>(sizeof(T))));
  }
  template <class T>
  T value(const T* at) {
    return *of(at, 1);
  }

  // The same arguments with all they point to on the host, opaque memory excepted (nullptr). A
  // check says with its sizes how much it wants, and replaces the outputs before an oracle writes
  // them.
  template <class Args>
  Args arguments(Args a) {
    kernels::for_each_pointer(a, [&]<class T>(T*& pointer, int64_t count) {
      if constexpr (std::is_void_v<T>) {
        pointer = nullptr;
      } else {
        pointer = const_cast<T*>(of(pointer, count));
      }
    });
    return a;
  }

  // Every width-th element of rows [0, n), from `column`.
  template <class T>
  std::vector<T> column(const T* data, int64_t n, int64_t width, int64_t column) const {
    std::vector<T> taken(static_cast<size_t>(n));
    const auto element = static_cast<int64_t>(sizeof(T));
    kernels::copy_column(context_, taken.data(), data + column, n, width * element, element);
    return taken;
  }

  template <class T>
  std::vector<T> elements(const T* data, const std::vector<int64_t>& places) {
    std::vector<T> values;
    for (const int64_t i : places) values.push_back(value(data + i));
    return values;
  }

 private:
  const void* copy_of(const void* data, int64_t bytes);

  const Context& context_;
  std::map<std::pair<const void*, int64_t>, std::vector<std::byte>> copies_;
};

}  // namespace bench::kernel_cases
