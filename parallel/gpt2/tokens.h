#pragma once
// Where the tokens of a training run come from, and which of them a rank takes in which step.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parallel/layout/shard.h"

namespace bench::gpt2 {

// An endless sequence: token i is element i mod size().
class TokenSource {
 public:
  explicit TokenSource(int64_t vocab) : vocab_(vocab) {}
  virtual ~TokenSource() = default;
  virtual std::string_view kind() const = 0;  // "text", "uint16", "llm.c", "megatron", "zipf"
  virtual int64_t size() const = 0;           // at least 1
  int64_t vocab() const { return vocab_; }

  // Tokens [first, first + out.size()). Throws UsageError with the place of a token outside the
  // vocabulary.
  void read(int64_t first, std::span<int32_t> out) const;

 protected:
  // Tokens [first, first + out.size()) without wrapping around; values outside int32 come out as
  // -1.
  virtual void copy(int64_t first, std::span<int32_t> out) const = 0;
  // "FILE at byte OFFSET" of a token.
  virtual std::string place(int64_t index) const = 0;

 private:
  int64_t vocab_;
};

// By what the file is: `.bin` with `.idx` beside it is Megatron-LM's; `.bin` with llm.c's header is
// llm.c's; another `.bin` is raw uint16, as nanoGPT writes it; anything else is text, a byte a
// token. Throws UsageError when it is missing, empty, truncated, malformed, or holds tokens outside
// the vocabulary (the first 64 Mi tokens are looked at here, the others when they are read).
std::unique_ptr<TokenSource> open_tokens(const std::string& path, int64_t vocab);

// Seeded tokens with P(token k) proportional to 1 / (k + 1).
std::unique_ptr<TokenSource> zipf_tokens(int64_t vocab, uint64_t seed);

// A data rank's rows of step `step`, row-major [rows_per_rank, seq] each: the step takes
// global_batch * seq + 1 consecutive tokens from position step * global_batch * seq, targets are
// inputs shifted by one.
void read_batch(const TokenSource& source, const layout::BatchPlan& plan, int64_t seq, int64_t step,
                int data_rank, std::span<int32_t> inputs, std::span<int32_t> targets);

}  // namespace bench::gpt2
