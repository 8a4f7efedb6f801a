#pragma once
// Where the kernels under test run. A test's tensors stay on the host: each call of an op finds
// them on its device, and what it wrote comes back.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/device/buffer.h"
#include "bench/device/context.h"
#include "kernels/ops.h"
#include "kernels/pointers.h"

namespace bench::kernels::test {

// Tensors of one call on their way to a device that does not share the host's memory: one image of
// them all, each between guards of NaN and aligned to 64 bytes, never to more.
class Image {
 public:
  // A tensor of the call. Those that overlap on the host do so on the device.
  void add(const void* host, int64_t bytes, bool written);
  // After the last one: fills the image for memory that begins there.
  void lay_out();
  void place_at(std::byte* device) { device_ = device; }

  int64_t bytes() const { return static_cast<int64_t>(before_.size()); }
  // What the device's memory holds before the call.
  const std::vector<std::byte>& before() const { return before_; }
  void* on_device(const void* host) const;
  // Fails the test where a guard or a tensor that is only read differs from `before`.
  void expect_only_outputs_written(const std::vector<std::byte>& after) const;
  // Brings what was written to the host's tensors.
  void take_outputs(const std::vector<std::byte>& after) const;

 private:
  struct Tensor {
    const std::byte *begin, *end;  // on the host
    bool written;
    size_t offset;  // in the image
    size_t size() const { return static_cast<size_t>(end - begin); }
  };
  void merge_overlapping();

  std::vector<Tensor> tensors_;
  std::vector<std::byte> before_;
  std::byte* device_ = nullptr;
};

// A device with a stream of its own. For one thread at a time.
class Site {
 public:
  // `deterministic`: as in Context.
  explicit Site(std::unique_ptr<Device> device, bool deterministic = true);
  virtual ~Site();
  Site(const Site&) = delete;

  Context context() {
    return {
        .device = *device_, .tracer = tracer_, .stream = stream_, .deterministic = deterministic_};
  }
  // Whether kernels reach the host's memory.
  bool on_host() const { return device_->info().kind == DeviceKind::cpu; }

  // Runs the op on tensors of the host; opaque memory is the device's (OpaqueMemory).
  template <class Args>
  void call(OpFunction<Args> op, Args args) {
    if (on_host()) return op(context(), args);
    Image image;
    for_each_pointer(args, [&]<class T>(T*& pointer, int64_t count) {
      if constexpr (!std::is_void_v<T>)
        image.add(pointer, count * static_cast<int64_t>(sizeof(T)), !std::is_const_v<T>);
    });
    image.lay_out();
    image.place_at(memory_of(image.bytes()));
    for_each_pointer(args, [&]<class T>(T*& pointer, int64_t) {
      if constexpr (!std::is_void_v<T>) pointer = static_cast<T*>(image.on_device(pointer));
    });
    const std::vector<std::byte> after = run(image, [&] { op(context(), args); });
    image.expect_only_outputs_written(after);
    image.take_outputs(after);
  }

 protected:
  // What the image has become by `enqueue`, which gives one call to the stream.
  virtual std::vector<std::byte> run(const Image& image, const std::function<void()>& enqueue);

  void upload(const Image& image);
  std::vector<std::byte> download(const Image& image);

 private:
  std::byte* memory_of(int64_t bytes);

  std::unique_ptr<Device> device_;
  NullTracer tracer_;
  Stream stream_;
  bool deterministic_;
  Buffer<std::byte> memory_;  // of the image of a call; grows
};

struct TestedSite {
  std::string name;
  Site* site;
};

// A tensor on the site's device.
template <class T>
class OnDevice {
 public:
  OnDevice(Site& site, const std::vector<T>& values)
      : site_(&site), memory_(site.context().device, static_cast<int64_t>(values.size())) {
    const Context context = site.context();
    context.device.copy(context.stream, memory_.data(), values.data(), memory_.bytes());
    context.device.synchronize(context.stream);
  }
  T* data() { return memory_.data(); }
  std::vector<T> values() const {
    std::vector<T> copy(static_cast<size_t>(memory_.size()));
    const Context context = site_->context();
    context.device.copy(context.stream, copy.data(), memory_.data(), memory_.bytes());
    context.device.synchronize(context.stream);
    return copy;
  }

 private:
  Site* site_;
  Buffer<T> memory_;
};

// Bytes on the site's device in a form that only the variant knows, between guards; full of 0xff.
class OpaqueMemory {
 public:
  OpaqueMemory(Site& site, int64_t bytes);
  void* data() { return memory_.data() + kGuard; }
  std::vector<std::byte> bytes() const;
  bool guards_intact() const;

 private:
  static constexpr int64_t kGuard = 256;
  std::vector<std::byte> all() const;

  Site* site_;
  Buffer<std::byte> memory_;
};

}  // namespace bench::kernels::test
