#include "tests/plugins/host.h"

#include <span>
#include <string_view>
#include <vector>

namespace bench::plugins::test {

struct Host::HostCalls {
  static void log(void*, bench_log_level, const char*) {}
  static void fail(void* ctx, const char* why) { static_cast<Host*>(ctx)->words_ = why; }
  static const void* service(void* ctx, const char* name) {
    return std::string_view(name) == "bench.trace/1" ? &static_cast<Host*>(ctx)->trace_ : nullptr;
  }
  static void push(void* ctx, bench_stream, const char*, int64_t) {
    ++static_cast<Host*>(ctx)->opened_;
  }
  static void pop(void* ctx, bench_stream) { ++static_cast<Host*>(ctx)->closed_; }
};

struct Host::DeviceCalls {
  static Host& host(void* ctx) { return *static_cast<Host*>(ctx); }
  static void* allocate(void* ctx, uint64_t bytes) {
    void* memory = host(ctx).device_.allocate(bytes);
    ++host(ctx).allocations_;
    host(ctx).held_.push_back({.memory = memory, .bytes = bytes});
    return memory;
  }
  static void release(void* ctx, void* memory) {
    std::erase_if(host(ctx).held_, [&](const Block& b) { return b.memory == memory; });
    host(ctx).device_.release(memory);
  }
  static bench_status copy(void* ctx, bench_stream s, void* to, const void* from, uint64_t bytes) {
    host(ctx).device_.copy(Stream{s}, to, from, bytes);
    return BENCH_OK;
  }
  static bench_status fill(void* ctx, bench_stream s, void* to, int32_t byte, uint64_t bytes) {
    host(ctx).device_.fill(Stream{s}, to, byte, bytes);
    return BENCH_OK;
  }
  static bench_status synchronize(void* ctx, bench_stream s) {
    host(ctx).device_.synchronize(Stream{s});
    return BENCH_OK;
  }
  static bench_stream stream_create(void* ctx) { return host(ctx).device_.create_stream().native; }
  static void stream_destroy(void* ctx, bench_stream s) {
    host(ctx).device_.destroy_stream(Stream{s});
  }
  static void* native_handle(void*, const char*) { return nullptr; }
};

// A communicator made by split, with the table it is seen through.
struct Host::Split {
  std::unique_ptr<Communicator> owned;
  CommContext context;
  bench_comm table;
};

struct Host::CommCalls {
  static CommContext& self(void* ctx) { return *static_cast<CommContext*>(ctx); }
  static Communicator& comm(void* ctx) { return *self(ctx).comm; }
  static int64_t count(uint64_t n) { return static_cast<int64_t>(n); }

