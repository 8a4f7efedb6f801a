#pragma once
// In the place of kernels/cuda/tensor_core.cuh: what the PTX ISA says of each instruction, done by
// the last lane that comes. A copy is made when it is waited for; before, its place holds NaN.

#include <array>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "kernels/cuda/device.cuh"

namespace bench::kernels::cuda {

using emulation::block;

inline std::byte* dynamic_shared() { return block().shared(0, 0); }
inline uint32_t shared_address(const void* memory) { return block().address_of(memory); }

inline void expect_aligned(uintptr_t address, uintptr_t to) {
  if (address % to != 0) throw std::logic_error("an address is not aligned");
}

// Eight rows at the same piece that do not spread over all banks.
inline int& bank_conflicts() {
  static int count = 0;
  return count;
}

template <size_t kSquares>
struct MatrixLane {
  uint32_t from;
  std::array<uint32_t, kSquares> to;
};

// Square i: its rows are where lanes 8 i to 8 i + 7 point.
template <size_t kSquares>
void load_squares(const std::array<void*, emulation::kWarp>& lanes, bool transposed) {
  using Lane = MatrixLane<kSquares>;
  const auto row_of = [&](size_t square, size_t row) {
    return static_cast<const Lane*>(lanes[8 * square + row])->from;
  };
  for (size_t square = 0; square < kSquares; ++square) {
    unsigned banks = 0;
    for (size_t row = 0; row < 8; ++row) banks |= 1u << (row_of(square, row) / 16 % 8);
    bank_conflicts() += banks == 0xff ? 0 : 1;
    const auto element = [&](size_t row, size_t column) {
      uint16_t bits;
      std::memcpy(&bits, block().shared(row_of(square, row), 16) + 2 * column, 2);
      return uint32_t{bits};
    };
    for (size_t lane = 0; lane < emulation::kWarp; ++lane) {
      const size_t g = lane / 4, t = lane % 4;
      static_cast<Lane*>(lanes[lane])->to[square] =
          transposed ? element(2 * t, g) | element(2 * t + 1, g) << 16
                     : element(g, 2 * t) | element(g, 2 * t + 1) << 16;
    }
  }
}

template <size_t kSquares>
void load_squares(uint32_t (&to)[kSquares], uint32_t from, bool transposed) {
  expect_aligned(from, 16);
  MatrixLane<kSquares> lane{from, {}};
  block().exchange(&lane, [&](const auto& lanes) { load_squares<kSquares>(lanes, transposed); });
  std::copy(lane.to.begin(), lane.to.end(), to);
}

inline void load_matrices(uint32_t (&to)[4], uint32_t from) { load_squares(to, from, false); }
template <size_t kSquares>
void load_transposed(uint32_t (&to)[kSquares], uint32_t from) {
  load_squares(to, from, true);
}

using LeftSquare = std::array<std::array<float, 16>, 16>;  // [row][k]

// From mma.m16n8k16's fragments of A: register i has rows g (+ 8 for odd i) and columns 2t, 2t + 1
// (+ 8 from i = 2 on). registers(lane): four of them.
template <class Registers>
LeftSquare left_square(const Registers& registers) {
  LeftSquare a;
  for (size_t lane = 0; lane < emulation::kWarp; ++lane) {
    for (size_t i = 0; i < 4; ++i) {
      for (size_t half = 0; half < 2; ++half) {
        a[lane / 4 + i % 2 * 8][lane % 4 * 2 + i / 2 * 8 + half] =
            half_of(registers(lane)[i], static_cast<int>(half));
      }
    }
  }
  return a;
}

struct ProductLane {
  float* c;
  const uint32_t* a;
  uint32_t b[2];
};

inline void multiply_add(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  ProductLane lane{c, a, {b0, b1}};
  block().exchange(&lane, [](const auto& lanes) {
    const auto at = [&](size_t i) { return static_cast<const ProductLane*>(lanes[i]); };
    const LeftSquare left = left_square([&](size_t i) { return at(i)->a; });
    float right[16][8];  // fragments of B: rows 2t, 2t + 1 (+ 8), column g
    for (size_t i = 0; i < emulation::kWarp; ++i) {
      for (size_t k = 0; k < 4; ++k)
        right[i % 4 * 2 + k % 2 + k / 2 * 8][i / 4] =
            half_of(at(i)->b[k / 2], static_cast<int>(k % 2));
    }
    for (size_t i = 0; i < emulation::kWarp; ++i) {
      for (size_t j = 0; j < 4; ++j) {
        for (size_t k = 0; k < 16; ++k)
          at(i)->c[j] += left[i / 4 + j / 2 * 8][k] * right[k][i % 4 * 2 + j % 2];
      }
    }
  });
}

struct Copy {
  int thread;
  uint32_t to;
  const void* from;
  size_t bytes;
  bool there;
};
inline std::vector<Copy>& copies() {
  static std::vector<Copy> started;
  return started;
}

inline void copy_async(uint32_t to, const void* from, size_t bytes, bool there) {
  expect_aligned(to, bytes);
  if (there) expect_aligned(reinterpret_cast<uintptr_t>(from), bytes);
  std::memset(block().shared(to, bytes), 0xff, bytes);
  copies().push_back({block().thread(), to, from, bytes, there});
}
inline void copy_async_16(uint32_t to, const void* from, bool there) {
  copy_async(to, from, 16, there);
}
inline void copy_async_4(uint32_t to, const void* from, bool there) {
  copy_async(to, from, 4, there);
}
inline void wait_for_copies() {
  std::erase_if(copies(), [](const Copy& copy) {
    if (copy.thread != block().thread()) return false;
    std::byte* const to = block().shared(copy.to, copy.bytes);
    if (copy.there) std::memcpy(to, copy.from, copy.bytes);
    if (!copy.there) std::memset(to, 0, copy.bytes);
    return true;
  });
}

inline void add_to_global(float* to, float4 value) {
  expect_aligned(reinterpret_cast<uintptr_t>(to), 16);
  to[0] += value.x;
  to[1] += value.y;
  to[2] += value.z;
  to[3] += value.w;
}

}  // namespace bench::kernels::cuda
