#pragma once
// Instructions of Hopper (sm_90a) that CUDA C++ has no words for: products of four warps on
// operands in shared memory, copies of boxes of a tensor, and the barriers that say when both are
// done (PTX ISA, sections "asynchronous warpgroup level matrix instructions",
// "cp.async.bulk.tensor" and "mbarrier"). Addresses of shared memory are 32-bit.

#include <cuda.h>

#include <cstdint>

namespace bench::kernels::cuda {

// A barrier in shared memory, 8 bytes: a phase ends when so many threads have arrived and all bytes
// that they expect have come.
__device__ __forceinline__ void init_barrier(uint32_t barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}
// By who has initialised barriers, before the others meet it at a __syncthreads.
__device__ __forceinline__ void publish_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ __forceinline__ void arrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}
__device__ __forceinline__ void arrive_and_expect(uint32_t barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}
// Until the phase of this parity is over; that before the first counts as one of parity 1.
__device__ __forceinline__ void wait_for(uint32_t barrier, uint32_t parity) {
  asm volatile(
      "{ .reg .pred done;\n"
      "again: mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again; }" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

using TensorMap = CUtensorMap;  // how a tensor lies in global memory and what its boxes are

// The box that begins at these coordinates to shared memory, 1024-byte aligned; its bytes, with
// zeros for what is outside of the tensor, count for the barrier.
__device__ __forceinline__ void copy_box(uint32_t to, const TensorMap& map, uint32_t barrier, int x,
                                         int y, int z) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
      "%4, %5}], [%2];" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(x), "r"(y), "r"(z)
      : "memory");
}

// Before products take from shared memory what this thread has stored there, and the barrier that
// says so.
__device__ __forceinline__ void publish_stores() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

// Registers of each thread from here on; all warps of a group of four call it.
template <int kCount>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kCount));
}
template <int kCount>
__device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kCount));
}

// Barrier `id`, 1 to 15, of so many threads.
__device__ __forceinline__ void meet(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// A matrix of bfloat16 in shared memory as wgmma takes it: pieces of 8 rows by 128 bytes, each 1024
// bytes, in which 16-byte columns are exchanged by the row (SWIZZLE_128B). Where the product sums
// along the rows, `stride_bytes` leads to the next 8 rows; where it sums across them, that leads to
// the next 8 of the sum, and `leading_bytes` to the next 64 columns.
__device__ __forceinline__ uint64_t describe(uint32_t address, int leading_bytes,
                                             int stride_bytes) {
  constexpr uint32_t kSwizzled = 1u << 30;
  const uint32_t low = (address & 0x3ffff) >> 4 | static_cast<uint32_t>(leading_bytes >> 4) << 16;
  const uint32_t high = static_cast<uint32_t>(stride_bytes >> 4) | kSwizzled;
  return static_cast<uint64_t>(high) << 32 | low;
}
// The same `bytes` further on.
__device__ __forceinline__ uint64_t further(uint64_t matrix, int bytes) {
  const auto low = static_cast<uint32_t>(matrix) + static_cast<uint32_t>(bytes >> 4);
  return (matrix & 0xffffffff00000000) | low;
}

// Keeps the compiler from moving uses of accumulators across here.
template <int kN>
__device__ __forceinline__ void pin(float (&c)[1][kN][4]) {
#pragma unroll
  for (int i = 0; i < kN * 4; ++i) asm volatile("" : "+f"(c[0][i / 4][i % 4])::"memory");
}
template <int kK>
__device__ __forceinline__ void pin(uint32_t (&a)[1][kK][4]) {
#pragma unroll
  for (int i = 0; i < kK * 4; ++i) asm volatile("" : "+r"(a[0][i / 4][i % 4])::"memory");
}

// Between ordinary uses of registers and products that take them; these go on by themselves.
__device__ __forceinline__ void before_products() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
// Ends a group of products.
__device__ __forceinline__ void commit_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
// Until all but the last kRest groups are done: then `c`, which they wrote, may be used.
template <int kRest, int kN>
__device__ __forceinline__ void wait_for_products(float (&c)[1][kN][4]) {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kRest) : "memory");
  pin(c);
}

