#include "bench/sdk/host.h"

#include <vector>

#include "bench/base/status.h"

namespace bench::sdk {
namespace {

void check(bench_status status, const char* doing) {
  if (status == BENCH_UNSUPPORTED)
    throw HostUnsupported(std::string("the host does not support: ") + doing);
  if (status != BENCH_OK) throw HostRefused(std::string("the host could not ") + doing);
}

uint64_t elements(int64_t count) { return static_cast<uint64_t>(count); }
bench_dtype number(DType t) { return static_cast<bench_dtype>(t); }
bench_reduce_op number(ReduceOp op) { return static_cast<bench_reduce_op>(op); }

}  // namespace

const bench_trace* Host::trace() const {
  return static_cast<const bench_trace*>(table_->service(table_->ctx, "bench.trace/1"));
}

HostDevice::HostDevice(const bench_device& table) : table_(copy_sized(table)) {
  info_ = {.kind = std::string_view(table_.kind) == "cuda" ? DeviceKind::cuda : DeviceKind::cpu,
           .name = table_.name,
           .index = table_.index,
           .uuid = {},
           .threads = table_.threads,
           .last_level_cache_bytes = table_.last_level_cache_bytes,
           .memory_bytes = table_.memory_bytes};
}

void* HostDevice::allocate(size_t bytes) {
  void* memory = table_.allocate(table_.ctx, bytes);
  // The host has said how much there is and what to do.
  if (memory == nullptr) throw HostOutOfMemory("the host could not allocate device memory");
  return memory;
}

void HostDevice::copy(Stream s, void* to, const void* from, size_t bytes) {
  check(table_.copy(table_.ctx, s.native, to, from, bytes), "copy");
}
void HostDevice::fill(Stream s, void* to, int byte, size_t bytes) {
  check(table_.fill(table_.ctx, s.native, to, byte, bytes), "fill");
}
void HostDevice::synchronize(Stream s) {
  check(table_.synchronize(table_.ctx, s.native), "synchronize");
}

HostCommunicator::~HostCommunicator() {
  if (owned_ && table_.release != nullptr) table_.release(table_.ctx);
}

void HostCommunicator::barrier(Stream s) { check(table_.barrier(table_.ctx, s.native), "barrier"); }

void HostCommunicator::all_reduce(Stream s, const void* send, void* recv, int64_t count, DType t,
                                  ReduceOp op) {
  check(table_.all_reduce(table_.ctx, s.native, send, recv, elements(count), number(t), number(op)),
        "all_reduce");
}
void HostCommunicator::reduce_scatter(Stream s, const void* send, void* recv, int64_t count,
                                      DType t, ReduceOp op) {
  check(table_.reduce_scatter(table_.ctx, s.native, send, recv, elements(count), number(t),
                              number(op)),
        "reduce_scatter");
}
void HostCommunicator::all_gather(Stream s, const void* send, void* recv, int64_t count, DType t) {
  check(table_.all_gather(table_.ctx, s.native, send, recv, elements(count), number(t)),
        "all_gather");
}
void HostCommunicator::broadcast(Stream s, void* buffer, int64_t count, DType t, int root) {
  check(table_.broadcast(table_.ctx, s.native, buffer, elements(count), number(t), root),
        "broadcast");
}
void HostCommunicator::send(Stream s, const void* buffer, int64_t count, DType t, int to, int tag) {
  check(table_.send(table_.ctx, s.native, buffer, elements(count), number(t), to, tag), "send");
}
void HostCommunicator::recv(Stream s, void* buffer, int64_t count, DType t, int from, int tag) {
  check(table_.recv(table_.ctx, s.native, buffer, elements(count), number(t), from, tag), "recv");
}
void HostCommunicator::exchange(Stream s, std::span<const Outgoing> sends,
                                std::span<const Incoming> receives, DType t, int tag) {
  if (table_.exchange == nullptr)
    throw Unsupported("this bench is older than the plugin: its communicators have no exchange");
  std::vector<bench_message> out, in;
  for (const Outgoing& m : sends)
    out.push_back(
        {.buffer = const_cast<void*>(m.buffer), .count = elements(m.count), .peer = m.to});
  for (const Incoming& m : receives)
    in.push_back({.buffer = m.buffer, .count = elements(m.count), .peer = m.from});
  check(table_.exchange(table_.ctx, s.native, out.data(), static_cast<uint32_t>(out.size()),
                        in.data(), static_cast<uint32_t>(in.size()), number(t), tag),
        "exchange");
}
Communicator::Ticket HostCommunicator::all_reduce_start(Stream s, const void* send, void* recv,
                                                        int64_t count, DType t, ReduceOp op) {
  uint64_t ticket = 0;
  check(table_.all_reduce_start(table_.ctx, s.native, send, recv, elements(count), number(t),
                                number(op), &ticket),
        "all_reduce_start");
  return ticket;
}
Communicator::Ticket HostCommunicator::reduce_scatter_start(Stream s, const void* send, void* recv,
                                                            int64_t count, DType t, ReduceOp op) {
  if (table_.reduce_scatter_start == nullptr)  // bench is older than the plugin
    return Communicator::reduce_scatter_start(s, send, recv, count, t, op);
  uint64_t ticket = 0;
  check(table_.reduce_scatter_start(table_.ctx, s.native, send, recv, elements(count), number(t),
                                    number(op), &ticket),
        "reduce_scatter_start");
  return ticket;
}
void HostCommunicator::wait(Stream s, Ticket ticket) {
  check(table_.wait(table_.ctx, s.native, ticket), "wait");
}

std::unique_ptr<Communicator> HostCommunicator::split(int color, int key) {
  const bench_comm* made = nullptr;
  check(table_.split(table_.ctx, color, key, &made), "split");
  return std::make_unique<HostCommunicator>(*made, /*owned=*/true);
}

std::unique_ptr<Communicator> HostCommunicator::by_library_algorithm(std::string_view name,
                                                                     int64_t count, DType t) {
  if (table_.by_library_algorithm == nullptr)
    throw Unsupported(
        "this bench is older than the plugin: it cannot choose a library's algorithm");
  const std::string text(name);
  const bench_comm* made = nullptr;
  check(table_.by_library_algorithm(table_.ctx, text.c_str(), elements(count), number(t), &made),
        "choose the library's algorithm");
  return std::make_unique<HostCommunicator>(*made, /*owned=*/true);
}

}  // namespace bench::sdk
