#include <algorithm>

#include "kernels/cuda/check.h"
#include "kernels/cuda/scratch.h"
#include "kernels/linear/element_cuda.cuh"
#include "kernels/linear/probe.h"

namespace bench::kernels::cuda {
namespace {

constexpr int kThreads = 256;

// Each thread takes every so many elements.
int blocks_for(int64_t size) {
  const int64_t wanted = (size + kThreads - 1) / kThreads;
  return static_cast<int>(std::clamp<int64_t>(wanted, 1, int64_t{8} * multiprocessors()));
}

__device__ int64_t first_index() { return int64_t{blockIdx.x} * kThreads + threadIdx.x; }
__device__ int64_t index_step() { return int64_t{gridDim.x} * kThreads; }

// The finalizer of MurmurHash3 over 64 bits: every bit of the position reaches every bit.
__device__ uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

template <class T>
__global__ void fill(int64_t size, uint64_t seed, T* values) {
  for (int64_t i = first_index(); i < size; i += index_step()) {
    const auto bits = static_cast<uint32_t>(mixed(seed + static_cast<uint64_t>(i)) >> 40);
    const __nv_bfloat16 value = __float2bfloat16_rn(static_cast<float>(bits) * 0x1p-23f - 1.0f);
    put(values + i, wide(value));
  }
}

__global__ void compare(int64_t words, const uint16_t* a, const uint16_t* b, int* differ) {
  bool found = false;
  for (int64_t i = first_index(); i < words; i += index_step()) found |= a[i] != b[i];
  if (found) *differ = 1;  // all that write, write the same
}

}  // namespace

void fill_probe(const Context& context, DType dtype, int64_t size, uint32_t seed, void* values) {
  const cudaStream_t stream = stream_of(context);
  const uint64_t start = uint64_t{seed} << 40;
  if (dtype == DType::bf16) {
    fill<<<blocks_for(size), kThreads, 0, stream>>>(size, start,
                                                    static_cast<__nv_bfloat16*>(values));
  } else {
    fill<<<blocks_for(size), kThreads, 0, stream>>>(size, start, static_cast<float*>(values));
  }
  check_launch("filling probe operands");
}

void compare_words(const Context& context, int64_t words, const uint16_t* a, const uint16_t* b,
                   int* differ) {
  compare<<<blocks_for(words), kThreads, 0, stream_of(context)>>>(words, a, b, differ);
  check_launch("comparing results");
}

}  // namespace bench::kernels::cuda
