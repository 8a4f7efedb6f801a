// The ops in bfloat16 against PyTorch's own error in bfloat16: at most twice that, plus a floor.
// Inputs, shapes and errors: tests/golden/make_kernel_goldens.py.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "kernels/registry.h"
#include "kernels/rounding.h"
#include "tests/kernels/reference_ops.h"
#include "tests/kernels/sites.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

using Values = std::vector<bfloat16>;
using Exact = std::vector<double>;
using Json = nlohmann::json;

// What PyTorch may have been spared by luck: a quarter of one rounding.
constexpr double kFloor = kRounding<bfloat16> / 4;

// Element i of input `seed`: the upper half of a hash of both, in [-1, 1).
Values counter_values(uint32_t seed, int64_t size) {
  Values out(static_cast<size_t>(size));
  for (size_t i = 0; i < out.size(); ++i) {
    uint32_t x = static_cast<uint32_t>(i) * 2654435761U + seed * 0x9E3779B9U;
    x = (x ^ (x >> 16)) * 0x85EBCA6BU;
    x = (x ^ (x >> 13)) * 0xC2B2AE35U;
    x ^= x >> 16;
    out[i] = bfloat16(static_cast<float>(x >> 16) / 32768.0F - 1.0F);
  }
  return out;
}

// Outputs of an op by the names of the golden file.
using Outputs = std::map<std::string, Exact>;

struct Setting {
  Site* site;
  Json shape;
  int64_t at(const char* extent) const { return shape.at(extent); }
};

// Every op once in T, from inputs that bfloat16 holds: with T = bfloat16 what is tested, with
// double what is exact.
template <class T>
class Run {
 public:
  Run(const Setting& s, const Ops<T>& ops) : s_(s), ops_(ops) {}

  Outputs layer_norm(bool residual) {
    const int64_t n = s_.at("n"), h = s_.at("h");
    uint32_t seed = 0;
    const auto x = input(++seed, n * h);
    const auto before = residual ? input(++seed, n * h) : std::vector<T>();
    const auto gamma = input(++seed, h), beta = input(++seed, h), dy = input(++seed, n * h);
    std::vector<T> y(x.size()), sum(before.size()), dx(x.size());
    std::vector<Wide<T>> mean(n), rstd(n), d_gamma(h), d_beta(h);
    s_.site->call<LayerNormForward<T>>(ops_.layer_norm_forward,
                                       {.n = n,
                                        .h = h,
                                        .eps = Wide<T>(1e-5),
                                        .x = x.data(),
                                        .residual = residual ? before.data() : nullptr,
                                        .sum = residual ? sum.data() : nullptr,
                                        .gamma = gamma.data(),
                                        .beta = beta.data(),
                                        .y = y.data(),
                                        .mean = mean.data(),
                                        .rstd = rstd.data()});
    if (residual) return {{"y", exact(y)}};
    s_.site->call<LayerNormBackward<T>>(ops_.layer_norm_backward, {.n = n,
                                                                   .h = h,
                                                                   .dy = dy.data(),
                                                                   .x = x.data(),
                                                                   .gamma = gamma.data(),
                                                                   .mean = mean.data(),
                                                                   .rstd = rstd.data(),
                                                                   .d_residual = nullptr,
                                                                   .dx = dx.data(),
                                                                   .d_gamma = d_gamma.data(),
                                                                   .d_beta = d_beta.data()});
    return {
        {"y", exact(y)}, {"dx", exact(dx)}, {"d_gamma", exact(d_gamma)}, {"d_beta", exact(d_beta)}};
  }

