#pragma once
// How NCCL writes its version in one number.

#include <string>

namespace bench {

// 22809 -> "2.28.9"; until 2.8 it was 2804 -> "2.8.4".
inline std::string nccl_version_text(int code) {
  const bool old = code < 10'000;
  const int major = old ? code / 1000 : code / 10'000;
  const int minor = old ? code % 1000 / 100 : code % 10'000 / 100;
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(code % 100);
}

}  // namespace bench
