#pragma once
// A coroutine that hands out references to values of its own, one at a time.

#include <coroutine>
#include <exception>
#include <utility>

namespace bench::algorithms {

template <class T>
class Generator {
 public:
  struct promise_type {
    T* current = nullptr;
    std::exception_ptr error;
    Generator get_return_object() {
      return Generator(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(T& value) noexcept {
      current = &value;
      return {};
    }
    void return_void() {}
    void unhandled_exception() { error = std::current_exception(); }
  };

  Generator() = default;
  explicit Generator(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Generator(Generator&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Generator& operator=(Generator&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Generator() {
    if (handle_) handle_.destroy();
  }

  // The next value, which stays until the next call; null at the end.
  T* next() {
    handle_.resume();
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return handle_.done() ? nullptr : handle_.promise().current;
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace bench::algorithms
