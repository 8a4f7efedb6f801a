#include "plugins/kernels/memory.h"

namespace bench::kernel_cases {

// splitmix64 (Steele 2014)
float Memory::next() {
  uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<float>(static_cast<int64_t>(z ^ (z >> 31))) * 0x1p-63F;
}

void* Memory::take(int64_t bytes, int byte) {
  bytes_ += bytes;
  if (context_ == nullptr) return nullptr;
  buffers_.emplace_back(context_->device, bytes);
  std::byte* const data = buffers_.back().data();
  context_->device.fill(context_->stream, data, byte, static_cast<size_t>(bytes));
  context_->device.synchronize(context_->stream);
  return data;
}

void Memory::repeat(std::byte* memory, const void* tile, int64_t tile_bytes, int64_t bytes) {
  Device& device = context_->device;
  device.copy(context_->stream, memory, tile, static_cast<size_t>(tile_bytes));
  // What is there doubles.
  for (int64_t done = tile_bytes; done < bytes;) {
    const int64_t more = std::min(done, bytes - done);
    device.copy(context_->stream, memory + done, memory, static_cast<size_t>(more));
    done += more;
  }
  device.synchronize(context_->stream);
}

int32_t* Memory::tokens(int64_t size, int64_t vocab) {
  return made<int32_t>(size, [this, vocab] {
    return static_cast<int32_t>((0.5F + 0.5F * next()) * static_cast<float>(vocab - 1));
  });
}

const void* HostView::copy_of(const void* data, int64_t bytes) {
  auto [found, is_new] = copies_.try_emplace({data, bytes});
  if (is_new) {
    found->second.resize(static_cast<size_t>(bytes));
    context_.device.copy(context_.stream, found->second.data(), data, found->second.size());
    context_.device.synchronize(context_.stream);
  }
  return found->second.data();
}

}  // namespace bench::kernel_cases