// c[64, 8 kN] = (add ? c : 0) + a[64, 16] · b[8 kN, 16]ᵀ, from shared memory, a warp's 16 rows as
// of mma.m16n8k16.
__device__ __forceinline__ void multiply_shared(float (&c)[1][16][4], uint64_t a, uint64_t b,
                                                bool add) {
  asm volatile(
      "{ .reg .pred add; setp.ne.b32 add, %66, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
      "%64, %65, add, 1, 1, 0, 0; }"
      : "+f"(c[0][0][0]), "+f"(c[0][0][1]), "+f"(c[0][0][2]), "+f"(c[0][0][3]), "+f"(c[0][1][0]),
        "+f"(c[0][1][1]), "+f"(c[0][1][2]), "+f"(c[0][1][3]), "+f"(c[0][2][0]), "+f"(c[0][2][1]),
        "+f"(c[0][2][2]), "+f"(c[0][2][3]), "+f"(c[0][3][0]), "+f"(c[0][3][1]), "+f"(c[0][3][2]),
        "+f"(c[0][3][3]), "+f"(c[0][4][0]), "+f"(c[0][4][1]), "+f"(c[0][4][2]), "+f"(c[0][4][3]),
        "+f"(c[0][5][0]), "+f"(c[0][5][1]), "+f"(c[0][5][2]), "+f"(c[0][5][3]), "+f"(c[0][6][0]),
        "+f"(c[0][6][1]), "+f"(c[0][6][2]), "+f"(c[0][6][3]), "+f"(c[0][7][0]), "+f"(c[0][7][1]),
        "+f"(c[0][7][2]), "+f"(c[0][7][3]), "+f"(c[0][8][0]), "+f"(c[0][8][1]), "+f"(c[0][8][2]),
        "+f"(c[0][8][3]), "+f"(c[0][9][0]), "+f"(c[0][9][1]), "+f"(c[0][9][2]), "+f"(c[0][9][3]),
        "+f"(c[0][10][0]), "+f"(c[0][10][1]), "+f"(c[0][10][2]), "+f"(c[0][10][3]),
        "+f"(c[0][11][0]), "+f"(c[0][11][1]), "+f"(c[0][11][2]), "+f"(c[0][11][3]),
        "+f"(c[0][12][0]), "+f"(c[0][12][1]), "+f"(c[0][12][2]), "+f"(c[0][12][3]),
        "+f"(c[0][13][0]), "+f"(c[0][13][1]), "+f"(c[0][13][2]), "+f"(c[0][13][3]),
        "+f"(c[0][14][0]), "+f"(c[0][14][1]), "+f"(c[0][14][2]), "+f"(c[0][14][3]),
        "+f"(c[0][15][0]), "+f"(c[0][15][1]), "+f"(c[0][15][2]), "+f"(c[0][15][3])
      : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

__device__ __forceinline__ void multiply_shared(float (&c)[1][8][4], uint64_t a, uint64_t b,
                                                bool add) {
  asm volatile(
      "{ .reg .pred add; setp.ne.b32 add, %34, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
      "%32, %33, add, 1, 1, 0, 0; }"
      : "+f"(c[0][0][0]), "+f"(c[0][0][1]), "+f"(c[0][0][2]), "+f"(c[0][0][3]), "+f"(c[0][1][0]),
        "+f"(c[0][1][1]), "+f"(c[0][1][2]), "+f"(c[0][1][3]), "+f"(c[0][2][0]), "+f"(c[0][2][1]),
        "+f"(c[0][2][2]), "+f"(c[0][2][3]), "+f"(c[0][3][0]), "+f"(c[0][3][1]), "+f"(c[0][3][2]),
        "+f"(c[0][3][3]), "+f"(c[0][4][0]), "+f"(c[0][4][1]), "+f"(c[0][4][2]), "+f"(c[0][4][3]),
        "+f"(c[0][5][0]), "+f"(c[0][5][1]), "+f"(c[0][5][2]), "+f"(c[0][5][3]), "+f"(c[0][6][0]),
        "+f"(c[0][6][1]), "+f"(c[0][6][2]), "+f"(c[0][6][3]), "+f"(c[0][7][0]), "+f"(c[0][7][1]),
        "+f"(c[0][7][2]), "+f"(c[0][7][3])
      : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

// c[64, 64] = (add ? c : 0) + a[16, 64]ᵀ · b[16, 64], from shared memory.
__device__ __forceinline__ void multiply_across(float (&c)[1][8][4], uint64_t a, uint64_t b,
                                                bool add) {
  asm volatile(
      "{ .reg .pred add; setp.ne.b32 add, %34, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
      "%32, %33, add, 1, 1, 1, 1; }"
      : "+f"(c[0][0][0]), "+f"(c[0][0][1]), "+f"(c[0][0][2]), "+f"(c[0][0][3]), "+f"(c[0][1][0]),
        "+f"(c[0][1][1]), "+f"(c[0][1][2]), "+f"(c[0][1][3]), "+f"(c[0][2][0]), "+f"(c[0][2][1]),
        "+f"(c[0][2][2]), "+f"(c[0][2][3]), "+f"(c[0][3][0]), "+f"(c[0][3][1]), "+f"(c[0][3][2]),
        "+f"(c[0][3][3]), "+f"(c[0][4][0]), "+f"(c[0][4][1]), "+f"(c[0][4][2]), "+f"(c[0][4][3]),
        "+f"(c[0][5][0]), "+f"(c[0][5][1]), "+f"(c[0][5][2]), "+f"(c[0][5][3]), "+f"(c[0][6][0]),
        "+f"(c[0][6][1]), "+f"(c[0][6][2]), "+f"(c[0][6][3]), "+f"(c[0][7][0]), "+f"(c[0][7][1]),
        "+f"(c[0][7][2]), "+f"(c[0][7][3])
      : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

// The same of b[16, 192].
__device__ __forceinline__ void multiply_across(float (&c)[1][24][4], uint64_t a, uint64_t b,
                                                bool add) {
  asm volatile(
      "{ .reg .pred add; setp.ne.b32 add, %98, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n192k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95}, "
      "%96, %97, add, 1, 1, 1, 1; }"
      : "+f"(c[0][0][0]), "+f"(c[0][0][1]), "+f"(c[0][0][2]), "+f"(c[0][0][3]), "+f"(c[0][1][0]),
        "+f"(c[0][1][1]), "+f"(c[0][1][2]), "+f"(c[0][1][3]), "+f"(c[0][2][0]), "+f"(c[0][2][1]),
        "+f"(c[0][2][2]), "+f"(c[0][2][3]), "+f"(c[0][3][0]), "+f"(c[0][3][1]), "+f"(c[0][3][2]),
        "+f"(c[0][3][3]), "+f"(c[0][4][0]), "+f"(c[0][4][1]), "+f"(c[0][4][2]), "+f"(c[0][4][3]),
        "+f"(c[0][5][0]), "+f"(c[0][5][1]), "+f"(c[0][5][2]), "+f"(c[0][5][3]), "+f"(c[0][6][0]),
        "+f"(c[0][6][1]), "+f"(c[0][6][2]), "+f"(c[0][6][3]), "+f"(c[0][7][0]), "+f"(c[0][7][1]),
        "+f"(c[0][7][2]), "+f"(c[0][7][3]), "+f"(c[0][8][0]), "+f"(c[0][8][1]), "+f"(c[0][8][2]),
        "+f"(c[0][8][3]), "+f"(c[0][9][0]), "+f"(c[0][9][1]), "+f"(c[0][9][2]), "+f"(c[0][9][3]),
        "+f"(c[0][10][0]), "+f"(c[0][10][1]), "+f"(c[0][10][2]), "+f"(c[0][10][3]),
        "+f"(c[0][11][0]), "+f"(c[0][11][1]), "+f"(c[0][11][2]), "+f"(c[0][11][3]),
        "+f"(c[0][12][0]), "+f"(c[0][12][1]), "+f"(c[0][12][2]), "+f"(c[0][12][3]),
        "+f"(c[0][13][0]), "+f"(c[0][13][1]), "+f"(c[0][13][2]), "+f"(c[0][13][3]),
        "+f"(c[0][14][0]), "+f"(c[0][14][1]), "+f"(c[0][14][2]), "+f"(c[0][14][3]),
        "+f"(c[0][15][0]), "+f"(c[0][15][1]), "+f"(c[0][15][2]), "+f"(c[0][15][3]),
        "+f"(c[0][16][0]), "+f"(c[0][16][1]), "+f"(c[0][16][2]), "+f"(c[0][16][3]),
        "+f"(c[0][17][0]), "+f"(c[0][17][1]), "+f"(c[0][17][2]), "+f"(c[0][17][3]),
        "+f"(c[0][18][0]), "+f"(c[0][18][1]), "+f"(c[0][18][2]), "+f"(c[0][18][3]),
        "+f"(c[0][19][0]), "+f"(c[0][19][1]), "+f"(c[0][19][2]), "+f"(c[0][19][3]),
        "+f"(c[0][20][0]), "+f"(c[0][20][1]), "+f"(c[0][20][2]), "+f"(c[0][20][3]),
        "+f"(c[0][21][0]), "+f"(c[0][21][1]), "+f"(c[0][21][2]), "+f"(c[0][21][3]),
        "+f"(c[0][22][0]), "+f"(c[0][22][1]), "+f"(c[0][22][2]), "+f"(c[0][22][3]),
        "+f"(c[0][23][0]), "+f"(c[0][23][1]), "+f"(c[0][23][2]), "+f"(c[0][23][3])
      : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

// The same of b[16, 256].
__device__ __forceinline__ void multiply_across(float (&c)[1][32][4], uint64_t a, uint64_t b,
                                                bool add) {
  asm volatile(
      "{ .reg .pred add; setp.ne.b32 add, %130, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, "
      "%127}, "
      "%128, %129, add, 1, 1, 1, 1; }"
      : "+f"(c[0][0][0]), "+f"(c[0][0][1]), "+f"(c[0][0][2]), "+f"(c[0][0][3]), "+f"(c[0][1][0]),
        "+f"(c[0][1][1]), "+f"(c[0][1][2]), "+f"(c[0][1][3]), "+f"(c[0][2][0]), "+f"(c[0][2][1]),
        "+f"(c[0][2][2]), "+f"(c[0][2][3]), "+f"(c[0][3][0]), "+f"(c[0][3][1]), "+f"(c[0][3][2]),
        "+f"(c[0][3][3]), "+f"(c[0][4][0]), "+f"(c[0][4][1]), "+f"(c[0][4][2]), "+f"(c[0][4][3]),
        "+f"(c[0][5][0]), "+f"(c[0][5][1]), "+f"(c[0][5][2]), "+f"(c[0][5][3]), "+f"(c[0][6][0]),
        "+f"(c[0][6][1]), "+f"(c[0][6][2]), "+f"(c[0][6][3]), "+f"(c[0][7][0]), "+f"(c[0][7][1]),
        "+f"(c[0][7][2]), "+f"(c[0][7][3]), "+f"(c[0][8][0]), "+f"(c[0][8][1]), "+f"(c[0][8][2]),
        "+f"(c[0][8][3]), "+f"(c[0][9][0]), "+f"(c[0][9][1]), "+f"(c[0][9][2]), "+f"(c[0][9][3]),
        "+f"(c[0][10][0]), "+f"(c[0][10][1]), "+f"(c[0][10][2]), "+f"(c[0][10][3]),
        "+f"(c[0][11][0]), "+f"(c[0][11][1]), "+f"(c[0][11][2]), "+f"(c[0][11][3]),
        "+f"(c[0][12][0]), "+f"(c[0][12][1]), "+f"(c[0][12][2]), "+f"(c[0][12][3]),
        "+f"(c[0][13][0]), "+f"(c[0][13][1]), "+f"(c[0][13][2]), "+f"(c[0][13][3]),
        "+f"(c[0][14][0]), "+f"(c[0][14][1]), "+f"(c[0][14][2]), "+f"(c[0][14][3]),
        "+f"(c[0][15][0]), "+f"(c[0][15][1]), "+f"(c[0][15][2]), "+f"(c[0][15][3]),
        "+f"(c[0][16][0]), "+f"(c[0][16][1]), "+f"(c[0][16][2]), "+f"(c[0][16][3]),
        "+f"(c[0][17][0]), "+f"(c[0][17][1]), "+f"(c[0][17][2]), "+f"(c[0][17][3]),
        "+f"(c[0][18][0]), "+f"(c[0][18][1]), "+f"(c[0][18][2]), "+f"(c[0][18][3]),
        "+f"(c[0][19][0]), "+f"(c[0][19][1]), "+f"(c[0][19][2]), "+f"(c[0][19][3]),
        "+f"(c[0][20][0]), "+f"(c[0][20][1]), "+f"(c[0][20][2]), "+f"(c[0][20][3]),
        "+f"(c[0][21][0]), "+f"(c[0][21][1]), "+f"(c[0][21][2]), "+f"(c[0][21][3]),
        "+f"(c[0][22][0]), "+f"(c[0][22][1]), "+f"(c[0][22][2]), "+f"(c[0][22][3]),
        "+f"(c[0][23][0]), "+f"(c[0][23][1]), "+f"(c[0][23][2]), "+f"(c[0][23][3]),
        "+f"(c[0][24][0]), "+f"(c[0][24][1]), "+f"(c[0][24][2]), "+f"(c[0][24][3]),
        "+f"(c[0][25][0]), "+f"(c[0][25][1]), "+f"(c[0][25][2]), "+f"(c[0][25][3]),
        "+f"(c[0][26][0]), "+f"(c[0][26][1]), "+f"(c[0][26][2]), "+f"(c[0][26][3]),
        "+f"(c[0][27][0]), "+f"(c[0][27][1]), "+f"(c[0][27][2]), "+f"(c[0][27][3]),
        "+f"(c[0][28][0]), "+f"(c[0][28][1]), "+f"(c[0][28][2]), "+f"(c[0][28][3]),
        "+f"(c[0][29][0]), "+f"(c[0][29][1]), "+f"(c[0][29][2]), "+f"(c[0][29][3]),
        "+f"(c[0][30][0]), "+f"(c[0][30][1]), "+f"(c[0][30][2]), "+f"(c[0][30][3]),
        "+f"(c[0][31][0]), "+f"(c[0][31][1]), "+f"(c[0][31][2]), "+f"(c[0][31][3])
      : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

// c[64, 8 kN] = (add ? c : 0) + a[64, 16] · b[16, 8 kN], a from registers, as of mma.m16n8k16.
__device__ __forceinline__ void multiply_left(float (&c)[1][16][4], const uint32_t (&a)[4],
                                              uint64_t b, bool add) {
  asm volatile(
      "{ .reg .pred add; setp.ne.b32 add, %69, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
      "{%64, %65, %66, %67}, %68, add, 1, 1, 1; }"
      : "+f"(c[0][0][0]), "+f"(c[0][0][1]), "+f"(c[0][0][2]), "+f"(c[0][0][3]), "+f"(c[0][1][0]),
        "+f"(c[0][1][1]), "+f"(c[0][1][2]), "+f"(c[0][1][3]), "+f"(c[0][2][0]), "+f"(c[0][2][1]),
        "+f"(c[0][2][2]), "+f"(c[0][2][3]), "+f"(c[0][3][0]), "+f"(c[0][3][1]), "+f"(c[0][3][2]),
        "+f"(c[0][3][3]), "+f"(c[0][4][0]), "+f"(c[0][4][1]), "+f"(c[0][4][2]), "+f"(c[0][4][3]),
        "+f"(c[0][5][0]), "+f"(c[0][5][1]), "+f"(c[0][5][2]), "+f"(c[0][5][3]), "+f"(c[0][6][0]),
        "+f"(c[0][6][1]), "+f"(c[0][6][2]), "+f"(c[0][6][3]), "+f"(c[0][7][0]), "+f"(c[0][7][1]),
        "+f"(c[0][7][2]), "+f"(c[0][7][3]), "+f"(c[0][8][0]), "+f"(c[0][8][1]), "+f"(c[0][8][2]),
        "+f"(c[0][8][3]), "+f"(c[0][9][0]), "+f"(c[0][9][1]), "+f"(c[0][9][2]), "+f"(c[0][9][3]),
        "+f"(c[0][10][0]), "+f"(c[0][10][1]), "+f"(c[0][10][2]), "+f"(c[0][10][3]),
        "+f"(c[0][11][0]), "+f"(c[0][11][1]), "+f"(c[0][11][2]), "+f"(c[0][11][3]),
        "+f"(c[0][12][0]), "+f"(c[0][12][1]), "+f"(c[0][12][2]), "+f"(c[0][12][3]),
        "+f"(c[0][13][0]), "+f"(c[0][13][1]), "+f"(c[0][13][2]), "+f"(c[0][13][3]),
        "+f"(c[0][14][0]), "+f"(c[0][14][1]), "+f"(c[0][14][2]), "+f"(c[0][14][3]),
        "+f"(c[0][15][0]), "+f"(c[0][15][1]), "+f"(c[0][15][2]), "+f"(c[0][15][3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)));
}
__device__ __forceinline__ void multiply_left(float (&c)[1][8][4], const uint32_t (&a)[4],
                                              uint64_t b, bool add) {
  asm volatile(
      "{ .reg .pred add; setp.ne.b32 add, %37, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
      "{%32, %33, %34, %35}, %36, add, 1, 1, 1; }"
      : "+f"(c[0][0][0]), "+f"(c[0][0][1]), "+f"(c[0][0][2]), "+f"(c[0][0][3]), "+f"(c[0][1][0]),
        "+f"(c[0][1][1]), "+f"(c[0][1][2]), "+f"(c[0][1][3]), "+f"(c[0][2][0]), "+f"(c[0][2][1]),
        "+f"(c[0][2][2]), "+f"(c[0][2][3]), "+f"(c[0][3][0]), "+f"(c[0][3][1]), "+f"(c[0][3][2]),
        "+f"(c[0][3][3]), "+f"(c[0][4][0]), "+f"(c[0][4][1]), "+f"(c[0][4][2]), "+f"(c[0][4][3]),
        "+f"(c[0][5][0]), "+f"(c[0][5][1]), "+f"(c[0][5][2]), "+f"(c[0][5][3]), "+f"(c[0][6][0]),
        "+f"(c[0][6][1]), "+f"(c[0][6][2]), "+f"(c[0][6][3]), "+f"(c[0][7][0]), "+f"(c[0][7][1]),
        "+f"(c[0][7][2]), "+f"(c[0][7][3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)));
}

}  // namespace bench::kernels::cuda
