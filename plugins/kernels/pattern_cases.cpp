// Ceilings beside copy, triad and read: streams that read and write as an op does, and what the
// arithmetic of the row ops is made of.
#include <fmt/format.h>

#include <cmath>

#include "kernels/ceiling/op.h"
#include "kernels/dropout/op.h"
#include "plugins/kernels/ceiling_cases.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using kernels::kArithmeticBlock;
using kernels::PatternPass;
using kernels::StreamPattern;

int arrays_of(const StreamPattern& p) { return p.reads + (p.in_place ? 0 : p.writes); }

class PatternInstance final : public sdk::Instance {
 public:
  PatternInstance(const sdk::Place& place, PatternPass pass, uint64_t seed)
      : context_(place.context), memory_(&place.context, seed), pass_(pass) {
    const StreamPattern& p = pass.pattern;
    float* arrays[7] = {};
    for (int k = 0; k < arrays_of(p); ++k) arrays[k] = memory_.uniform<float>(pass.size);
    for (int k = 0; k < p.reads; ++k) pass_.in[k] = arrays[k];
    for (int k = 0; k < p.writes; ++k) pass_.out[k] = arrays[p.in_place ? k : p.reads + k];
    for (int k = 0; k < p.reads; ++k) start_[k] = sampled(pass_.in[k]);
  }

  void enqueue(int64_t n) override {
    for (int64_t i = 0; i < n; ++i) kernels::pattern_stream(context_, pass_);
    times_ += n;
  }

  // In place every iteration goes on from the one before: the oracle follows some elements.
  sdk::Check check() override {
    PatternPass oracle = pass_;
    std::vector<float> out[3];
    oracle.size = static_cast<int64_t>(start_[0].size());
    for (int k = 0; k < pass_.pattern.reads; ++k) oracle.in[k] = start_[k].data();
    for (int k = 0; k < pass_.pattern.writes; ++k) {
      out[k].resize(start_[0].size());
      oracle.out[k] = pass_.pattern.in_place ? start_[k].data() : out[k].data();
    }
    for (; done_ < times_; ++done_) kernels::reference_pattern_stream(oracle);
    double error = 0;
    for (int k = 0; k < pass_.pattern.writes; ++k) {
      const std::vector<float> want(oracle.out[k], oracle.out[k] + oracle.size);
      error = worse(error, relative_error(sampled(pass_.out[k]).data(), want));
    }
    const double steps = 1 + std::sqrt(static_cast<double>(times_));
    return judged(error, kernels::kElementTolerance<float> * steps, "64 elements of every output");
  }

 private:
  std::vector<float> sampled(const float* from) const {
    return HostView(context_).elements(from, spread(64, pass_.size));
  }

  const Context& context_;
  Memory memory_;
  PatternPass pass_;
  std::vector<float> start_[4];
  int64_t times_ = 0, done_ = 0;
};

sdk::Case pattern_case(const StreamPattern& pattern, bool non_temporal, int64_t size,
                       uint64_t seed) {
  const PatternPass pass{pattern, non_temporal, size, {}, {}};
  sdk::Case made;
  made.name = fmt::format("ceiling.stream.{}{}", pattern.name, non_temporal ? "_nt" : "");
  made.text_params = {{"mode", "cold"},
                      {"pattern", std::string(pattern.name)},
                      {"stores", non_temporal ? "non-temporal" : "plain"}};
  made.number_params = {{"size", static_cast<double>(size)}};
  made.bytes = pass.bytes();
  made.memory_bytes = static_cast<double>(arrays_of(pattern) * size) * sizeof(float);
  made.ceiling = BENCH_CEILING_COPY;
  made.open = [pass, seed](const sdk::Place& place) {
    return std::make_unique<PatternInstance>(place, pass, seed);
  };
  return made;
}

// So many numbers an iteration: about a millisecond on one core or one GPU.
constexpr int64_t kNumbers = (kDevice == DeviceKind::cuda ? 1 << 20 : 1 << 10) * kArithmeticBlock;

class ExpInstance final : public sdk::Instance {
 public:
  ExpInstance(const sdk::Place& place, uint64_t seed)
      : context_(place.context), memory_(&place.context, seed) {
    pass_ = {
        .size = kNumbers,
        .x = memory_.uniform<float>(kArithmeticBlock),
        .y = memory_.poisoned<float>(kernels::arithmetic_parts(place.context) * kArithmeticBlock)};
  }
  void enqueue(int64_t n) override {
    for (int64_t i = 0; i < n; ++i) kernels::exponentials(context_, pass_);
  }
  sdk::Check check() override {
    HostView host(context_);
    const float* const x = host.of(pass_.x, kArithmeticBlock);
    std::vector<float> want;
    for (int64_t i = 0; i < kArithmeticBlock; ++i) want.push_back(std::exp(x[i]));
    return judged(relative_error(host.of(pass_.y, kArithmeticBlock), want),
                  kernels::kElementTolerance<float>, "a block");
  }

 private:
  const Context& context_;
  Memory memory_;
  kernels::ExpPass pass_;
};

class RandomInstance final : public sdk::Instance {
 public:
  RandomInstance(const sdk::Place& place, uint64_t seed)
      : context_(place.context),
        memory_(&place.context, seed),
        parts_(kernels::arithmetic_parts(place.context)),
        pass_{.size = kNumbers,
              .seed = seed,
              .bits = memory_.poisoned<uint16_t>(parts_ * kArithmeticBlock)} {}
  void enqueue(int64_t n) override {
    for (int64_t i = 0; i < n; ++i) kernels::random_numbers(context_, pass_);
  }
  // The last block of all, which is the last part's.
  sdk::Check check() override {
    HostView host(context_);
    const uint16_t* const bits =
        host.of(pass_.bits + (parts_ - 1) * kArithmeticBlock, kArithmeticBlock);
    int64_t wrong = 0;
    for (int64_t i = 0; i < kArithmeticBlock; ++i) {
      const auto position = static_cast<uint64_t>(kNumbers - kArithmeticBlock + i);
      wrong += bits[i] != kernels::dropout_bits(pass_.seed, position);
    }
    return judged(static_cast<double>(wrong), 0, "a block");
  }

 private:
  const Context& context_;
  Memory memory_;
  int64_t parts_;
  kernels::RandomPass pass_;
};

template <class Instance>
sdk::Case arithmetic_case(const char* name, double bytes_a_thread, uint64_t seed) {
  sdk::Case made;
  made.name = name;
  made.text_params = {{"mode", "hot"}};
  made.number_params = {{"numbers", static_cast<double>(kNumbers)}};
  made.flops = static_cast<double>(kNumbers);  // a number counts as one
  made.memory_bytes = bytes_a_thread;
  made.open = [seed](const sdk::Place& place) { return std::make_unique<Instance>(place, seed); };
  return made;
}

}  // namespace

std::vector<sdk::Case> pattern_ceilings(int64_t size, uint64_t seed) {
  std::vector<sdk::Case> all;
  for (const StreamPattern& pattern : kernels::kStreamPatterns) {
    all.push_back(pattern_case(pattern, false, size, seed));
    if (!pattern.in_place) all.push_back(pattern_case(pattern, true, size, seed));
  }
  all.push_back(arithmetic_case<ExpInstance>("ceiling.exp", 8.0 * kArithmeticBlock, seed));
  all.push_back(arithmetic_case<RandomInstance>("ceiling.random", 2.0 * kArithmeticBlock, seed));
  return all;
}

}  // namespace bench::kernel_cases
