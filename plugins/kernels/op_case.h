#pragma once
// What the cases of single ops share: memory with seeded content, an instance made of two
// functions, comparison with the oracle.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/device/buffer.h"
#include "bench/sdk/plugin.h"
#include "kernels/ops.h"

namespace bench::kernel_cases {

// Buffers of one open case; pointers stay valid as long as it lives.
class Memory {
 public:
  Memory(Device& device, uint64_t seed)
      : device_(device), state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  float* uniform(int64_t size);  // in [-1, 1]
  float* filled(int64_t size, float value);
  int32_t* tokens(int64_t size, int64_t vocab);
  double* doubles(int64_t size);  // zero

 private:
  float next();

  Device& device_;
  uint64_t state_;
  std::vector<Buffer<float>> floats_;
  std::vector<Buffer<int32_t>> ints_;
  std::vector<Buffer<double>> doubles_;
};

// Largest |got - expected| over the largest |expected|; NaN when got is not finite anywhere.
double relative_error(std::span<const float> got, std::span<const float> expected);

// The worse of two, NaN being worst.
double worse(double a, double b);

// `once` as it is after having been added `times` times to zero.
std::vector<float> accumulated(std::span<const float> once, int64_t times);

// What so many additions in f32 may do to an accumulated sum, relative: each rounds once.
double accumulation_tolerance(int64_t times);

// A check's result from its error; `what` says what was compared.
sdk::Check judged(double error, double tolerance, const std::string& what);

// What one case does while it is open.
// A check must not run the op again: it judges what the timed iterations left. Where they add up,
// it counts them (Iterations).
struct Running {
  std::function<void()> run;          // one iteration
  std::function<sdk::Check()> check;  // of what the last iteration left
};

// Shapes and choices that all ops of a request share.
struct Setting {
  int64_t batch, seq, layers, h, heads, d, vocab, padded_vocab;
  uint64_t seed;
  std::shared_ptr<const kernels::Ops<float>> ops;
  int64_t n() const { return batch * seq; }
};

// Declares a case; `make` fills the memory and says what runs.
using Make = std::function<Running(const Context&, const std::shared_ptr<Memory>&)>;
sdk::Case op_case(const std::string& name, const Setting& setting, double flops,
                  double elements_moved, std::vector<std::pair<std::string, double>> params,
                  Make make);

// The groups of cases, each in a file of its own.
void add_linear_cases(const Setting& setting, std::vector<sdk::Case>& all);
void add_attention_cases(const Setting& setting, std::vector<sdk::Case>& all);
void add_row_cases(const Setting& setting, std::vector<sdk::Case>& all);
void add_optimizer_cases(const Setting& setting, std::vector<sdk::Case>& all);

}  // namespace bench::kernel_cases
