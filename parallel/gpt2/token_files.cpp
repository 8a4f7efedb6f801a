#include "parallel/gpt2/token_files.h"

#include <fmt/format.h>

#include "bench/base/status.h"
#include "parallel/gpt2/mapped_file.h"

namespace bench::gpt2 {
namespace {

constexpr int32_t kLlmcMagic = 20240520;
constexpr int64_t kLlmcHeaderBytes = 256 * 4;

// Number = uint8_t or uint16_t, from a byte offset on.
template <class Number>
class FlatTokens final : public TokenSource {
 public:
  FlatTokens(MappedFile file, int64_t offset, int64_t count, std::string_view kind, int64_t vocab)
      : TokenSource(vocab), file_(std::move(file)), offset_(offset), count_(count), kind_(kind) {}
  std::string_view kind() const override { return kind_; }
  int64_t size() const override { return count_; }

 protected:
  void copy(int64_t first, std::span<int32_t> out) const override {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = number_at<Number>(file_.bytes(), byte_of(first + static_cast<int64_t>(i)));
    }
  }
  std::string place(int64_t index) const override {
    return fmt::format("{} at byte {}", file_.path(), byte_of(index));
  }

 private:
  int64_t byte_of(int64_t index) const {
    return offset_ + index * static_cast<int64_t>(sizeof(Number));
  }
  MappedFile file_;
  int64_t offset_;
  int64_t count_;
  std::string_view kind_;
};

std::unique_ptr<TokenSource> open_llmc(MappedFile file, int64_t vocab) {
  const auto reject = [&](const std::string& why) {
    throw UsageError(fmt::format("data {}: {}", file.path(), why));
  };
  const auto version = number_at<int32_t>(file.bytes(), 4);
  const auto count = number_at<int32_t>(file.bytes(), 8);
  if (version != 1) {
    reject(
        fmt::format("llm.c header has version {} at byte 4; version 1 (uint16 tokens) is read "
                    "here: write the file for GPT-2",
                    version));
  }
  const int64_t present = (file.size() - kLlmcHeaderBytes) / 2;
  if (count < 1) reject(fmt::format("llm.c header promises {} tokens at byte 8", count));
  if (count > present) {
    reject(
        fmt::format("truncated: the llm.c header at byte 8 promises {} tokens, but the {} bytes "
                    "hold {}: copy or write the file again",
                    count, file.size(), present));
  }
  return std::make_unique<FlatTokens<uint16_t>>(std::move(file), kLlmcHeaderBytes, count, "llm.c",
                                                vocab);
}

}  // namespace

std::unique_ptr<TokenSource> open_text_tokens(const std::string& path, int64_t vocab) {
  MappedFile file(path, "data");
  const int64_t size = file.size();
  return std::make_unique<FlatTokens<uint8_t>>(std::move(file), 0, size, "text", vocab);
}

std::unique_ptr<TokenSource> open_uint16_tokens(const std::string& path, int64_t vocab) {
  MappedFile file(path, "data");
  const int64_t size = file.size();
  if (size >= 4 && number_at<int32_t>(file.bytes(), 0) == kLlmcMagic) {
    if (size >= kLlmcHeaderBytes) return open_llmc(std::move(file), vocab);
    throw UsageError(
        fmt::format("data {}: truncated: llm.c's header has {} bytes, the file {}: copy "
                    "or write the file again",
                    path, kLlmcHeaderBytes, size));
  }
  if (size % 2 != 0) {
    throw UsageError(
        fmt::format("data {}: truncated: {} bytes are no whole number of uint16 tokens "
                    "(half a token at byte {}): copy or write the file again",
                    path, size, size - 1));
  }
  return std::make_unique<FlatTokens<uint16_t>>(std::move(file), 0, size / 2, "uint16", vocab);
}

}  // namespace bench::gpt2
