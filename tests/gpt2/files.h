#pragma once
// Small files for tests, gone afterwards.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bench/base/status.h"

namespace bench::gpt2::test {

class Folder {
 public:
  Folder() {
    std::string pattern = testing::TempDir() + "bench_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string at(const std::string& leaf) const { return path_ + "/" + leaf; }
  std::string write(const std::string& leaf, const std::string& bytes) const {
    std::ofstream(at(leaf), std::ios::binary) << bytes;
    return at(leaf);
  }

 private:
  std::string path_;
};

// The bytes of a number, little-endian as this machine has it.
template <class Number>
std::string raw(Number value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <class Number>
std::string raw(const std::vector<Number>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Number)};
}

// fn throws a UsageError whose text holds every one of `parts`.
template <class Function>
void expect_usage_error(Function fn, const std::vector<std::string>& parts) {
  try {
    fn();
    ADD_FAILURE() << "nothing was thrown; expected words: " << parts.front();
  } catch (const UsageError& e) {
    for (const std::string& part : parts) {
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos)
          << '"' << e.what() << "\" lacks " << part;
    }
  }
}

}  // namespace bench::gpt2::test
