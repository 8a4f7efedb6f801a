#pragma once
// In the place of kernels/cuda/hopper.cuh: what the PTX ISA says of each instruction. Boxes come at
// some time while somebody waits; a product is made when it is waited for, of what lies in shared
// memory by then, and until then its result is NaN.

#include <array>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "kernels/cuda/tensor_core.cuh"

namespace bench::kernels::cuda {

struct Barrier {
  int arrivals, missing;
  int64_t bytes;  // that are expected
  uint32_t parity;

  void end_phase_if_complete() {
    if (missing < 0) throw std::logic_error("more arrivals at a barrier than it counts");
    if (missing > 0 || bytes != 0) return;
    missing = arrivals;
    parity ^= 1;
  }
};

// A tensor of bfloat16 [sequences, rows, columns].
struct TensorMap {
  const uint16_t* memory;
  int64_t columns, rows, sequences;
};

struct Box {
  uint32_t to;
  const TensorMap* map;
  uint32_t barrier;
  int x, y, z;
};

// Of the block that is running.
struct Hopper {
  std::map<uint32_t, Barrier> barriers;
  std::vector<Box> boxes;
  static Hopper& state() {
    static Hopper the_state;
    return the_state;
  }
};

inline Barrier& barrier_at(uint32_t address) { return Hopper::state().barriers.at(address); }

inline void init_barrier(uint32_t barrier, int arrivals) {
  block().shared(barrier, 8);
  expect_aligned(barrier, 8);
  Hopper::state().barriers[barrier] = {arrivals, arrivals, 0, 0};
}
inline void publish_barriers() {}
inline void arrive_and_expect(uint32_t barrier, int bytes) {
  Barrier& b = barrier_at(barrier);
  b.bytes += bytes;
  --b.missing;
  b.end_phase_if_complete();
}
// Who may go on by it does so at once, now and then, while the caller does not.
inline void arrive(uint32_t barrier) {
  arrive_and_expect(barrier, 0);
  for (auto turns = block().random()() % 64; turns > 0; --turns) block().give_way(true);
}

// 16-byte pieces of a row of 128 bytes are exchanged by the row (SWIZZLE_128B).
inline std::byte* swizzled_at(uint32_t address) {
  return block().shared(address ^ (address >> 7 & 7) << 4, 2);
}

constexpr int kBoxRows = 64, kBoxColumns = 64;

inline void deliver(const Box& box) {
  for (int r = 0; r < kBoxRows; ++r) {
    for (int c = 0; c < kBoxColumns; ++c) {
      const TensorMap& m = *box.map;
      const int64_t x = box.x + c, y = box.y + r;
      const bool there = x < m.columns && y >= 0 && y < m.rows && box.z < m.sequences;
      const uint16_t element = there ? m.memory[(box.z * m.rows + y) * m.columns + x] : 0;
      std::memcpy(swizzled_at(box.to + static_cast<uint32_t>(r * 128 + c * 2)), &element, 2);
    }
  }
  Barrier& barrier = barrier_at(box.barrier);
  barrier.bytes -= kBoxRows * kBoxColumns * 2;
  barrier.end_phase_if_complete();
}

inline void copy_box(uint32_t to, const TensorMap& map, uint32_t barrier, int x, int y, int z) {
  expect_aligned(to, 1024);
  std::memset(block().shared(to, kBoxRows * 128), 0xff, kBoxRows * 128);
  Hopper::state().boxes.push_back({to, &map, barrier, x, y, z});
}

inline void wait_for(uint32_t barrier, uint32_t parity) {
  while (barrier_at(barrier).parity == parity) {
    auto& boxes = Hopper::state().boxes;
    const bool comes = !boxes.empty() && block().random()() % 4 == 0;
    if (comes) {
      const auto box = boxes.begin() + static_cast<ptrdiff_t>(block().random()() % boxes.size());
      deliver(*box);
      boxes.erase(box);
    }
    block().give_way(comes);
  }
}

inline void publish_stores() {}
template <int kCount>
void take_registers() {}
template <int kCount>
void give_registers() {}
inline void meet(int id, int threads) { block().meet(id, threads); }

inline uint64_t describe(uint32_t address, int leading_bytes, int stride_bytes) {
  expect_aligned(address, 16);
  return uint64_t{address >> 4} | static_cast<uint64_t>(leading_bytes >> 4) << 16 |
         static_cast<uint64_t>(stride_bytes >> 4) << 32;
}
inline uint64_t further(uint64_t matrix, int bytes) {
  return matrix + static_cast<uint64_t>(bytes >> 4);
}

// Element `along` the rows and `across` them of a matrix so described.
inline float element_of(uint64_t matrix, uint32_t along, uint32_t across, bool sums_across) {
  const auto field = [&](int bit) { return static_cast<uint32_t>(matrix >> bit & 0x3fff) << 4; };
  const uint32_t start = field(0), leading = field(16), stride = field(32);
  const uint32_t columns = sums_across ? along / 64 * leading + along % 64 * 2 : along * 2;
  uint16_t bits;
  std::memcpy(&bits, swizzled_at(start + columns + across / 8 * stride + across % 8 * 128), 2);
  return bf16_to_float(bits);
}

struct Product {
  float* c = nullptr;  // nullptr: the end of a group
  int tiles = 0;       // of eight columns
  uint64_t a = 0, b = 0;
  std::array<uint32_t, 4> left = {};
  bool left_in_registers = false, a_across = false, b_across = false, add = false;
};

// Of each thread, and what its accumulators held before the first product that is in flight.
struct Flight {
  std::deque<Product> products;
  std::map<float*, std::vector<float>> before;
};
inline Flight& flight() {
  static std::map<int, Flight> all;
  return all[block().thread()];
}

inline void start_product(const Product& p) {
  Flight& mine = flight();
  float* const end = p.c + p.tiles * 4;
  mine.before.try_emplace(p.c, p.c, end);
  std::fill(p.c, end, std::numeric_limits<float>::quiet_NaN());
  mine.products.push_back(p);
}

// One warp's 16 of the 64 rows.
inline void make_product(const std::array<void*, emulation::kWarp>& lanes) {
  const auto at = [&](size_t lane) -> const Product& {
    return *static_cast<const Product*>(lanes[lane]);
  };
  const Product& p = at(0);
  const auto first = static_cast<uint32_t>(block().thread() / 32 % 4 * 16);
  LeftSquare left = left_square([&](size_t lane) { return at(lane).left; });
  for (uint32_t r = 0; r < 16 && !p.left_in_registers; ++r) {
    for (uint32_t k = 0; k < 16; ++k)
      left[r][k] =
          p.a_across ? element_of(p.a, first + r, k, true) : element_of(p.a, k, first + r, false);
  }
  for (uint32_t n = 0; n < static_cast<uint32_t>(p.tiles) * 8; ++n) {
    for (uint32_t r = 0; r < 16; ++r) {
      float& c = at(r % 8 * 4 + n % 8 / 2).c[n / 8 * 4 + r / 8 * 2 + n % 2];
      float sum = p.add ? c : 0;
      for (uint32_t k = 0; k < 16; ++k)
        sum +=
            left[r][k] * (p.b_across ? element_of(p.b, n, k, true) : element_of(p.b, k, n, false));
      c = sum;
    }
  }
}

inline void before_products() {}
inline void commit_products() { flight().products.push_back({}); }

template <int kRest, int kN>
void wait_for_products(float (&)[1][kN][4]) {
  Flight& mine = flight();
  const auto is_end = [](const Product& p) { return p.c == nullptr; };
  while (std::count_if(mine.products.begin(), mine.products.end(), is_end) > kRest) {
    Product p = mine.products.front();
    mine.products.pop_front();
    if (is_end(p)) continue;
    const auto held = mine.before.find(p.c);
    if (held != mine.before.end()) {
      std::copy(held->second.begin(), held->second.end(), p.c);
      mine.before.erase(held);
    }
    block().exchange(&p, make_product);
  }
}

template <int kN>
void pin(float (&)[1][kN][4]) {}
template <int kK>
void pin(uint32_t (&)[1][kK][4]) {}

template <int kN>
void multiply_shared(float (&c)[1][kN][4], uint64_t a, uint64_t b, bool add) {
  start_product({.c = c[0][0], .tiles = kN, .a = a, .b = b, .add = add});
}
template <int kN>
void multiply_across(float (&c)[1][kN][4], uint64_t a, uint64_t b, bool add) {
  start_product(
      {.c = c[0][0], .tiles = kN, .a = a, .b = b, .a_across = true, .b_across = true, .add = add});
}
template <int kN>
void multiply_left(float (&c)[1][kN][4], const uint32_t (&a)[4], uint64_t b, bool add) {
  start_product({.c = c[0][0],
                 .tiles = kN,
                 .b = b,
                 .left = {a[0], a[1], a[2], a[3]},
                 .left_in_registers = true,
                 .b_across = true,
                 .add = add});
}

}  // namespace bench::kernels::cuda
