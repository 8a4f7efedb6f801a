#pragma once
// What the ranks of a collective contribute, and what must come out of it: small whole numbers that
// differ between neighbouring ranks and indices, and whose sums are exact in any order.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/device/buffer.h"
#include "bench/device/context.h"
#include "parallel/comm/communicator.h"

namespace bench::collectives {

// Contributions repeat after so many indices.
constexpr int64_t kPeriod = 61;

// Of rank r at index i. In f32 up to 30: exact over 2^19 ranks; in bf16 up to 2: over 128.
double contribution(DType dtype, int rank, int64_t i);

// The results of a reduction over so many ranks, by index modulo the period.
std::vector<double> reduced(DType dtype, int ranks, ReduceOp op);

// The element type's bits, and back.
void store(DType dtype, double value, void* to);
double load(DType dtype, const void* from);

// Writes value_at(i) to `to`, elements [first, first + count), piece by piece, so that little of
// the host's memory is held where the buffer is a GPU's.
template <class ValueAt>
void write(const Context& context, DType dtype, void* to, int64_t count, ValueAt&& value_at);

// The first element that is not want(i), in words with rank and host; empty: all are. `error` is
// how far off it is.
template <class Want>
std::string first_wrong(const Context& context, DType dtype, const void* from, int64_t count,
                        Want&& want, const std::string& who, double& error);

// ---- implementation

constexpr int64_t kPiece = int64_t{1} << 18;  // elements

std::string words_of_wrong(const std::string& who, int64_t element, double got, double expected);

template <class ValueAt>
void write(const Context& context, DType dtype, void* to, int64_t count, ValueAt&& value_at) {
  const size_t size = size_of(dtype);
  std::vector<unsigned char> piece(static_cast<size_t>(std::min(kPiece, count)) * size);
  for (int64_t first = 0; first < count; first += kPiece) {
    const int64_t n = std::min(kPiece, count - first);
    for (int64_t i = 0; i < n; ++i)
      store(dtype, value_at(first + i), piece.data() + static_cast<size_t>(i) * size);
    context.device.copy(context.stream,
                        static_cast<unsigned char*>(to) + static_cast<size_t>(first) * size,
                        piece.data(), static_cast<size_t>(n) * size);
    context.device.synchronize(context.stream);
  }
}

template <class Want>
std::string first_wrong(const Context& context, DType dtype, const void* from, int64_t count,
                        Want&& want, const std::string& who, double& error) {
  const size_t size = size_of(dtype);
  std::vector<unsigned char> piece(static_cast<size_t>(std::min(kPiece, count)) * size);
  for (int64_t first = 0; first < count; first += kPiece) {
    const int64_t n = std::min(kPiece, count - first);
    context.device.copy(context.stream, piece.data(),
                        static_cast<const unsigned char*>(from) + static_cast<size_t>(first) * size,
                        static_cast<size_t>(n) * size);
    context.device.synchronize(context.stream);
    for (int64_t i = 0; i < n; ++i) {
      const double got = load(dtype, piece.data() + static_cast<size_t>(i) * size);
      const double expected = want(first + i);
      if (got == expected) continue;
      error = got > expected ? got - expected : expected - got;
      return words_of_wrong(who, first + i, got, expected);
    }
  }
  return {};
}

}  // namespace bench::collectives
