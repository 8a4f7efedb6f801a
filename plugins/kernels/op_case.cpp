#include "plugins/kernels/op_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/rounding.h"

namespace bench::kernel_cases {
namespace {

class OpInstance final : public sdk::Instance {
 public:
  OpInstance(const sdk::Place& place, uint64_t seed, const Make& make)
      : memory_(std::make_shared<Memory>(place.context.device, seed)),
        running_(make(place.context, memory_)) {}

  void enqueue(int64_t n) override {
    for (int64_t i = 0; i < n; ++i) running_.run();
  }
  sdk::Check check() override { return running_.check(); }

 private:
  std::shared_ptr<Memory> memory_;
  Running running_;
};

}  // namespace

// splitmix64 (Steele 2014)
float Memory::next() {
  uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<float>(static_cast<int64_t>(z ^ (z >> 31))) * 0x1p-63F;
}

float* Memory::uniform(int64_t size) {
  float* data = filled(size, 0);
  for (int64_t i = 0; i < size; ++i) data[i] = next();
  return data;
}

float* Memory::filled(int64_t size, float value) {
  floats_.emplace_back(device_, size);
  std::fill_n(floats_.back().data(), size, value);
  return floats_.back().data();
}

int32_t* Memory::tokens(int64_t size, int64_t vocab) {
  ints_.emplace_back(device_, size);
  for (int64_t i = 0; i < size; ++i)
    ints_.back().data()[i] =
        static_cast<int32_t>((0.5F + 0.5F * next()) * static_cast<float>(vocab - 1));
  return ints_.back().data();
}

double* Memory::doubles(int64_t size) {
  doubles_.emplace_back(device_, size);
  std::fill_n(doubles_.back().data(), size, 0.0);
  return doubles_.back().data();
}

double relative_error(std::span<const float> got, std::span<const float> expected) {
  double difference = 0, largest = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return NAN;
    difference = std::max(difference, std::abs(static_cast<double>(got[i]) - expected[i]));
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  return difference / std::max(largest, 1e-30);
}

double worse(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b); }

std::vector<float> accumulated(std::span<const float> once, int64_t times) {
  std::vector<float> sum;
  sum.reserve(once.size());
  for (const float x : once)
    sum.push_back(static_cast<float>(static_cast<double>(x) * static_cast<double>(times)));
  return sum;
}

double accumulation_tolerance(int64_t times) {
  return static_cast<double>(times) * kernels::kRounding<float>;
}

sdk::Check judged(double error, double tolerance, const std::string& what) {
  const bool passed = error <= tolerance;  // false for NaN
  return {
      .passed = passed,
      .error = error,
      .tolerance = tolerance,
      .detail =
          passed
              ? ""
              : fmt::format(
                    "{}: largest difference {:.3g} of the largest value, at most {:.3g} is allowed",
                    what, error, tolerance)};
}

sdk::Case op_case(const std::string& name, const Setting& setting, double flops,
                  double elements_moved, std::vector<std::pair<std::string, double>> params,
                  Make make) {
  sdk::Case made;
  made.name = name;
  made.text_params = {{"mode", "hot"}};
  made.number_params = std::move(params);
  made.flops = flops;
  made.bytes = elements_moved * sizeof(float);
  made.memory_bytes = made.bytes;
  made.open = [seed = setting.seed, make = std::move(make)](const sdk::Place& place) {
    return std::make_unique<OpInstance>(place, seed, make);
  };
  return made;
}

}  // namespace bench::kernel_cases
