#include "bench/runner/host_tables.h"

#include <exception>
#include <span>
#include <utility>
#include <vector>

#include "bench/base/status.h"

namespace bench::runner {
namespace {

Stream stream_of(bench_stream s) { return Stream{s}; }

// Runs `call`; an exception becomes words and a status.
template <class F>
bench_status guarded(const PluginHost& host, F&& call) {
  const bench_host* table = host.table();
  try {
    call();
    return BENCH_OK;
  } catch (const Unsupported& e) {
    table->fail(table->ctx, e.what());
    return BENCH_UNSUPPORTED;
  } catch (const std::exception& e) {
    table->fail(table->ctx, e.what());
    return BENCH_FAILED;
  }
}

struct TraceCalls {
  static void push(void* ctx, bench_stream s, const char* name, int64_t payload) {
    static_cast<Tracer*>(ctx)->push(stream_of(s), name, payload);
  }
  static void pop(void* ctx, bench_stream s) { static_cast<Tracer*>(ctx)->pop(stream_of(s)); }
  static int32_t recording(void* ctx) { return static_cast<Tracer*>(ctx)->recording() ? 1 : 0; }
};

}  // namespace

PluginHost::PluginHost(std::string plugin_id, Log log, Tracer& tracer)
    : plugin_id_(std::move(plugin_id)), log_(log), tracer_(tracer) {
  table_ = bench_host{.size = sizeof(bench_host),
                      .abi_major = BENCH_ABI_MAJOR,
                      .abi_minor = BENCH_ABI_MINOR,
                      .ctx = this,
                      .log = log_line,
                      .fail = fail,
                      .service = service};
  trace_ = bench_trace{.size = sizeof(bench_trace),
                       .ctx = &tracer_,
                       .push = TraceCalls::push,
                       .pop = TraceCalls::pop,
                       .recording = TraceCalls::recording};
}

std::string PluginHost::take_words() {
  std::string words = words_.empty() ? "the plugin gave no reason" : std::move(words_);
  words_.clear();
  return words;
}

void PluginHost::log_line(void* ctx, bench_log_level level, const char* text) {
  const auto* self = static_cast<PluginHost*>(ctx);
  self->log_.write(static_cast<LogLevel>(level), self->plugin_id_ + ": " + text);
}

void PluginHost::fail(void* ctx, const char* why) {
  static_cast<PluginHost*>(ctx)->words_ = why != nullptr ? why : "";
}

const void* PluginHost::service(void* ctx, const char* name) {
  return std::string_view(name) == "bench.trace/1" ? &static_cast<PluginHost*>(ctx)->trace_
                                                   : nullptr;
}

// ---- device
// -------------------------------------------------------------------------------------------

struct DeviceCalls {
  static DeviceTable& self(void* ctx) { return *static_cast<DeviceTable*>(ctx); }
  static void* allocate(void* ctx, uint64_t bytes) {
    void* memory = nullptr;
    guarded(self(ctx).host_, [&] { memory = self(ctx).device_.allocate(bytes); });
    return memory;
  }
  static void release(void* ctx, void* memory) { self(ctx).device_.release(memory); }
  static bench_status copy(void* ctx, bench_stream s, void* to, const void* from, uint64_t bytes) {
    return guarded(self(ctx).host_, [&] { self(ctx).device_.copy(stream_of(s), to, from, bytes); });
  }
  static bench_status fill(void* ctx, bench_stream s, void* to, int32_t byte, uint64_t bytes) {
    return guarded(self(ctx).host_, [&] { self(ctx).device_.fill(stream_of(s), to, byte, bytes); });
  }
  static bench_status synchronize(void* ctx, bench_stream s) {
    return guarded(self(ctx).host_, [&] { self(ctx).device_.synchronize(stream_of(s)); });
  }
  static bench_stream stream_create(void* ctx) {
    bench_stream made = nullptr;
    guarded(self(ctx).host_, [&] { made = self(ctx).device_.create_stream().native; });
    return made;
  }
  static void stream_destroy(void* ctx, bench_stream s) {
    self(ctx).device_.destroy_stream(stream_of(s));
  }
  static void* native_handle(void*, const char*) { return nullptr; }
};

DeviceTable::DeviceTable(Device& device, const PluginHost& host) : device_(device), host_(host) {
  const DeviceInfo& info = device.info();
  table_ = bench_device{.size = sizeof(bench_device),
                        .ctx = this,
                        .kind = name_of(info.kind),
                        .name = info.name.c_str(),
                        .index = info.index,
                        .threads = info.threads,
                        .last_level_cache_bytes = info.last_level_cache_bytes,
                        .memory_bytes = info.memory_bytes,
                        .allocate = DeviceCalls::allocate,
                        .release = DeviceCalls::release,
                        .copy = DeviceCalls::copy,
                        .fill = DeviceCalls::fill,
                        .synchronize = DeviceCalls::synchronize,
                        .stream_create = DeviceCalls::stream_create,
                        .stream_destroy = DeviceCalls::stream_destroy,
                        .native_handle = DeviceCalls::native_handle};
}

// ---- communicator
// -------------------------------------------------------------------------------------

struct CommCalls {
  static CommTable& self(void* ctx) { return *static_cast<CommTable*>(ctx); }
  static DType dtype(bench_dtype t) { return static_cast<DType>(t); }
  static ReduceOp reduce_op(bench_reduce_op op) { return static_cast<ReduceOp>(op); }
  static int64_t elements(uint64_t n) { return static_cast<int64_t>(n); }

