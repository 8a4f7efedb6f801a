// A plugin to copy: one case, y = a x + y over a vector ("axpy"), with everything a case should
// have: declared work, seeded inputs, an oracle, and a state that can be put back.
//
// In a folder of your own:   find_package(bench)   bench_plugin(myplugin SOURCES plugin.cpp)
// and then:                  bench list --plugin myplugin.cpu.so
#include "bench/sdk/plugin.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "bench/device/buffer.h"

namespace {
using bench::Buffer;
using bench::Stream;
namespace sdk = bench::sdk;

constexpr float kA = 0.5F;
constexpr int64_t kSize = int64_t{1} << 16;

// The vectors of one open case. Memory comes from the device that the host chose.
class Axpy final : public sdk::Instance {
 public:
  Axpy(const sdk::Place& place, int64_t size, uint64_t seed)
      : x_(place.context.device, size),
        y_(place.context.device, size),
        start_(static_cast<size_t>(size)) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
    for (int64_t i = 0; i < size; ++i) x_.data()[i] = uniform(random);
    for (float& v : start_) v = uniform(random);
    reset();
  }

  // The timed part: nothing but the work.
  void enqueue(int64_t n) override {
    for (int64_t k = 0; k < n; ++k)
      for (int64_t i = 0; i < x_.size(); ++i) y_.data()[i] = kA * x_.data()[i] + y_.data()[i];
    iterations_ += n;
  }

  // The oracle, in double, for as many iterations as have run: a case that fails it gets no time.
  sdk::Check check() override {
    const double n = static_cast<double>(iterations_);
    double worst = 0;
    for (int64_t i = 0; i < x_.size(); ++i) {
      const double expected = start_[static_cast<size_t>(i)] + n * kA * x_.data()[i];
      worst = std::max(worst, std::abs(y_.data()[i] - expected) / (1.0 + std::abs(expected)));
    }
    // Each iteration rounds once.
    const double tolerance = 1e-6 * (1 + n);
    return {.passed = worst <= tolerance, .error = worst, .tolerance = tolerance, .detail = {}};
  }

  void reset() override {
    std::copy(start_.begin(), start_.end(), y_.data());
    iterations_ = 0;
  }

 private:
  Buffer<float> x_, y_;
  std::vector<float> start_;
  int64_t iterations_ = 0;
};

class TemplatePlugin final : public sdk::Plugin {
 public:
  std::vector<sdk::Case> cases(const sdk::Request& request) override {
    const uint64_t seed = request.seed;
    sdk::Case axpy;
    axpy.name = "template.axpy";
    axpy.number_params = {{"size", kSize}};
    axpy.flops = 2.0 * kSize;                  // a multiplication and an addition an element
    axpy.bytes = 3.0 * kSize * sizeof(float);  // two reads and a write
    axpy.memory_bytes = 2.0 * kSize * sizeof(float);
    axpy.open = [seed](const sdk::Place& place) {
      return std::make_unique<Axpy>(place, kSize, seed);
    };
    return {axpy};
  }
};

}  // namespace

BENCH_PLUGIN(TemplatePlugin, "template", "1", "an example to copy: y = a x + y")
