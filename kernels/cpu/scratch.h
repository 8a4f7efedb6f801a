#pragma once
// Memory a kernel needs while it runs. Make it thread_local: it grows on first use and is then only
// reused.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace bench::kernels::cpu {

class Scratch {
 public:
  // At least `count` elements of T, 64-byte aligned, content undefined. Invalidates what was given
  // before.
  template <class T>
  T* elements(int64_t count) {
    return static_cast<T*>(bytes(static_cast<size_t>(count) * sizeof(T)));
  }

  void* bytes(size_t wanted) {
    if (wanted > size_) {
      memory_.reset();
      size_ = 0;
      const size_t rounded = (wanted + kAlignment - 1) / kAlignment * kAlignment;
      memory_.reset(std::aligned_alloc(kAlignment, rounded));
      if (memory_ == nullptr) throw std::bad_alloc();
      size_ = rounded;
    }
    return memory_.get();
  }

 private:
  static constexpr size_t kAlignment = 64;
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> memory_;
  size_t size_ = 0;
};

}  // namespace bench::kernels::cpu
