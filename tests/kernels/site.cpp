#include "tests/kernels/site.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace bench::kernels::test {
namespace {

constexpr size_t kGuardBytes = 256, kAlignment = 64;
constexpr std::byte kGuardByte{0xff};  // NaN in every type

// The next place after `end` and a guard that is a multiple of 64 but not of 128.
size_t place_after(size_t end) {
  const size_t line = (end + kGuardBytes) / (2 * kAlignment) + 1;
  return line * 2 * kAlignment + kAlignment;
}

}  // namespace

void Image::add(const void* host, int64_t bytes, bool written) {
  const auto* const begin = static_cast<const std::byte*>(host);
  tensors_.push_back({.begin = begin, .end = begin + bytes, .written = written, .offset = 0});
}

void Image::merge_overlapping() {
  std::sort(tensors_.begin(), tensors_.end(),
            [](const Tensor& a, const Tensor& b) { return a.begin < b.begin; });
  std::vector<Tensor> merged;
  for (const Tensor& t : tensors_) {
    if (merged.empty() || t.begin >= merged.back().end) {
      merged.push_back(t);
      continue;
    }
    merged.back().end = std::max(merged.back().end, t.end);
    merged.back().written = merged.back().written || t.written;
  }
  tensors_ = std::move(merged);
}

void Image::lay_out() {
  merge_overlapping();
  size_t end = 0;
  for (Tensor& t : tensors_) {
    t.offset = place_after(end);
    end = t.offset + t.size();
  }
  before_.assign(place_after(end), kGuardByte);
  for (const Tensor& t : tensors_) std::memcpy(before_.data() + t.offset, t.begin, t.size());
}

void* Image::on_device(const void* host) const {
  const auto* const at = static_cast<const std::byte*>(host);
  for (const Tensor& t : tensors_) {
    if (at >= t.begin && at < t.end) return device_ + t.offset + (at - t.begin);
  }
  throw std::logic_error("a tensor of the call was not added");
}

void Image::expect_only_outputs_written(const std::vector<std::byte>& after) const {
  size_t guard = 0;
  const auto expect_guard = [&](size_t begin, size_t end) {
    EXPECT_TRUE(std::equal(after.begin() + static_cast<int64_t>(begin),
                           after.begin() + static_cast<int64_t>(end),
                           before_.begin() + static_cast<int64_t>(begin)))
        << "wrote outside of its tensors, near number " << guard;
    ++guard;
  };
  size_t end = 0;
  for (const Tensor& t : tensors_) {
    expect_guard(end, t.offset);
    end = t.offset + t.size();
    if (t.written) continue;
    EXPECT_EQ(std::memcmp(after.data() + t.offset, before_.data() + t.offset, t.size()), 0)
        << "wrote to an input of " << t.size() << " bytes";
  }
  expect_guard(end, after.size());
}

void Image::take_outputs(const std::vector<std::byte>& after) const {
  for (const Tensor& t : tensors_) {
    if (t.written) std::memcpy(const_cast<std::byte*>(t.begin), after.data() + t.offset, t.size());
  }
}

Site::Site(std::unique_ptr<Device> device, bool deterministic)
    : device_(std::move(device)),
      stream_(device_->create_stream()),
      deterministic_(deterministic) {}

Site::~Site() { device_->destroy_stream(stream_); }

std::vector<std::byte> Site::run(const Image& image, const std::function<void()>& enqueue) {
  upload(image);
  enqueue();
  return download(image);
}

void Site::upload(const Image& image) {
  device_->copy(stream_, memory_.data(), image.before().data(), image.before().size());
}

std::vector<std::byte> Site::download(const Image& image) {
  std::vector<std::byte> after(image.before().size());
  device_->copy(stream_, after.data(), memory_.data(), after.size());
  device_->synchronize(stream_);
  return after;
}

std::byte* Site::memory_of(int64_t bytes) {
  if (memory_.size() < bytes) {
    memory_ = {};
    memory_ = Buffer<std::byte>(*device_, bytes);
  }
  return memory_.data();
}

OpaqueMemory::OpaqueMemory(Site& site, int64_t bytes)
    : site_(&site), memory_(site.context().device, bytes + 2 * kGuard) {
  const Context context = site.context();
  context.device.fill(context.stream, memory_.data(), 0xff, memory_.bytes());
  context.device.synchronize(context.stream);
}

std::vector<std::byte> OpaqueMemory::all() const {
  std::vector<std::byte> copy(memory_.bytes());
  const Context context = site_->context();
  context.device.copy(context.stream, copy.data(), memory_.data(), copy.size());
  context.device.synchronize(context.stream);
  return copy;
}

std::vector<std::byte> OpaqueMemory::bytes() const {
  const std::vector<std::byte> copy = all();
  return {copy.begin() + kGuard, copy.end() - kGuard};
}

bool OpaqueMemory::guards_intact() const {
  const std::vector<std::byte> copy = all();
  const auto intact = [](std::byte x) { return x == kGuardByte; };
  return std::all_of(copy.begin(), copy.begin() + kGuard, intact) &&
         std::all_of(copy.end() - kGuard, copy.end(), intact);
}

}  // namespace bench::kernels::test
