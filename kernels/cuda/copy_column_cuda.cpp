#include "bench/device/buffer.h"
#include "kernels/copy_column.h"
#include "kernels/cuda/check.h"

namespace bench::kernels {

// Packed on the device first: single elements do not cross the bus.
void copy_column(const Context& context, void* to, const void* from, int64_t rows,
                 int64_t pitch_bytes, int64_t element_bytes) {
  const auto width = static_cast<size_t>(element_bytes), height = static_cast<size_t>(rows);
  Buffer<std::byte> packed(context.device, rows * element_bytes);
  const cudaStream_t stream = cuda::stream_of(context);
  cuda::check(cudaMemcpy2DAsync(packed.data(), width, from, static_cast<size_t>(pitch_bytes), width,
                                height, cudaMemcpyDeviceToDevice, stream),
              "packing a column");
  cuda::check(cudaMemcpyAsync(to, packed.data(), width * height, cudaMemcpyDeviceToHost, stream),
              "copying a column to the host");
  cuda::check(cudaStreamSynchronize(stream), "waiting for a column");
}

}  // namespace bench::kernels
