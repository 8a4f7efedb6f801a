#pragma once
// What the cases of single ops share: an instance made of two functions, comparison with the
// oracle.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/sdk/plugin.h"
#include "kernels/registry.h"
#include "plugins/kernels/memory.h"
#include "plugins/kernels/setting.h"

namespace bench::kernel_cases {

// Largest |got - expected| over the largest |expected|; NaN when got is not finite anywhere.
template <class T, class U>
double relative_error(std::span<const T> got, const std::vector<U>& expected) {
  double difference = 0, largest = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double value = got[i], wanted = expected[i];
    if (!std::isfinite(value)) return NAN;
    difference = std::max(difference, std::abs(value - wanted));
    largest = std::max(largest, std::abs(wanted));
  }
  return difference / std::max(largest, 1e-30);
}

// Of the values at `got`, as many as are expected.
template <class T, class U>
double relative_error(const T* got, const std::vector<U>& expected) {
  return relative_error(std::span<const T>(got, expected.size()), expected);
}

// The worse of two, NaN being worst.
double worse(double a, double b);

// What so many additions in f32 may do to an accumulated sum, relative: each rounds once.
double accumulation_tolerance(int64_t times);

// How far a sum over `rows`, to which each of `times` iterations has added, is from what the oracle
// says of one. Terms of either sign cancel: held against the size of a random sum.
double sum_error(double got, double once, int64_t times, int64_t rows);

// A check's result from its error; `what` says what was compared.
sdk::Check judged(double error, double tolerance, const std::string& what);

// At most `count` of [0, size), spread over it, first and last among them.
std::vector<int64_t> spread(int64_t count, int64_t size);

// What one case does while it is open. A check must not run the op again: it judges what the timed
// iterations left. Where they add up, it counts them.
struct Running {
  std::function<void()> run;                   // one iteration
  std::function<sdk::Check(HostView&)> check;  // of what the last iteration left
};

// One case in numbers.
struct OpWork {
  std::string name;  // dotted
  std::string op;    // as the registry calls it
  std::vector<std::pair<std::string, double>> extents;
  double flops = 0, bytes = 0;  // of one iteration
  std::string pattern;          // the stream its traffic is like: "copy", "r4w3"; or ""
  std::string arithmetic;       // what products are computed in; or ""
  double per_step = 0;          // how often it runs in a step of the same model; 0: not at all
  bool cold = false;
  std::string flank;            // cold: ceiling case that is timed around the samples; or ""
  kernels::OpShape shape = {};  // of ops whose variants may refuse some
};

using Open = std::function<Running(const Context&, Memory&)>;
sdk::Case declared(const Setting& setting, const OpWork& work, int64_t memory_bytes, Open open);

// Declares a case; `allocate` takes its memory, `start` says what runs on it.
template <class Tensors>
sdk::Case op_case(const Setting& setting, const OpWork& work,
                  std::function<Tensors(Memory&)> allocate,
                  std::function<Running(const Context&, const Tensors&)> start) {
  Memory counting(nullptr, 0);
  allocate(counting);
  return declared(
      setting, work, counting.bytes(),
      [allocate = std::move(allocate), start = std::move(start)](
          const Context& context, Memory& memory) { return start(context, allocate(memory)); });
}

// The groups of cases, each in a file of its own. T is float or bfloat16.
using CaseList = std::vector<sdk::Case>;
template <class T>
void add_linear_cases(const OpSetting<T>& setting, CaseList& all);
template <class T>
void add_attention_cases(const OpSetting<T>& setting, CaseList& all);
template <class T>
void add_softmax_cases(const OpSetting<T>& setting, CaseList& all);
template <class T>
void add_norm_cases(const OpSetting<T>& setting, CaseList& all);
template <class T>
void add_pointwise_cases(const OpSetting<T>& setting, CaseList& all);
template <class T>
void add_vocabulary_cases(const OpSetting<T>& setting, CaseList& all);
template <class T>
void add_optimizer_cases(const OpSetting<T>& setting, CaseList& all);

}  // namespace bench::kernel_cases