  Outputs bias_gelu() {
    const int64_t n = s_.at("n"), cols = s_.at("cols");
    const auto x = input(1, n * cols), bias = input(2, cols), dy = input(3, n * cols);
    std::vector<T> y(x.size()), dx(x.size());
    std::vector<Wide<T>> d_bias(cols);
    s_.site->call<GeluForward<T>>(
        ops_.gelu_forward,
        {.n = n, .cols = cols, .x = x.data(), .bias = bias.data(), .y = y.data()});
    s_.site->call<GeluBackward<T>>(ops_.gelu_backward, {.n = n,
                                                        .cols = cols,
                                                        .dy = dy.data(),
                                                        .x = x.data(),
                                                        .bias = bias.data(),
                                                        .dx = dx.data(),
                                                        .d_bias = d_bias.data()});
    return {{"y", exact(y)}, {"dx", exact(dx)}, {"d_bias", exact(d_bias)}};
  }

  Outputs linear() {
    const int64_t n = s_.at("n"), in = s_.at("in"), out = s_.at("out");
    const auto x = input(1, n * in), w = input(2, out * in), bias = input(3, out),
               dy = input(4, n * out);
    std::vector<T> y(n * out), dx(n * in);
    std::vector<Wide<T>> dw(out * in), d_bias(out);
    s_.site->call<LinearForward<T>>(ops_.linear_forward, {.n = n,
                                                          .in = in,
                                                          .out = out,
                                                          .x = x.data(),
                                                          .w = w.data(),
                                                          .bias = bias.data(),
                                                          .y = y.data()});
    s_.site->call<LinearInputGrad<T>>(
        ops_.linear_input_grad,
        {.n = n, .in = in, .out = out, .dy = dy.data(), .w = w.data(), .dx = dx.data()});
    s_.site->call<LinearWeightGrad<T>>(ops_.linear_weight_grad, {.n = n,
                                                                 .in = in,
                                                                 .out = out,
                                                                 .accumulate = false,
                                                                 .dy = dy.data(),
                                                                 .x = x.data(),
                                                                 .dw = dw.data(),
                                                                 .d_bias = d_bias.data()});
    return {{"y", exact(y)}, {"dx", exact(dx)}, {"dw", exact(dw)}, {"d_bias", exact(d_bias)}};
  }

  Outputs attention() {
    const int64_t batch = s_.at("batch"), seq = s_.at("seq"), heads = s_.at("heads"),
                  d = s_.at("d"), width = batch * seq * heads * d;
    const auto qkv = input(1, 3 * width), d_out = input(2, width);
    std::vector<T> out(width), d_qkv(3 * width);
    OpaqueMemory saved(*s_.site, ops_.attention_saved_bytes(batch, seq, heads, d));
    s_.site->call<AttentionForward<T>>(ops_.attention_forward, {.batch = batch,
                                                                .seq = seq,
                                                                .heads = heads,
                                                                .d = d,
                                                                .qkv = qkv.data(),
                                                                .out = out.data(),
                                                                .saved = saved.data()});
    s_.site->call<AttentionBackward<T>>(ops_.attention_backward, {.batch = batch,
                                                                  .seq = seq,
                                                                  .heads = heads,
                                                                  .d = d,
                                                                  .qkv = qkv.data(),
                                                                  .out = out.data(),
                                                                  .saved = saved.data(),
                                                                  .d_out = d_out.data(),
                                                                  .d_qkv = d_qkv.data()});
    return {{"y", exact(out)}, {"d_qkv", exact(d_qkv)}};
  }

  Outputs cross_entropy() {
    const int64_t n = s_.at("n"), cols = s_.at("cols");
    const auto logits = input(1, n * cols);
    std::vector<int32_t> targets(n);
    for (int64_t r = 0; r < n; ++r) targets[r] = static_cast<int32_t>(r * 7 % cols);
    std::vector<Wide<T>> most(n), sums(2 * n), loss(n);
    std::vector<T> d_logits(logits.size());
    s_.site->call<CrossEntropyForward<T>>(ops_.cross_entropy_forward,
                                          {.n = n,
                                           .cols = cols,
                                           .first_col = 0,
                                           .true_vocab = cols,
                                           .logits = logits.data(),
                                           .targets = targets.data(),
                                           .local_max = most.data(),
                                           .sum_and_target = sums.data()});
    s_.site->call<CrossEntropyGrad<T>>(ops_.cross_entropy_grad,
                                       {.n = n,
                                        .cols = cols,
                                        .first_col = 0,
                                        .true_vocab = cols,
                                        .scale = Wide<T>(1) / static_cast<Wide<T>>(n),
                                        .logits = logits.data(),
                                        .row_max = most.data(),
                                        .sum_and_target = sums.data(),
                                        .targets = targets.data(),
                                        .loss = loss.data(),
                                        .d_logits = d_logits.data()});
    return {{"loss", exact(loss)}, {"d_logits", exact(d_logits)}};
  }

