#include "parallel/gpt2/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bench/base/status.h"

namespace bench::gpt2 {
namespace {

using Json = nlohmann::json;

[[noreturn]] void reject(const MappedFile& file, const std::string& why) {
  throw UsageError(fmt::format("weights {}: {}", file.path(), why));
}

// Bytes an element of a dtype takes; 0: unknown, its size cannot be checked.
int64_t bytes_of(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

Json parse_header(const MappedFile& file) {
  constexpr int64_t kMost = 100'000'000;  // the reference reader's limit
  if (file.size() < 8) {
    reject(file,
           fmt::format("truncated: {} bytes cannot hold the 8-byte header length", file.size()));
  }
  const auto length = number_at<uint64_t>(file.bytes(), 0);
  if (length > kMost || static_cast<int64_t>(length) > file.size() - 8) {
    reject(file,
           fmt::format("byte 0 promises a header of {} bytes, but the file has {}: truncated, "
                       "or no safetensors file",
                       length, file.size()));
  }
  const auto* text = reinterpret_cast<const char*>(file.bytes().data()) + 8;
  Json header = Json::parse(text, text + length, nullptr, false);
  if (!header.is_object()) {
    reject(file, fmt::format("the {} bytes of header from byte 8 are no JSON object", length));
  }
  return header;
}

bool is_index(const Json& j) { return j.is_number_unsigned() && j.get<uint64_t>() < (1ULL << 48); }

bool is_well_formed(const Json& j) {
  if (!j.is_object() || !j.contains("dtype") || !j.contains("shape") ||
      !j.contains("data_offsets")) {
    return false;
  }
  const Json &shape = j["shape"], &offsets = j["data_offsets"];
  return j["dtype"].is_string() && shape.is_array() && offsets.is_array() && offsets.size() == 2 &&
         std::all_of(shape.begin(), shape.end(), is_index) &&
         std::all_of(offsets.begin(), offsets.end(), is_index);
}

// -1: more elements than any file holds.
int64_t elements(const std::vector<int64_t>& shape) {
  int64_t product = 1;
  for (const int64_t extent : shape) {
    if (__builtin_mul_overflow(product, extent, &product)) return -1;
  }
  return product;
}

Safetensors::Entry parse_entry(const MappedFile& file, const std::string& name, const Json& j,
                               int64_t data_begin) {
  if (!is_well_formed(j)) {
    reject(file, fmt::format("tensor {}: its header entry has no dtype, shape and two data_offsets",
                             name));
  }
  Safetensors::Entry e{.dtype = j["dtype"],
                       .shape = j["shape"].get<std::vector<int64_t>>(),
                       .begin = data_begin + j["data_offsets"][0].get<int64_t>(),
                       .end = data_begin + j["data_offsets"][1].get<int64_t>()};
  if (e.begin > e.end || e.end > file.size()) {
    reject(file,
           fmt::format("tensor {}: its bytes [{}, {}) are not inside the file's {} bytes: the "
                       "file is truncated or malformed",
                       name, e.begin, e.end, file.size()));
  }
  const int64_t width = bytes_of(e.dtype), count = elements(e.shape);
  const int64_t present = e.end - e.begin;
  if (count < 0 || (width > 0 && (present % width != 0 || present / width != count))) {
    reject(file, fmt::format("tensor {}: {} bytes are not what {} of shape [{}] needs", name,
                             present, e.dtype, fmt::join(e.shape, ", ")));
  }
  return e;
}

float from_half(uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

}  // namespace

Safetensors::Safetensors(const std::string& path) : file_(path, "weights") {
  const Json header = parse_header(file_);
  const int64_t data_begin = 8 + static_cast<int64_t>(number_at<uint64_t>(file_.bytes(), 0));
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    entries_.emplace(name, parse_entry(file_, name, entry, data_begin));
  }
}

const Safetensors::Entry* Safetensors::find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

std::vector<float> Safetensors::read(std::string_view name) const {
  const Entry* e = find(name);
  if (e == nullptr) reject(file_, fmt::format("tensor {} is missing", name));
  const int64_t width = bytes_of(e->dtype);
  std::vector<float> values(width == 0 ? 0 : static_cast<size_t>((e->end - e->begin) / width));
  const auto fill = [&](auto convert) {
    int64_t at = e->begin;
    for (float& value : values) {
      value = convert(at);
      at += width;
    }
  };
  const auto bytes = file_.bytes();
  if (e->dtype == "F32") {
    fill([&](int64_t at) { return number_at<float>(bytes, at); });
  } else if (e->dtype == "F16") {
    fill([&](int64_t at) { return from_half(number_at<uint16_t>(bytes, at)); });
  } else if (e->dtype == "BF16") {
    fill([&](int64_t at) {
      return std::bit_cast<float>(uint32_t{number_at<uint16_t>(bytes, at)} << 16);
    });
  } else {
    reject(file_,
           fmt::format("tensor {} has dtype {}; F32, F16 and BF16 can be read", name, e->dtype));
  }
  return values;
}

}  // namespace bench::gpt2
