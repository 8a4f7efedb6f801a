#include "parallel/gpt2/megatron_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "bench/base/status.h"
#include "parallel/gpt2/mapped_file.h"

namespace bench::gpt2 {
namespace {

constexpr char kMagic[] = "MMIDIDX\0";  // 9 bytes with the terminating zero
constexpr int64_t kMagicBytes = 9;
constexpr int64_t kHeaderBytes = kMagicBytes + 8 + 1 + 8 + 8;

// Codes 6 and 7 are floating point, which no token is.
int64_t bytes_of_code(int code) {
  switch (code) {
    case 1:
    case 2: return 1;  // uint8, int8
    case 3:
    case 8: return 2;  // int16, uint16
    case 4: return 4;  // int32
    case 5: return 8;  // int64
    default: return 0;
  }
}

int64_t value_at(std::span<const std::byte> bytes, int64_t offset, int code) {
  switch (code) {
    case 1: return number_at<uint8_t>(bytes, offset);
    case 2: return number_at<int8_t>(bytes, offset);
    case 3: return number_at<int16_t>(bytes, offset);
    case 8: return number_at<uint16_t>(bytes, offset);
    case 4: return number_at<int32_t>(bytes, offset);
    default: return number_at<int64_t>(bytes, offset);
  }
}

struct Index {
  int code = 0;
  std::vector<int64_t> offset;  // [sequences] byte of the first token
  std::vector<int64_t> before;  // [sequences + 1] tokens in the sequences before
};

[[noreturn]] void reject(const MappedFile& file, const std::string& why) {
  throw UsageError(fmt::format("data {}: {}", file.path(), why));
}

// Returns the number of sequences after checking that the index is as long as it promises.
int64_t check_header(const MappedFile& idx) {
  const auto bytes = idx.bytes();
  if (idx.size() < kHeaderBytes || std::memcmp(bytes.data(), kMagic, kMagicBytes) != 0) {
    reject(idx,
           "is no Megatron-LM index (no MMIDIDX at byte 0): make it again with Megatron-LM's "
           "preprocess_data.py, or rename it if the .bin is raw uint16");
  }
  const auto version = number_at<uint64_t>(bytes, kMagicBytes);
  if (version != 1) {
    reject(idx,
           fmt::format("index version {} at byte {}; version 1 is known", version, kMagicBytes));
  }
  const int code = number_at<uint8_t>(bytes, kMagicBytes + 8);
  if (bytes_of_code(code) == 0) {
    reject(idx, fmt::format("dtype code {} at byte {} is no integer type: tokens must be code 1-5 "
                            "or 8",
                            code, kMagicBytes + 8));
  }
  const auto sequences = number_at<uint64_t>(bytes, kMagicBytes + 9);
  const auto documents = number_at<uint64_t>(bytes, kMagicBytes + 17);
  const auto room = static_cast<uint64_t>(idx.size() - kHeaderBytes);
  if (sequences > room / 12 || documents > (room - sequences * 12) / 8) {
    reject(idx, fmt::format("truncated: the header promises {} sequences and {} documents, more "
                            "than {} bytes can hold: copy or write the file again",
                            sequences, documents, idx.size()));
  }
  return static_cast<int64_t>(sequences);
}

Index read_index(const MappedFile& idx, const MappedFile& bin) {
  const int64_t sequences = check_header(idx);
  Index index;
  index.code = number_at<uint8_t>(idx.bytes(), kMagicBytes + 8);
  const int64_t width = bytes_of_code(index.code);
  const int64_t pointers = kHeaderBytes + 4 * sequences;
  index.before.push_back(0);
  for (int64_t i = 0; i < sequences; ++i) {
    const int64_t length = number_at<int32_t>(idx.bytes(), kHeaderBytes + 4 * i);
    const auto offset = number_at<int64_t>(idx.bytes(), pointers + 8 * i);
    if (length < 0 || offset < 0 || offset > bin.size() || length > (bin.size() - offset) / width) {
      reject(idx, fmt::format("sequence {} (byte {}) is {} tokens from byte {} of {}, which has {} "
                              "bytes: the two files do not belong together, or the .bin is "
                              "truncated",
                              i, kHeaderBytes + 4 * i, length, offset, bin.path(), bin.size()));
    }
    if (length == 0) continue;
    index.offset.push_back(offset);
    index.before.push_back(index.before.back() + length);
  }
  if (index.offset.empty()) reject(idx, "has no sequence with a token in it");
  return index;
}

class MegatronTokens final : public TokenSource {
 public:
  MegatronTokens(MappedFile bin, Index index, int64_t vocab)
      : TokenSource(vocab), bin_(std::move(bin)), index_(std::move(index)) {}
  std::string_view kind() const override { return "megatron"; }
  int64_t size() const override { return index_.before.back(); }

 protected:
  void copy(int64_t first, std::span<int32_t> out) const override {
    size_t sequence = sequence_of(first);
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t token = first + static_cast<int64_t>(i);
      if (token == index_.before[sequence + 1]) ++sequence;
      const int64_t value = value_at(bin_.bytes(), byte_of(sequence, token), index_.code);
      const bool fits = value >= 0 && value <= std::numeric_limits<int32_t>::max();
      out[i] = fits ? static_cast<int32_t>(value) : -1;
    }
  }
  std::string place(int64_t token) const override {
    return fmt::format("{} at byte {}", bin_.path(), byte_of(sequence_of(token), token));
  }

 private:
  size_t sequence_of(int64_t token) const {
    const auto after = std::upper_bound(index_.before.begin(), index_.before.end(), token);
    return static_cast<size_t>(after - index_.before.begin()) - 1;
  }
  int64_t byte_of(size_t sequence, int64_t token) const {
    return index_.offset[sequence] + (token - index_.before[sequence]) * bytes_of_code(index_.code);
  }
  MappedFile bin_;
  Index index_;
};

}  // namespace

std::unique_ptr<TokenSource> open_megatron_tokens(const std::string& bin, const std::string& idx,
                                                  int64_t vocab) {
  MappedFile tokens(bin, "data");
  const MappedFile index_file(idx, "data");
  Index index = read_index(index_file, tokens);
  return std::make_unique<MegatronTokens>(std::move(tokens), std::move(index), vocab);
}

}  // namespace bench::gpt2