 private:
  std::vector<T> input(uint32_t seed, int64_t size) {
    const Values values = counter_values(seed, size);
    std::vector<T> out(values.size());
    for (size_t i = 0; i < out.size(); ++i) out[i] = T(static_cast<float>(values[i]));
    return out;
  }
  template <class U>
  static Exact exact(const std::vector<U>& x) {
    return Exact(x.begin(), x.end());
  }

  const Setting& s_;
  const Ops<T>& ops_;
};

template <class T>
Outputs run(const std::string& op, const Setting& s, const Ops<T>& ops) {
  Run<T> run(s, ops);
  if (op == "layer_norm") return run.layer_norm(false);
  if (op == "residual_norm") return run.layer_norm(true);
  if (op == "bias_gelu") return run.bias_gelu();
  if (op == "linear") return run.linear();
  if (op == "attention") return run.attention();
  if (op == "cross_entropy") return run.cross_entropy();
  throw std::invalid_argument("no such op: " + op);
}

std::string registered_as(const std::string& op) {
  if (op == "residual_norm") return "layer_norm";
  return op == "bias_gelu" ? "gelu" : op;
}

std::vector<VariantInfo> variants_of(const std::string& op) {
  std::vector<VariantInfo> found;
  for (const VariantInfo& v : list_variants()) {
    if (v.op == registered_as(op) && v.dtype == DType::bf16) found.push_back(v);
  }
  return found;
}

// In the source tree, or where a carried one has it.
std::string golden_file() {
  const char* const folder = std::getenv("BENCH_GOLDEN_DIR");
  return folder != nullptr ? std::string(folder) + "/kernels_bfloat16.json" : BENCH_KERNEL_GOLDENS;
}

OpShape op_shape(const Json& s) {
  const auto at = [&](const char* extent) { return s.value(extent, int64_t{0}); };
  return {.n = at("n"),
          .h = at("h"),
          .in = at("in"),
          .out = at("out"),
          .batch = at("batch"),
          .seq = at("seq"),
          .heads = at("heads"),
          .d = at("d")};
}

TEST(PyTorch, IsAtMostTwiceAsNearInBfloat16) {
  const Json golden = Json::parse(std::ifstream(golden_file()));
  Cpu host(1);
  for (const Json& c : golden.at("cases")) {
    const std::string op = c.at("op");
    const Outputs want =
        run(op, Setting{.site = &host, .shape = c.at("shape")}, reference_ops<double>());
    const auto variants = variants_of(op);
    EXPECT_FALSE(variants.empty()) << op;
    for (const VariantInfo& v : variants) {
      if (!variant_supports<bfloat16>(v.device, v.op, v.name, op_shape(c.at("shape")))) continue;
      const auto ops = ops_for<bfloat16>(v.device, {{std::string(v.op), std::string(v.name)}});
      const Setting setting{.site = tested_sites().front().site, .shape = c.at("shape")};
      const Outputs got = run(op, setting, ops);
      EXPECT_EQ(got.size(), c.at("errors").size()) << op;
      for (const auto& [name, torch_error] : c.at("errors").items()) {
        EXPECT_LE(error_of(got.at(name), want.at(name)), 2 * double{torch_error} + kFloor)
            << op << " " << v.name << ", " << name;
      }
    }
  }
}

}  // namespace
}  // namespace bench::kernels::test
