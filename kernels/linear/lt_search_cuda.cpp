#include "kernels/linear/lt_search_cuda.h"

#include <algorithm>
#include <array>
#include <memory>

#include "kernels/cuda/check.h"
#include "kernels/cuda/scratch.h"
#include "kernels/cuda/stopwatch.h"
#include "kernels/linear/probe.h"

namespace bench::kernels::cuda {
namespace {

using Candidates = std::vector<cublasLtMatmulHeuristicResult_t>;

// Two orders of a sum differ in about every second result in f32, but once rounded to bf16 in about
// one of 2^14: so many results leave no doubt.
constexpr int64_t kTellingResults = int64_t{1} << 18;

// A time is taken over about so long, and each algorithm that is not far off the best is timed so
// often; the shortest counts.
constexpr double kTimedSeconds = 200e-6;
constexpr int kMostRepeats = 20, kRounds = 4;

struct Free {
  void operator()(void* memory) const { cudaFree(memory); }
};

// The product on operands and results of its own. They are large, and needed once: no scratch.
class Probe {
 public:
  Probe(const Context& context, const LtProduct& product, bool same_bits)
      : context_(context), stream_(stream_of(context)), product_(product) {
    const auto [m, n, k, ta, tb] = product.shape;
    c_bytes_ = static_cast<size_t>(m * n) * size_of(product.result);
    if (product.row_sums != nullptr) sums_bytes_ = static_cast<size_t>(m) * size_of(product.result);
    const std::array sizes = {static_cast<size_t>(m * k) * size_of(product.operands),
                              static_cast<size_t>(k * n) * size_of(product.operands),
                              c_bytes_,
                              same_bits ? c_bytes_ : 0,
                              sums_bytes_,
                              sizeof(int)};
    size_t total = 0;
    for (const size_t bytes : sizes) total += padded(bytes);
    void* at = nullptr;
    if (cudaMalloc(&at, total) != cudaSuccess) {
      cudaGetLastError();  // seen; not for the next call
      return;
    }
    memory_.reset(at);
    std::array<void*, sizes.size()> parts;
    auto* next = static_cast<std::byte*>(at);
    for (size_t i = 0; i < sizes.size(); next += padded(sizes[i++])) parts[i] = next;
    fill_probe(context, product.operands, m * k, 1, parts[0]);
    fill_probe(context, product.operands, k * n, 2, parts[1]);
    product_.a = parts[0];
    product_.b = parts[1];
    product_.c = parts[2];
    expected_ = parts[3];
    expected_sums_ = parts[4];
    differ_ = static_cast<int*>(parts[5]);
    clear();
  }

  bool has_memory() const { return memory_ != nullptr; }
  const LtProduct& product() const { return product_; }
  int64_t results() const { return product_.shape.m * product_.shape.n; }

  // So that a result that is added to begins the same.
  void clear() { check(cudaMemsetAsync(product_.c, 0, c_bytes_, stream_), "clearing a result"); }

  void keep() {
    keep(expected_, product_.c, c_bytes_);
    keep(expected_sums_, product_.row_sums, sums_bytes_);
  }
  bool as_kept() {
    int differ = 0;
    check(cudaMemsetAsync(differ_, 0, sizeof differ, stream_), "comparing results");
    compare(product_.c, expected_, c_bytes_);
    compare(product_.row_sums, expected_sums_, sums_bytes_);
    check(cudaMemcpyAsync(&differ, differ_, sizeof differ, cudaMemcpyDeviceToHost, stream_),
          "comparing results");
    check(cudaStreamSynchronize(stream_), "comparing results");
    return differ == 0;
  }

 private:
  static size_t padded(size_t bytes) { return (bytes + 255) / 256 * 256; }

  void keep(void* to, const void* from, size_t bytes) {
    if (bytes == 0) return;
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_), "keeping a result");
  }
  void compare(const void* a, const void* b, size_t bytes) {
    if (bytes == 0) return;
    compare_words(context_, static_cast<int64_t>(bytes / sizeof(uint16_t)),
                  static_cast<const uint16_t*>(a), static_cast<const uint16_t*>(b), differ_);
  }

  const Context& context_;
  cudaStream_t stream_;
  LtProduct product_;
  size_t c_bytes_ = 0, sums_bytes_ = 0;
  std::unique_ptr<void, Free> memory_;
  void *expected_ = nullptr, *expected_sums_ = nullptr;
  int* differ_ = nullptr;
};

class Contest {
 public:
  Contest(const Context& context, Probe& probe)
      : stream_(stream_of(context)),
        workspace_(scratch(context, kLtWorkspaceBytes)),
        probe_(probe),
        call_(probe.product()) {}

  std::optional<LtChoice> winner(const Candidates& candidates, bool same_bits) {
    const bool by_time = !same_bits || probe_.results() >= kTellingResults;
    for (const auto& candidate : candidates) {
      if (choices_.empty() || by_time) admit(candidate.algo, same_bits);
    }
    if (choices_.empty()) return std::nullopt;
    return by_time ? by_time_alone() : choices_.front();
  }

 private:
  // Where it runs at all and, where asked for, agrees with the first that did.
  void admit(const cublasLtMatmulAlgo_t& algorithm, bool same_bits) {
    if (same_bits) probe_.clear();
    if (call_.run(algorithm, workspace_, stream_) != CUBLAS_STATUS_SUCCESS) return;
    if (same_bits && choices_.empty()) probe_.keep();
    if (!same_bits || probe_.as_kept()) choices_.push_back({.algorithm = algorithm});
  }

  LtChoice by_time_alone() {
    const double first = std::max(time(choices_.front(), 1), 1e-6);  // as fine as events are
    const int repeats = std::clamp(static_cast<int>(kTimedSeconds / first), 1, kMostRepeats);
    for (LtChoice& choice : choices_) choice.seconds = time(choice, repeats);
    const auto faster = [](const LtChoice& a, const LtChoice& b) { return a.seconds < b.seconds; };
    std::stable_sort(choices_.begin(), choices_.end(), faster);
    choices_.resize(std::min(choices_.size(), std::max<size_t>(3, choices_.size() / 8)));
    for (int round = 0; round < kRounds; ++round) {
      for (LtChoice& choice : choices_) {
        choice.seconds = std::min(choice.seconds, time(choice, repeats));
      }
    }
    return *std::min_element(choices_.begin(), choices_.end(), faster);
  }

  double time(const LtChoice& choice, int repeats) {
    return watch_.seconds(stream_, repeats, [&] {
      check_lt(call_.run(choice.algorithm, workspace_, stream_), "timing a product");
    });
  }

  cudaStream_t stream_;
  void* workspace_;
  Probe& probe_;
  LtCall call_;
  Stopwatch watch_;
  std::vector<LtChoice> choices_;
};

}  // namespace

std::optional<LtChoice> fastest(const Context& context, const LtProduct& product,
                                const Candidates& candidates, bool same_bits) {
  Probe probe(context, product, same_bits);
  if (!probe.has_memory()) return LtChoice{.algorithm = candidates.front().algo};
  return Contest(context, probe).winner(candidates, same_bits);
}

}  // namespace bench::kernels::cuda
