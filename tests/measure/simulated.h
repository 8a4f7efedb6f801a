#pragma once
// Subjects whose lengths are known, on a clock that only they and its own reads move.

#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/base/clock.h"
#include "bench/measure/protocol.h"

namespace bench::test {

// A read costs what it costs on a usual machine.
class TickingClock final : public Clock {
 public:
  explicit TickingClock(int64_t read_ns = 25) : read_ns_(read_ns) {}
  int64_t now_ns() override { return now_ += read_ns_; }
  void advance_ns(int64_t by) { now_ += by; }

 private:
  int64_t read_ns_;
  int64_t now_ = 0;
};

// Remembers the order of phases and how often progress was told.
class PhaseLog final : public measure::PhaseSink {
 public:
  void enter(measure::Phase phase) override {
    current_ = phase;
    inside_ = true;
    order_.push_back(phase);
  }
  void leave() override { inside_ = false; }
  void progress(int64_t n, double, double) override { told_.push_back(n); }

  bool sampling() const { return inside_ && current_ == measure::Phase::samples; }
  bool inside() const { return inside_; }
  const std::vector<measure::Phase>& order() const { return order_; }
  const std::vector<int64_t>& told() const { return told_; }

 private:
  measure::Phase current_ = measure::Phase::gather;
  bool inside_ = false;
  std::vector<measure::Phase> order_;
  std::vector<int64_t> told_;
};

// `length_ns` says how long the next iteration takes. Keeps the true length of every sample.
class SimulatedSubject final : public measure::Subject {
 public:
  SimulatedSubject(TickingClock& clock, const PhaseLog& phases, std::function<int64_t()> length_ns)
      : clock_(clock), phases_(phases), length_ns_(std::move(length_ns)) {}

  void enqueue(int64_t n) override {
    int64_t took_ns = 0;
    for (int64_t i = 0; i < n; ++i) took_ns += length_ns_();
    clock_.advance_ns(took_ns);
    iterations += n;
    since_reset += n;
    calls.push_back(n);
    if (phases_.sampling())
      true_lengths_s.push_back(static_cast<double>(took_ns) * 1e-9 / static_cast<double>(n));
    if (throw_at > 0 && iterations >= throw_at) throw std::runtime_error("the kernel burnt");
  }
  void synchronize() override {}
  schema::Verify check() override {
    ++checks;
    return verify;
  }
  void reset() override {
    ++resets;
    since_reset = 0;
  }

  int64_t iterations = 0, since_reset = 0, throw_at = 0;
  int checks = 0, resets = 0;
  std::vector<int64_t> calls;
  std::vector<double> true_lengths_s;
  schema::Verify verify{.status = "passed", .error = 0.0, .tolerance = 1.0, .detail = {}};

 private:
  TickingClock& clock_;
  const PhaseLog& phases_;
  std::function<int64_t()> length_ns_;
};

// Uniform within +- `jitter` of the mean, the same every time for a seed.
inline std::function<int64_t()> jittering(int64_t mean_ns, double jitter, unsigned seed) {
  return [mean_ns, jitter, random = std::mt19937(seed)]() mutable {
    const double u = static_cast<double>(random()) / static_cast<double>(std::mt19937::max());
    return static_cast<int64_t>(static_cast<double>(mean_ns) * (1 + jitter * (2 * u - 1)));
  };
}

inline std::function<int64_t()> constant(int64_t ns) {
  return [ns] { return ns; };
}

}  // namespace bench::test
