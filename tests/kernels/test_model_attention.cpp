// Every variant of attention at the sizes of a model: two heads are computed again.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/attention/op.h"
#include "tests/kernels/support.h"
#include "tests/kernels/variants.h"

namespace bench::kernels::test {
namespace {

struct AttentionShape {
  int64_t seq, d;
};
constexpr int64_t kBatch = 2, kHeads = 3;
constexpr AttentionShape kAttentions[] = {{128, 64},  {512, 64},   {1000, 64}, {1024, 64},
                                          {128, 96},  {384, 96},   {1024, 96}, {128, 128},
                                          {256, 128}, {1000, 128}, {1024, 128}};

// Head `head` of sequence `b` of rows of `width` elements a head.
template <class T>
std::vector<T> head_of(const std::vector<T>& rows, AttentionShape s, int64_t b, int64_t head,
                       int64_t width) {
  std::vector<T> taken(static_cast<size_t>(s.seq * width));
  for (int64_t r = 0; r < s.seq; ++r) {
    std::copy_n(rows.begin() + ((b * s.seq + r) * kHeads + head) * width, width,
                taken.begin() + r * width);
  }
  return taken;
}

// Inputs of a shape, and what two heads have to be.
template <class T>
struct Attended {
  struct Head {
    int64_t b, head;
    std::vector<T> out, d_qkv;
  };

  explicit Attended(AttentionShape shape)
      : s(shape),
        size(kBatch * s.seq * kHeads * s.d),
        qkv(random_values<T>(3 * size, 1)),
        d_out(random_values<T>(size, 2)) {
    for (const auto& [b, head] : {std::pair<int64_t, int64_t>{0, 0}, {kBatch - 1, kHeads - 1}})
      heads.push_back(expected(b, head));
  }

  Head expected(int64_t b, int64_t head) const {
    const auto own_qkv = head_of(qkv, s, b, head, 3 * s.d);
    const auto own_d_out = head_of(d_out, s, b, head, s.d);
    Head h{.b = b,
           .head = head,
           .out = std::vector<T>(static_cast<size_t>(s.seq * s.d)),
           .d_qkv = std::vector<T>(static_cast<size_t>(3 * s.seq * s.d))};
    reference_attention_forward<T>({.batch = 1,
                                    .seq = s.seq,
                                    .heads = 1,
                                    .d = s.d,
                                    .qkv = own_qkv.data(),
                                    .out = h.out.data(),
                                    .saved = nullptr});
    reference_attention_backward<T>({.batch = 1,
                                     .seq = s.seq,
                                     .heads = 1,
                                     .d = s.d,
                                     .qkv = own_qkv.data(),
                                     .out = nullptr,
                                     .saved = nullptr,
                                     .d_out = own_d_out.data(),
                                     .d_qkv = h.d_qkv.data()});
    return h;
  }

  AttentionShape s;
  int64_t size;
  std::vector<T> qkv, d_out;
  std::vector<Head> heads;
};

// All shapes, made once, on all threads.
template <class T>
const std::vector<std::unique_ptr<Attended<T>>>& attended() {
  static const auto all = [] {
    std::vector<std::unique_ptr<Attended<T>>> made(std::size(kAttentions));
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < made.size(); ++i)
      made[i] = std::make_unique<Attended<T>>(kAttentions[made.size() - 1 - i]);
    return made;
  }();
  return all;
}

template <class T>
void expect_heads(const Ops<T>& ops, Site& site, const Attended<T>& at) {
  std::vector<T> out(static_cast<size_t>(at.size), T(NAN)), d_qkv(3 * out.size(), T(NAN));
  OpaqueMemory saved(site, ops.attention_saved_bytes(kBatch, at.s.seq, kHeads, at.s.d));
  site.call<AttentionForward<T>>(ops.attention_forward, {.batch = kBatch,
                                                         .seq = at.s.seq,
                                                         .heads = kHeads,
                                                         .d = at.s.d,
                                                         .qkv = at.qkv.data(),
                                                         .out = out.data(),
                                                         .saved = saved.data()});
  site.call<AttentionBackward<T>>(ops.attention_backward, {.batch = kBatch,
                                                           .seq = at.s.seq,
                                                           .heads = kHeads,
                                                           .d = at.s.d,
                                                           .qkv = at.qkv.data(),
                                                           .out = out.data(),
                                                           .saved = saved.data(),
                                                           .d_out = at.d_out.data(),
                                                           .d_qkv = d_qkv.data()});
  EXPECT_TRUE(saved.guards_intact());
  for (const auto& h : at.heads) {
    const double allowed = attention_tolerance<T>(at.s.seq, at.s.d);
    EXPECT_LE(error_of<T>(head_of(out, at.s, h.b, h.head, at.s.d), h.out), allowed) << "out";
    EXPECT_LE(error_of<T>(head_of(d_qkv, at.s, h.b, h.head, 3 * at.s.d), h.d_qkv), allowed)
        << "d_qkv";
  }
}

template <class T>
void expect_attention(const VariantInfo& v) {
  const auto ops = ops_for<T>(v.device, {{"attention", std::string(v.name)}});
  for (const auto& at : attended<T>()) {
    const OpShape shape{.batch = kBatch, .seq = at->s.seq, .heads = kHeads, .d = at->s.d};
    if (!variant_supports<T>(v.device, v.op, v.name, shape)) continue;
    for (const TestedSite& tested : tested_sites()) {
      SCOPED_TRACE(fmt::format("seq {} d {}, {}", at->s.seq, at->s.d, tested.name));
      expect_heads(ops, *tested.site, *at);
    }
  }
}

class ModelAttention : public testing::TestWithParam<VariantInfo> {};

TEST_P(ModelAttention, ComputesItsHeads) {
  if (GetParam().dtype == DType::f32) expect_attention<float>(GetParam());
  if (GetParam().dtype == DType::bf16) expect_attention<bfloat16>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, ModelAttention, testing::ValuesIn(variants_of("attention")),
                         test_name);

}  // namespace
}  // namespace bench::kernels::test
