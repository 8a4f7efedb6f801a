#pragma once
// Reader of the safetensors format: uint64 header length (little-endian), a JSON header
// {name: {dtype, shape, data_offsets: [begin, end)}}, raw little-endian tensors.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "parallel/gpt2/mapped_file.h"

namespace bench::gpt2 {

class Safetensors {
 public:
  struct Entry {
    std::string dtype;  // as the file writes it; F32, F16 and BF16 can be read
    std::vector<int64_t> shape;
    int64_t begin = 0, end = 0;  // bytes in the file
  };

  // Throws UsageError when the file is missing, its header is malformed, or a tensor's bytes are
  // not what its shape needs or not inside the file.
  explicit Safetensors(const std::string& path);

  const std::string& path() const { return file_.path(); }
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }
  const Entry* find(std::string_view name) const;  // nullptr: not there
  // Row-major values. Throws UsageError when it is not there or of another dtype.
  std::vector<float> read(std::string_view name) const;

 private:
  MappedFile file_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace bench::gpt2
