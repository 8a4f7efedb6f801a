#pragma once
// The few kernels that the device itself runs.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace bench {

// In host memory that the device sees. Written by the one side and read by the other.
struct GateFlags {
  alignas(128) uint32_t opened = 0;   // the last ticket that may pass; the host's
  alignas(128) uint32_t expired = 0;  // the last ticket that did not wait longer; the device's
};

// Holds the stream until flags->opened has reached `ticket`, for at most some milliseconds.
void launch_gate(GateFlags* flags, uint32_t ticket, cudaStream_t stream);

// Reads `bytes` (a multiple of 16) once, past the first-level caches. `sink`: four bytes that are
// (hardly ever) written, so that the reading is not left out.
void launch_read(const void* memory, size_t bytes, uint32_t* sink, int multiprocessors,
                 cudaStream_t stream);

// cudaSuccess when this build has code for the current device.
cudaError_t can_launch();

}  // namespace bench
