#pragma once
// Ops of the CPU, and a device, whose every call goes through a hook: what a test needs to stand
// for a GPU.

#include <functional>
#include <utility>

#include "bench/device/cpu/cpu_device.h"
#include "kernels/ops.h"

namespace bench::gpt2::test {

using Call = std::function<void()>;

// What is done with a call on this thread; empty: it is made.
inline thread_local std::function<void(const Call&)> hook;

inline void through_hook(const Call& call) { hook ? hook(call) : call(); }

// Of all products those of loops alone keep nothing on the host from call to call.
template <class T>
const kernels::Ops<T>& unhooked_ops() {
  static const kernels::Ops<T> ops = kernels::ops_for<T>(DeviceKind::cpu, {{"linear", "loops"}});
  return ops;
}

template <class T, class Args>
Args args_of(void (*kernels::Ops<T>::*)(const Context&, const Args&));

// With the arguments as they are now, whenever it is made.
template <class T, auto kOp>
void hooked(const Context& context, const decltype(args_of(kOp))& a) {
  through_hook([context, a] { (unhooked_ops<T>().*kOp)(context, a); });
}

template <class T, auto... kOps>
void hook_each(kernels::Ops<T>& ops) {
  ((ops.*kOps = hooked<T, kOps>), ...);
}

// All that a step uses.
template <class T>
kernels::Ops<T> hooked_ops() {
  using O = kernels::Ops<T>;
  O ops = unhooked_ops<T>();
  hook_each<T, &O::embedding_forward, &O::embedding_backward, &O::layer_norm_forward,
            &O::layer_norm_backward, &O::linear_forward, &O::linear_input_grad,
            &O::linear_weight_grad, &O::gelu_forward, &O::gelu_backward, &O::attention_forward,
            &O::attention_backward, &O::cross_entropy, &O::cross_entropy_forward,
            &O::cross_entropy_rescale, &O::cross_entropy_grad, &O::convert_narrow,
            &O::sum_of_squares, &O::sum, &O::adamw>(ops);
  return ops;
}

// Copies and fills go through the hook.
class HookedDevice : public Device {
 public:
  const DeviceInfo& info() const override { return cpu_.info(); }
  void* allocate(size_t bytes) override { return cpu_.allocate(bytes); }
  void release(void* memory) noexcept override { cpu_.release(memory); }
  void copy(Stream s, void* to, const void* from, size_t n) override {
    through_hook([this, s, to, from, n] { cpu_.copy(s, to, from, n); });
  }
  void fill(Stream s, void* to, int byte, size_t n) override {
    through_hook([this, s, to, byte, n] { cpu_.fill(s, to, byte, n); });
  }
  void synchronize(Stream) override { ++waits; }
  Stream create_stream() override { return cpu_.create_stream(); }
  void destroy_stream(Stream s) noexcept override { cpu_.destroy_stream(s); }
  int waits = 0;

 private:
  CpuDevice cpu_{1};
};

}  // namespace bench::gpt2::test
