#include "parallel/gpt2/tokens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/gpt2/files.h"

namespace bench::gpt2 {
namespace {

using test::expect_usage_error;
using test::Folder;
using test::raw;

std::vector<int32_t> read(const TokenSource& source, int64_t first, size_t count) {
  std::vector<int32_t> out(count);
  source.read(first, out);
  return out;
}

std::string llmc(int32_t version, int32_t count, const std::vector<uint16_t>& tokens) {
  std::vector<int32_t> header(256, 0);
  header[0] = 20240520;
  header[1] = version;
  header[2] = count;
  return raw(header) + raw(tokens);
}

TEST(Tokens, TextIsAByteAToken) {
  const Folder folder;
  const auto source = open_tokens(folder.write("a.txt", "AZ\xff"), 256);
  EXPECT_EQ(source->kind(), "text");
  EXPECT_EQ(read(*source, 0, 3), (std::vector<int32_t>{65, 90, 255}));
}

TEST(Tokens, AreReadRoundAndRound) {
  const Folder folder;
  const auto source = open_tokens(folder.write("a.txt", "abc"), 256);
  EXPECT_EQ(read(*source, 2, 8), (std::vector<int32_t>{99, 97, 98, 99, 97, 98, 99, 97}));
  EXPECT_EQ(read(*source, 3'000'000'001, 2), (std::vector<int32_t>{98, 99}));
}

TEST(Tokens, BinWithoutHeaderIsUint16) {
  const Folder folder;
  const auto source = open_tokens(folder.write("a.bin", raw<uint16_t>({1, 50256, 300})), 50257);
  EXPECT_EQ(source->kind(), "uint16");
  EXPECT_EQ(source->size(), 3);
  EXPECT_EQ(read(*source, 0, 3), (std::vector<int32_t>{1, 50256, 300}));
}

TEST(Tokens, LlmcHeaderIsSkippedAndItsCountHolds) {
  const Folder folder;
  const auto source = open_tokens(folder.write("a.bin", llmc(1, 2, {7, 8, 9})), 10);
  EXPECT_EQ(source->kind(), "llm.c");
  EXPECT_EQ(source->size(), 2);
  EXPECT_EQ(read(*source, 0, 2), (std::vector<int32_t>{7, 8}));
}

TEST(Tokens, SayWhatIsWrongWithAFile) {
  const Folder f;
  const auto open = [](const std::string& path) { return [path] { open_tokens(path, 100); }; };
  expect_usage_error(open(f.at("none.bin")), {"none.bin", "No such file"});
  expect_usage_error(open(f.at("none.txt")), {"none.txt", "No such file"});
  expect_usage_error(open(f.write("empty.txt", "")), {"empty.txt", "is empty"});
  expect_usage_error(open(f.write("empty.bin", "")), {"empty.bin", "is empty"});
  expect_usage_error(open(f.at("")), {"no regular file"});
  expect_usage_error(open(f.write("odd.bin", "abc")),
                     {"odd.bin", "truncated", "3 bytes", "byte 2"});
  expect_usage_error(open(f.write("short.bin", llmc(1, 5, {1, 2}))),
                     {"short.bin", "truncated", "promises 5", "hold 2"});
  expect_usage_error(open(f.write("cut.bin", llmc(1, 5, {}).substr(0, 100))),
                     {"truncated", "1024", "100"});
  expect_usage_error(open(f.write("v7.bin", llmc(7, 1, {1}))), {"version 7", "byte 4"});
  expect_usage_error(open(f.write("zero.bin", llmc(1, 0, {1}))), {"promises 0"});
  expect_usage_error(open(f.write("large.bin", raw<uint16_t>({1, 99, 100}))),
                     {"large.bin at byte 4", "token 2 is 100", "vocabulary of 100"});
  expect_usage_error(open(f.write("large2.bin", llmc(1, 2, {5, 40000}))),
                     {"at byte 1026", "40000"});
  expect_usage_error(open(f.write("utf8.txt", "AB\xc3")), {"utf8.txt at byte 2", "195"});
}

struct Sequence {
  int32_t length;
  int64_t offset;
};

std::string index_of(uint8_t code, const std::vector<Sequence>& sequences, uint64_t version = 1) {
  std::string idx = std::string("MMIDIDX\0\0", 9) + raw(version) + raw(code) +
                    raw(uint64_t{sequences.size()}) + raw(uint64_t{2});
  for (const Sequence& s : sequences) idx += raw(s.length);
  for (const Sequence& s : sequences) idx += raw(s.offset);
  return idx + raw<int64_t>({0, static_cast<int64_t>(sequences.size())});
}

TEST(Megatron, TokensAreTheSequencesInTheIndexsOrder) {
  const Folder f;
  f.write("a.idx", index_of(8, {{2, 4}, {0, 0}, {1, 0}, {1, 8}}));
  const auto source = open_tokens(f.write("a.bin", raw<uint16_t>({10, 11, 12, 13, 14})), 100);
  EXPECT_EQ(source->kind(), "megatron");
  EXPECT_EQ(source->size(), 4);
  EXPECT_EQ(read(*source, 0, 9), (std::vector<int32_t>{12, 13, 10, 14, 12, 13, 10, 14, 12}));
  EXPECT_EQ(read(*source, 2, 1), (std::vector<int32_t>{10}));
}

TEST(Megatron, KnowsTheIntegerTypes) {
  const Folder f;
  const auto check = [&](uint8_t code, const std::string& bytes) {
    f.write("a.idx", index_of(code, {{3, 0}}));
    EXPECT_EQ(read(*open_tokens(f.write("a.bin", bytes), 300), 0, 3),
              (std::vector<int32_t>{1, 2, 100}))
        << "code " << int{code};
  };
  check(1, raw<uint8_t>({1, 2, 100}));
  check(2, raw<int8_t>({1, 2, 100}));
  check(3, raw<int16_t>({1, 2, 100}));
  check(4, raw<int32_t>({1, 2, 100}));
  check(5, raw<int64_t>({1, 2, 100}));
  check(8, raw<uint16_t>({1, 2, 100}));
}

TEST(Megatron, SaysWhatIsWrong) {
  const Folder f;
  const std::string bin = f.write("a.bin", raw<uint16_t>({1, 2, 3, 4}));
  const auto with = [&](const std::string& idx) {
    f.write("a.idx", idx);
    return [bin] { open_tokens(bin, 100); };
  };
  expect_usage_error(with("no index"), {"a.idx", "MMIDIDX", "byte 0"});
  expect_usage_error(with(index_of(8, {{1, 0}}, 2)), {"index version 2"});
  expect_usage_error(with(index_of(7, {{1, 0}})), {"dtype code 7", "byte 17"});
  expect_usage_error(with(index_of(8, {{4, 0}, {1, 8}})),
                     {"sequence 1", "1 tokens from byte 8", "8 bytes"});
  expect_usage_error(with(index_of(8, {{-1, 0}})), {"sequence 0"});
  expect_usage_error(with(index_of(8, {{1, -2}})), {"sequence 0"});
  expect_usage_error(with(index_of(8, {})), {"no sequence"});
  const std::string whole = index_of(8, {{1, 0}, {1, 2}});
  expect_usage_error(with(whole.substr(0, whole.size() - 1)), {"truncated", "2 sequences"});
}

TEST(Zipf, IsSeededSkewedAndInsideTheVocabulary) {
  const auto a = zipf_tokens(50, 1), b = zipf_tokens(50, 1), c = zipf_tokens(50, 2);
  const std::vector<int32_t> x = read(*a, 0, 20000);
  EXPECT_EQ(x, read(*b, 0, 20000));
  EXPECT_NE(x, read(*c, 0, 20000));
  const std::vector<int32_t> tail(x.begin() + 500, x.begin() + 600);
  EXPECT_EQ(tail, read(*a, 500, 100));
  // P(0) = 1 / H(50) = 0.2223; the standard deviation of the count is 59.
  EXPECT_NEAR(std::count(x.begin(), x.end(), 0), 4446, 300);
  EXPECT_NEAR(std::count(x.begin(), x.end(), 9), 445, 105);
}

TEST(Batches, TakeConsecutiveTokensAcrossRanksAndSteps) {
  const Folder f;
  std::vector<uint16_t> numbers(23);
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto source = open_tokens(f.write("a.bin", raw(numbers)), 23);
  const layout::BatchPlan plan{.global_batch = 4, .micro_batch = 1, .data_size = 2};
  std::vector<int32_t> inputs(6), targets(6);
  read_batch(*source, plan, 3, 1, 1, inputs, targets);  // positions 12 + 6 ...
  EXPECT_EQ(inputs, (std::vector<int32_t>{18, 19, 20, 21, 22, 0}));
  EXPECT_EQ(targets, (std::vector<int32_t>{19, 20, 21, 22, 0, 1}));
  std::vector<int32_t> wrong(5);
  EXPECT_THROW(read_batch(*source, plan, 3, 0, 0, wrong, targets), UsageError);
}

}  // namespace
}  // namespace bench::gpt2
