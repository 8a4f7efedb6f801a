#include "parallel/gpt2/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <vector>

#include "bench/base/status.h"
#include "parallel/gpt2/counter_random.h"
#include "parallel/gpt2/megatron_index.h"
#include "parallel/gpt2/token_files.h"

namespace bench::gpt2 {
namespace {

class ZipfTokens final : public TokenSource {
 public:
  ZipfTokens(int64_t vocab, uint64_t seed) : TokenSource(vocab), key_(random_bits(seed, 0x5a)) {
    double sum = 0;
    for (int64_t k = 0; k < vocab; ++k) {
      sum += 1.0 / static_cast<double>(k + 1);
      cumulative_.push_back(sum);
    }
  }
  std::string_view kind() const override { return "zipf"; }
  int64_t size() const override { return std::numeric_limits<int64_t>::max(); }

 protected:
  void copy(int64_t first, std::span<int32_t> out) const override {
    for (size_t i = 0; i < out.size(); ++i) {
      const double u = random_unit(key_, static_cast<uint64_t>(first) + i) * cumulative_.back();
      const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, u);
      out[i] = static_cast<int32_t>(found - cumulative_.begin());
    }
  }
  std::string place(int64_t index) const override {
    return fmt::format("generated token {}", index);
  }

 private:
  uint64_t key_;
  std::vector<double> cumulative_;  // [vocab]
};

void scan(const TokenSource& source) {
  constexpr int64_t kMost = int64_t{1} << 26;
  std::vector<int32_t> chunk(1 << 16);
  const int64_t end = std::min(source.size(), kMost);
  for (int64_t at = 0; at < end; at += static_cast<int64_t>(chunk.size())) {
    const auto size = std::min<int64_t>(end - at, static_cast<int64_t>(chunk.size()));
    source.read(at, std::span(chunk).first(static_cast<size_t>(size)));
  }
}

}  // namespace

void TokenSource::read(int64_t first, std::span<int32_t> out) const {
  size_t done = 0;
  while (done < out.size()) {
    const int64_t at = (first + static_cast<int64_t>(done)) % size();
    const auto room = static_cast<size_t>(size() - at);
    const std::span<int32_t> part = out.subspan(done, std::min(room, out.size() - done));
    copy(at, part);
    for (size_t i = 0; i < part.size(); ++i) {
      if (part[i] >= 0 && part[i] < vocab_) continue;
      throw UsageError(fmt::format(
          "data {}: token {} is {}, outside the model's vocabulary of {}: use data made "
          "with this model's tokenizer, or a model with a larger vocab",
          place(at + static_cast<int64_t>(i)), at + static_cast<int64_t>(i), part[i], vocab_));
    }
    done += part.size();
  }
}

std::unique_ptr<TokenSource> open_tokens(const std::string& path, int64_t vocab) {
  std::unique_ptr<TokenSource> source;
  const std::filesystem::path file(path);
  if (file.extension() == ".bin") {
    std::filesystem::path index = file;
    index.replace_extension(".idx");
    std::error_code ignored;
    source = std::filesystem::exists(index, ignored)
                 ? open_megatron_tokens(path, index.string(), vocab)
                 : open_uint16_tokens(path, vocab);
  } else {
    source = open_text_tokens(path, vocab);
  }
  scan(*source);
  return source;
}

std::unique_ptr<TokenSource> zipf_tokens(int64_t vocab, uint64_t seed) {
  return std::make_unique<ZipfTokens>(vocab, seed);
}

void read_batch(const TokenSource& source, const layout::BatchPlan& plan, int64_t seq, int64_t step,
                int data_rank, std::span<int32_t> inputs, std::span<int32_t> targets) {
  const layout::Span rows = plan.rows_of_rank(data_rank);
  const int64_t first = (step * plan.global_batch + rows.begin) * seq;
  const auto size = static_cast<size_t>(rows.size * seq);
  if (inputs.size() != size || targets.size() != size) {
    throw UsageError(fmt::format("a rank's batch is {} tokens, not {} inputs and {} targets", size,
                                 inputs.size(), targets.size()));
  }
  source.read(first, inputs);
  source.read(first + 1, targets);
}

}  // namespace bench::gpt2
