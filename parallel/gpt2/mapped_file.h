#pragma once
// A regular file mapped for reading.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace bench::gpt2 {

class MappedFile {
 public:
  // Throws UsageError "<what> <path>: …" when it is missing, unreadable, no regular file, or empty.
  MappedFile(const std::string& path, const std::string& what);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  const std::string& path() const { return path_; }
  int64_t size() const { return static_cast<int64_t>(size_); }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// A number at a byte offset, which may be unaligned; the caller has checked the size.
template <class Number>
Number number_at(std::span<const std::byte> bytes, int64_t offset) {
  Number value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace bench::gpt2
