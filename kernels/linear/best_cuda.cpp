// Through cuBLASLt, and weight gradients by the kernel for Hopper where that is the faster way on
// this device. Not the default: on an H200 at 65536 tokens the kernel took 0.98 to 1.12 of the
// library's time at the shapes of 124M.
#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "bench/device/buffer.h"
#include "kernels/cuda/box_map.h"
#include "kernels/cuda/scratch.h"
#include "kernels/cuda/stopwatch.h"
#include "kernels/linear/hopper_weight_grad.h"
#include "kernels/linear/lt_linear.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

const Ops<bfloat16>& by_cublaslt() {
  static const Ops<bfloat16> ops = [] {
    Ops<bfloat16> made;
    install_lt_linear<bfloat16, LtSearch{}>(made);
    return made;
  }();
  return ops;
}

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Whether whole tiles, over all the depth, keep nearly all multiprocessors at work, so that there
// is nothing to gain from sharing it.
bool tiles_fill_device(const LinearWeightGrad<bfloat16>& a) {
  const int64_t tiles = ceil_div(a.out, 128) * ceil_div(a.in, 256);  // as the library's fast ones
  return 10 * tiles >= 9 * ceil_div(tiles, multiprocessors()) * multiprocessors();
}

// Of two runs of some calls each; what they add to is memory of their own.
template <class Run>
double seconds_of(const Context& context, const Run& run) {
  constexpr int kCalls = 5;
  Stopwatch watch;
  run();  // finds its algorithm, grows what it needs
  const double first = watch.seconds(stream_of(context), kCalls, run);
  return std::min(first, watch.seconds(stream_of(context), kCalls, run));
}

// The two ways add in different orders, so that with context.deterministic the extents decide; else
// time does, once for each shape.
class WeightGradChoice {
 public:
  bool is_hopper(const Context& context, const LinearWeightGrad<bfloat16>& a) {
    constexpr int64_t kMuchDepth = 2048;  // where parts are worth their sums
    if (context.deterministic || tiles_fill_device(a))
      return a.n >= kMuchDepth && !tiles_fill_device(a);
    const std::array key = {a.n, a.in, a.out, int64_t{a.accumulate}, int64_t{a.d_bias != nullptr}};
    const std::scoped_lock lock(mutex_);
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    if (is_capturing(stream_of(context))) return false;
    return known_[key] = hopper_is_faster(context, a);
  }

 private:
  static bool hopper_is_faster(const Context& context, LinearWeightGrad<bfloat16> a) {
    Buffer<float> dw(context.device, a.out * a.in), d_bias(context.device, a.out);
    a.dw = dw.data();
    if (a.d_bias != nullptr) a.d_bias = d_bias.data();
    if (!weight_grad_hopper(context, a)) return false;
    const double hopper = seconds_of(context, [&] { weight_grad_hopper(context, a); });
    return hopper < seconds_of(
                        context, [&] { by_cublaslt().linear_weight_grad(context, a); });
  }

  std::mutex mutex_;
  std::map<std::array<int64_t, 5>, bool> known_;
};

void weight_grad(const Context& context, const LinearWeightGrad<bfloat16>& a) {
  static WeightGradChoice choice;
  const bool hopper = compute_capability() == std::pair(9, 0) && a.n * a.in * a.out > 0 &&
                      choice.is_hopper(context, a);
  if (hopper && weight_grad_hopper(context, a)) return;
  by_cublaslt().linear_weight_grad(context, a);
}

}  // namespace

void register_linear_best(VariantList& list) {
  list.add<float>("linear", "best", DeviceKind::cuda, install_lt_linear<float, LtSearch{}>);
  list.add<bfloat16>("linear", "best", DeviceKind::cuda, [](Ops<bfloat16>& ops) {
    install_lt_linear<bfloat16, LtSearch{}>(ops);
    ops.linear_weight_grad = weight_grad;
  });
}

}  // namespace bench::kernels::cuda