  static bench_status barrier(void* ctx, bench_stream s) {
    return guarded(self(ctx).host_, [&] { self(ctx).comm_.barrier(stream_of(s)); });
  }
  static bench_status all_reduce(void* ctx, bench_stream s, const void* send, void* recv,
                                 uint64_t n, bench_dtype t, bench_reduce_op op) {
    return guarded(self(ctx).host_, [&] {
      self(ctx).comm_.all_reduce(stream_of(s), send, recv, elements(n), dtype(t), reduce_op(op));
    });
  }
  static bench_status reduce_scatter(void* ctx, bench_stream s, const void* send, void* recv,
                                     uint64_t n, bench_dtype t, bench_reduce_op op) {
    return guarded(self(ctx).host_, [&] {
      self(ctx).comm_.reduce_scatter(stream_of(s), send, recv, elements(n), dtype(t),
                                     reduce_op(op));
    });
  }
  static bench_status all_gather(void* ctx, bench_stream s, const void* send, void* recv,
                                 uint64_t n, bench_dtype t) {
    return guarded(self(ctx).host_, [&] {
      self(ctx).comm_.all_gather(stream_of(s), send, recv, elements(n), dtype(t));
    });
  }
  static bench_status broadcast(void* ctx, bench_stream s, void* buffer, uint64_t n, bench_dtype t,
                                int32_t root) {
    return guarded(self(ctx).host_, [&] {
      self(ctx).comm_.broadcast(stream_of(s), buffer, elements(n), dtype(t), root);
    });
  }
  static bench_status send(void* ctx, bench_stream s, const void* buffer, uint64_t n, bench_dtype t,
                           int32_t to, int32_t tag) {
    return guarded(self(ctx).host_, [&] {
      self(ctx).comm_.send(stream_of(s), buffer, elements(n), dtype(t), to, tag);
    });
  }
  static bench_status recv(void* ctx, bench_stream s, void* buffer, uint64_t n, bench_dtype t,
                           int32_t from, int32_t tag) {
    return guarded(self(ctx).host_, [&] {
      self(ctx).comm_.recv(stream_of(s), buffer, elements(n), dtype(t), from, tag);
    });
  }
  static bench_status exchange(void* ctx, bench_stream s, const bench_message* sends,
                               uint32_t send_count, const bench_message* receives,
                               uint32_t receive_count, bench_dtype t, int32_t tag) {
    return guarded(self(ctx).host_, [&] {
      std::vector<Outgoing> out;
      std::vector<Incoming> in;
      for (const bench_message& m : std::span(sends, send_count))
        out.push_back({.buffer = m.buffer, .count = elements(m.count), .to = m.peer});
      for (const bench_message& m : std::span(receives, receive_count))
        in.push_back({.buffer = m.buffer, .count = elements(m.count), .from = m.peer});
      self(ctx).comm_.exchange(stream_of(s), out, in, dtype(t), tag);
    });
  }
  static bench_status all_reduce_start(void* ctx, bench_stream s, const void* send, void* recv,
                                       uint64_t n, bench_dtype t, bench_reduce_op op,
                                       uint64_t* ticket) {
    return guarded(self(ctx).host_, [&] {
      *ticket = self(ctx).comm_.all_reduce_start(stream_of(s), send, recv, elements(n), dtype(t),
                                                 reduce_op(op));
    });
  }
  static bench_status reduce_scatter_start(void* ctx, bench_stream s, const void* send, void* recv,
                                           uint64_t n, bench_dtype t, bench_reduce_op op,
                                           uint64_t* ticket) {
    return guarded(self(ctx).host_, [&] {
      *ticket = self(ctx).comm_.reduce_scatter_start(stream_of(s), send, recv, elements(n),
                                                     dtype(t), reduce_op(op));
    });
  }
  static bench_status wait(void* ctx, bench_stream s, uint64_t ticket) {
    return guarded(self(ctx).host_, [&] { self(ctx).comm_.wait(stream_of(s), ticket); });
  }
  static bench_status split(void* ctx, int32_t color, int32_t key, const bench_comm** made) {
    return guarded(self(ctx).host_, [&] {
      auto table = std::make_unique<CommTable>(self(ctx).comm_.split(color, key), self(ctx).host_);
      *made = table.release()->table();
    });
  }
  static bench_status by_library_algorithm(void* ctx, const char* name, uint64_t n, bench_dtype t,
                                           const bench_comm** made) {
    return guarded(self(ctx).host_, [&] {
      auto table = std::make_unique<CommTable>(
          self(ctx).comm_.by_library_algorithm(name, elements(n), dtype(t)), self(ctx).host_);
      *made = table.release()->table();
    });
  }
  static void release(void* ctx) { delete &self(ctx); }
  static void* native_handle(void*, const char*) { return nullptr; }
};

CommTable::CommTable(Communicator& comm, const PluginHost& host)
    : comm_(comm), host_(host), kind_(comm.kind()) {
  table_ = bench_comm{.size = sizeof(bench_comm),
                      .ctx = this,
                      .rank = comm.rank(),
                      .ranks = comm.size(),
                      .capturable = comm.capturable() ? 1 : 0,
                      .kind = kind_.c_str(),
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
                      .by_library_algorithm = CommCalls::by_library_algorithm,
                      .reduce_scatter_start = CommCalls::reduce_scatter_start};
}

CommTable::CommTable(std::unique_ptr<Communicator> owned, const PluginHost& host)
    : CommTable(*owned, host) {
  owned_ = std::move(owned);
  table_.release = CommCalls::release;
}

}  // namespace bench::runner