  static bench_status barrier(void* ctx, bench_stream s) {
    comm(ctx).barrier(Stream{s});
    return BENCH_OK;
  }
  static bench_status all_reduce(void* ctx, bench_stream s, const void* send, void* recv,
                                 uint64_t n, bench_dtype t, bench_reduce_op op) {
    comm(ctx).all_reduce(Stream{s}, send, recv, count(n), DType{t}, ReduceOp{op});
    Host& host = *self(ctx).host;
    if (host.after_all_reduce && t == BENCH_DTYPE_F32)
      host.after_all_reduce(static_cast<float*>(recv), n);
    return BENCH_OK;
  }
  static bench_status reduce_scatter(void* ctx, bench_stream s, const void* send, void* recv,
                                     uint64_t n, bench_dtype t, bench_reduce_op op) {
    comm(ctx).reduce_scatter(Stream{s}, send, recv, count(n), DType{t}, ReduceOp{op});
    return BENCH_OK;
  }
  static bench_status all_gather(void* ctx, bench_stream s, const void* send, void* recv,
                                 uint64_t n, bench_dtype t) {
    comm(ctx).all_gather(Stream{s}, send, recv, count(n), DType{t});
    return BENCH_OK;
  }
  static bench_status broadcast(void* ctx, bench_stream s, void* buffer, uint64_t n, bench_dtype t,
                                int32_t root) {
    comm(ctx).broadcast(Stream{s}, buffer, count(n), DType{t}, root);
    return BENCH_OK;
  }
  static bench_status send(void* ctx, bench_stream s, const void* buffer, uint64_t n, bench_dtype t,
                           int32_t to, int32_t tag) {
    comm(ctx).send(Stream{s}, buffer, count(n), DType{t}, to, tag);
    return BENCH_OK;
  }
  static bench_status recv(void* ctx, bench_stream s, void* buffer, uint64_t n, bench_dtype t,
                           int32_t from, int32_t tag) {
    comm(ctx).recv(Stream{s}, buffer, count(n), DType{t}, from, tag);
    return BENCH_OK;
  }
  static bench_status exchange(void* ctx, bench_stream s, const bench_message* sends,
                               uint32_t send_count, const bench_message* receives,
                               uint32_t receive_count, bench_dtype t, int32_t tag) {
    std::vector<Outgoing> out;
    std::vector<Incoming> in;
    for (const bench_message& m : std::span(sends, send_count))
      out.push_back({.buffer = m.buffer, .count = count(m.count), .to = m.peer});
    for (const bench_message& m : std::span(receives, receive_count))
      in.push_back({.buffer = m.buffer, .count = count(m.count), .from = m.peer});
    comm(ctx).exchange(Stream{s}, out, in, DType{t}, tag);
    return BENCH_OK;
  }
  static bench_status all_reduce_start(void* ctx, bench_stream s, const void* send, void* recv,
                                       uint64_t n, bench_dtype t, bench_reduce_op op,
                                       uint64_t* ticket) {
    *ticket = 0;
    return all_reduce(ctx, s, send, recv, n, t, op);
  }
  static bench_status reduce_scatter_start(void* ctx, bench_stream s, const void* send, void* recv,
                                           uint64_t n, bench_dtype t, bench_reduce_op op,
                                           uint64_t* ticket) {
    *ticket = 0;
    return reduce_scatter(ctx, s, send, recv, n, t, op);
  }
  static bench_status wait(void*, bench_stream, uint64_t) { return BENCH_OK; }
  static bench_status split(void* ctx, int32_t color, int32_t key, const bench_comm** made) {
    Host& host = *self(ctx).host;
    auto* split = new Split{.owned = comm(ctx).split(color, key), .context = {}, .table = {}};
    split->context = {.host = &host, .comm = split->owned.get(), .split = split};
    split->table = comm_table(split->context);
    split->table.release = release;
    ++host.splits_held_;
    *made = &split->table;
    return BENCH_OK;
  }
  static void release(void* ctx) {
    --self(ctx).host->splits_held_;
    delete self(ctx).split;
  }
  static void* native_handle(void*, const char*) { return nullptr; }
};

bench_comm Host::comm_table(CommContext& context) {
  const Communicator& comm = *context.comm;
  return {.size = sizeof(bench_comm),
          .ctx = &context,
          .rank = comm.rank(),
          .ranks = comm.size(),
          .capturable = 0,
          .kind = comm.size() == 1 ? "self" : "threads",
          .barrier = CommCalls::barrier,
          .all_reduce = CommCalls::all_reduce,
          .reduce_scatter = CommCalls::reduce_scatter,
          .all_gather = CommCalls::all_gather,
          .broadcast = CommCalls::broadcast,
          .send = CommCalls::send,
          .recv = CommCalls::recv,
          .all_reduce_start = CommCalls::all_reduce_start,
          .wait = CommCalls::wait,
          .split = CommCalls::split,
          .release = nullptr,
          .native_handle = CommCalls::native_handle,
          .exchange = CommCalls::exchange,
          .by_library_algorithm = nullptr,
          .reduce_scatter_start = CommCalls::reduce_scatter_start};
}

Host::Host(Communicator& comm) : Host(comm, cpu_) {}

Host::Host(Communicator& comm, Device& device)
    : device_(device), world_{.host = this, .comm = &comm, .split = nullptr} {
  trace_ = {
      .size = sizeof(bench_trace), .ctx = this, .push = HostCalls::push, .pop = HostCalls::pop};
  table_ = {.size = sizeof(bench_host),
            .abi_major = BENCH_ABI_MAJOR,
            .abi_minor = BENCH_ABI_MINOR,
            .ctx = this,
            .log = HostCalls::log,
            .fail = HostCalls::fail,
            .service = HostCalls::service};
  device_table_ = {.size = sizeof(bench_device),
                   .ctx = this,
                   .kind = "cpu",
                   .name = device.info().name.c_str(),
                   .index = 0,
                   .threads = 1,
                   .last_level_cache_bytes = 1 << 20,
                   .memory_bytes = 0,
                   .allocate = DeviceCalls::allocate,
                   .release = DeviceCalls::release,
                   .copy = DeviceCalls::copy,
                   .fill = DeviceCalls::fill,
                   .synchronize = DeviceCalls::synchronize,
                   .stream_create = DeviceCalls::stream_create,
                   .stream_destroy = DeviceCalls::stream_destroy,
                   .native_handle = DeviceCalls::native_handle};
  comm_table_ = comm_table(world_);
}

}  // namespace bench::plugins::test
