#pragma once
// Instructions of tensor cores and asynchronous copies that CUDA C++ has no words for (PTX ISA),
// for sm_80 and later. Addresses of shared memory are 32-bit.

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/device.cuh"

namespace bench::kernels::cuda {

// What the launch gave this block, 16-byte aligned.
__device__ __forceinline__ std::byte* dynamic_shared() {
  extern __shared__ uint4 launched_pieces[];
  return reinterpret_cast<std::byte*>(launched_pieces);
}

__device__ __forceinline__ uint32_t shared_address(const void* memory) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(memory));
}

// Four 8 x 8 squares of 16-bit elements: lane 8 i + j points at row j of square i, 16 bytes long
// and aligned, and gets of each square columns 2t and 2t + 1 of row g, t = lane % 4, g = lane / 4.
__device__ __forceinline__ void load_matrices(uint32_t (&to)[4], uint32_t from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(from)
               : "memory");
}

// The same of the squares' transposes: rows 2t and 2t + 1 of column g.
__device__ __forceinline__ void load_transposed(uint32_t (&to)[4], uint32_t from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(from)
               : "memory");
}

// Of the first two squares only.
__device__ __forceinline__ void load_transposed(uint32_t (&to)[2], uint32_t from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(to[0]), "=r"(to[1])
               : "r"(from)
               : "memory");
}

// c[16, 8] += a[16, 16] · b[16, 8], bfloat16 with sums in float.
__device__ __forceinline__ void multiply_add(float (&c)[4], const uint32_t (&a)[4], uint32_t b0,
                                             uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Copies 16 bytes, both sides aligned to that, past the first-level cache; zeros where not `there`:
// `from` is not read then.
__device__ __forceinline__ void copy_async_16(uint32_t to, const void* from, bool there) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
               "r"(there ? 16 : 0)
               : "memory");
}

__device__ __forceinline__ void copy_async_4(uint32_t to, const void* from, bool there) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"(from),
               "r"(there ? 4 : 0)
               : "memory");
}

// Until all copies that this thread has started are done; others see them after a barrier.
__device__ __forceinline__ void wait_for_copies() {
  asm volatile("cp.async.wait_all;" ::: "memory");
}

// Adds to global memory, 16-byte aligned, and waits for nothing. Additions by one thread to one
// place are made in order.
__device__ __forceinline__ void add_to_global(float* to, float4 value) {
#if __CUDA_ARCH__ >= 900
  asm volatile("red.global.add.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(to), "f"(value.x),
               "f"(value.y), "f"(value.z), "f"(value.w)
               : "memory");
#else
  atomicAdd(to, value.x);
  atomicAdd(to + 1, value.y);
  atomicAdd(to + 2, value.z);
  atomicAdd(to + 3, value.w);
#endif
}

}  // namespace bench::kernels::cuda
