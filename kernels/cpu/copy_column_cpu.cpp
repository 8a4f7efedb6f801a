#include <cstddef>
#include <cstring>

#include "kernels/copy_column.h"

namespace bench::kernels {

void copy_column(const Context&, void* to, const void* from, int64_t rows, int64_t pitch_bytes,
                 int64_t element_bytes) {
  for (int64_t r = 0; r < rows; ++r) {
    std::memcpy(static_cast<std::byte*>(to) + r * element_bytes,
                static_cast<const std::byte*>(from) + r * pitch_bytes,
                static_cast<size_t>(element_bytes));
  }
}

}  // namespace bench::kernels
