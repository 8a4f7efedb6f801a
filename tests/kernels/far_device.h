#pragma once
// A device whose memory the host cannot reach by its pointers, as a GPU's, on a machine that has
// none: what forgets to copy crashes.

#include <cstdint>
#include <utility>

#include "bench/device/cpu/cpu_device.h"
#include "kernels/ops.h"
#include "kernels/pointers.h"

namespace bench::kernels::test {

// No process has memory at an address with this bit.
inline constexpr uintptr_t kAway = uintptr_t{1} << 50;

template <class T>
T* to_far(T* near) {
  return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(near) | kAway);
}
// The memory behind a pointer of the device; one of the host stays as it is.
template <class T>
T* to_near(T* pointer) {
  return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(pointer) & ~kAway);
}

class FarDevice final : public Device {
 public:
  explicit FarDevice(int threads) : cpu_(threads), info_(cpu_.info()) {
    info_.kind = DeviceKind::cuda;
  }
  const DeviceInfo& info() const override { return info_; }
  void* allocate(size_t bytes) override { return to_far(cpu_.allocate(bytes)); }
  void release(void* memory) noexcept override { cpu_.release(to_near(memory)); }
  void copy(Stream s, void* to, const void* from, size_t bytes) override {
    cpu_.copy(s, to_near(to), to_near(from), bytes);
  }
  void fill(Stream s, void* to, int byte, size_t bytes) override {
    cpu_.fill(s, to_near(to), byte, bytes);
  }
  void synchronize(Stream) override {}
  Stream create_stream() override { return {}; }
  void destroy_stream(Stream) noexcept override {}

 private:
  CpuDevice cpu_;
  DeviceInfo info_;
};

// The op that Ops<T> held when far_ops was called, on tensors of a FarDevice.
template <auto Op>
struct FarOp;
template <class T, class Args, OpFunction<Args> Ops<T>::*Op>
struct FarOp<Op> {
  static inline OpFunction<Args> near = nullptr;
  static void run(const Context& context, const Args& args) {
    Args reachable = args;
    for_each_pointer(reachable, [](auto*& pointer, int64_t) { pointer = to_near(pointer); });
    near(context, reachable);
  }
  static void take(Ops<T>& ops) { near = std::exchange(ops.*Op, run); }
};

// Ops of the CPU for tensors of a FarDevice.
template <class T>
Ops<T> far_ops(Ops<T> ops) {
  using O = Ops<T>;
  FarOp<&O::embedding_forward>::take(ops);
  FarOp<&O::embedding_backward>::take(ops);
  FarOp<&O::layer_norm_forward>::take(ops);
  FarOp<&O::layer_norm_backward>::take(ops);
  FarOp<&O::linear_forward>::take(ops);
  FarOp<&O::linear_input_grad>::take(ops);
  FarOp<&O::linear_weight_grad>::take(ops);
  FarOp<&O::gelu_forward>::take(ops);
  FarOp<&O::gelu_backward>::take(ops);
  FarOp<&O::dropout_forward>::take(ops);
  FarOp<&O::dropout_backward>::take(ops);
  FarOp<&O::softmax_forward>::take(ops);
  FarOp<&O::softmax_backward>::take(ops);
  FarOp<&O::attention_forward>::take(ops);
  FarOp<&O::attention_backward>::take(ops);
  FarOp<&O::cross_entropy>::take(ops);
  FarOp<&O::cross_entropy_forward>::take(ops);
  FarOp<&O::cross_entropy_rescale>::take(ops);
  FarOp<&O::cross_entropy_grad>::take(ops);
  FarOp<&O::add>::take(ops);
  FarOp<&O::convert_narrow>::take(ops);
  FarOp<&O::convert_widen>::take(ops);
  FarOp<&O::sum_of_squares>::take(ops);
  FarOp<&O::sum>::take(ops);
  FarOp<&O::adamw>::take(ops);
  return ops;
}

}  // namespace bench::kernels::test
