#include "bench/sdk/plugin.h"

#include <algorithm>
#include <charconv>

namespace bench::sdk {
namespace {

// One plugin a library: what BENCH_PLUGIN said, kept for create().
PluginFactory the_factory = nullptr;

// The plugin's state on the far side of the border.
struct Loaded {
  explicit Loaded(const bench_host* table)
      : host(table), tracer(host.trace()), plugin(the_factory()) {}
  Host host;
  HostTracer tracer;
  std::unique_ptr<Plugin> plugin;
};

struct Opened {
  Opened(Loaded& l, const bench_open_args& args)
      : host(l.host),
        device(*args.device),
        comm(*args.comm, /*owned=*/false),
        context{.device = device,
                .tracer = l.tracer,
                .stream = Stream{args.stream},
                .deterministic = Request(*args.request).is_on("deterministic", true)} {}
  Host host;
  HostDevice device;
  HostCommunicator comm;
  Context context;
  std::unique_ptr<Instance> instance;
  std::string detail;      // of the last check
  std::string model_name;  // of a training instance
};

template <class F>
bench_status guarded(const Host& host, F&& call) noexcept {
  try {
    call();
    return BENCH_OK;
  } catch (const UsageError& e) {
    host.fail(e.what());
    return BENCH_INVALID;
  } catch (const HostUnsupported&) {
    return BENCH_UNSUPPORTED;
  } catch (const Unsupported& e) {
    host.fail(e.what());
    return BENCH_UNSUPPORTED;
  } catch (const HostRefused&) {
    return BENCH_FAILED;
  } catch (const HostOutOfMemory&) {
    return BENCH_FAILED;
  } catch (const std::exception& e) {
    host.fail(e.what());
    return BENCH_FAILED;
  } catch (...) {
    host.fail("something that is no std::exception was thrown");
    return BENCH_FAILED;
  }
}

std::string number_text(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

// A Case as the ABI sees it, with the texts it points to.
class CaseView {
 public:
  explicit CaseView(const Case& c) {
    texts_.reserve(c.number_params.size());
    for (const auto& [key, text] : c.text_params)
      params_.push_back({.key = key.c_str(), .text = text.c_str(), .kind = BENCH_PARAM_TEXT});
    for (const auto& [key, value] : c.number_params) {
      texts_.push_back(number_text(value));
      params_.push_back(
          {.key = key.c_str(), .text = texts_.back().c_str(), .kind = BENCH_PARAM_NUMBER});
    }
    view_ = bench_case{.size = sizeof(bench_case),
                       .flags = (c.collective ? BENCH_CASE_COLLECTIVE : 0) |
                                (c.training ? BENCH_CASE_TRAINING : 0) |
                                (c.no_check ? BENCH_CASE_NO_CHECK : 0) |
                                (c.host_comm ? BENCH_CASE_HOST_COMM : 0),
                       .name = c.name.c_str(),
                       .params = params_.data(),
                       .param_count = static_cast<uint32_t>(params_.size()),
                       .dtype = static_cast<bench_dtype>(c.dtype),
                       .flops = c.flops,
                       .bytes = c.bytes,
                       .tokens = c.tokens,
                       .memory_bytes = c.memory_bytes,
                       .message_bytes = c.message_bytes,
                       .bus_factor = c.bus_factor,
                       .ceiling = c.ceiling,
                       .tensor_parallel = c.tensor_parallel,
                       .pipeline_parallel = c.pipeline_parallel,
                       .data_parallel = c.data_parallel,
                       .sequence_parallel = c.sequence_parallel ? 1 : 0,
                       .unavailable = c.unavailable.empty() ? nullptr : c.unavailable.c_str(),
                       .mode = c.cold ? BENCH_MODE_COLD : BENCH_MODE_HOT,
                       .flank = c.flank.empty() ? nullptr : c.flank.c_str()};
  }
  CaseView(const CaseView&) = delete;
  const bench_case* view() const { return &view_; }

 private:
  std::vector<std::string> texts_;
  std::vector<bench_param> params_;
  bench_case view_;
};

bench_status create(const bench_host* host, void** plugin) {
  return guarded(Host(host), [&] { *plugin = new Loaded(host); });
}

void destroy(void* plugin) { delete static_cast<Loaded*>(plugin); }

bench_status cases(void* plugin, const bench_request* request, bench_case_sink sink,
                   void* sink_ctx) {
  auto& loaded = *static_cast<Loaded*>(plugin);
  return guarded(loaded.host, [&] {
    for (const Case& c : loaded.plugin->cases(Request(*request)))
      sink(sink_ctx, CaseView(c).view());
  });
}

bench_status open(void* plugin, const bench_open_args* given, void** instance) {
  auto& loaded = *static_cast<Loaded*>(plugin);
  return guarded(loaded.host, [&] {
    const bench_open_args args = copy_sized(*given);
    const std::vector<Case> all = loaded.plugin->cases(Request(*args.request));
    const auto found = std::find_if(all.begin(), all.end(), [&](const Case& c) {
      return c.name == args.name && c.cold == (args.mode == BENCH_MODE_COLD);
    });
    if (found == all.end()) throw UsageError(std::string("there is no case '") + args.name + "'");
    auto opened = std::make_unique<Opened>(loaded, args);
    opened->instance = found->open({opened->context, opened->comm});
    *instance = opened.release();
  });
}

Opened& opened_of(void* instance) { return *static_cast<Opened*>(instance); }

bench_status enqueue(void* instance, int64_t n) {
  return guarded(opened_of(instance).host, [&] { opened_of(instance).instance->enqueue(n); });
}

bench_status check(void* instance, bench_check* found) {
  Opened& opened = opened_of(instance);
  return guarded(opened.host, [&] {
    const Check result = opened.instance->check();
    opened.detail = result.detail;
    found->passed = result.passed ? 1 : 0;
    found->error = result.error;
    found->tolerance = result.tolerance;
    found->detail = opened.detail.empty() ? nullptr : opened.detail.c_str();
  });
}

void close(void* instance) { delete &opened_of(instance); }

bench_status reset(void* instance) {
  return guarded(opened_of(instance).host, [&] { opened_of(instance).instance->reset(); });
}

bench_status values(void* instance, bench_value_sink sink, void* sink_ctx) {
  return guarded(opened_of(instance).host, [&] {
    for (const auto& [tag, value] : opened_of(instance).instance->values())
      sink(sink_ctx, tag.c_str(), value.value, value.unit.c_str());
  });
}

TrainingInstance& training_of(void* instance) {
  auto* training = dynamic_cast<TrainingInstance*>(opened_of(instance).instance.get());
  if (training == nullptr) throw std::logic_error("this case does not train");
  return *training;
}

bench_status describe(void* instance, bench_value_sink sink, void* sink_ctx,
                      const char** model_name) {
  Opened& opened = opened_of(instance);
  return guarded(opened.host, [&] {
    const TrainingInstance::Description d = training_of(instance).describe();
    opened.model_name = d.model;
    *model_name = opened.model_name.c_str();
    for (const auto& [key, value] : d.numbers) sink(sink_ctx, key.c_str(), value, "");
  });
}

bench_status trajectory(void* instance, double* losses, double* grad_norms, int64_t capacity,
                        int64_t* count) {
  return guarded(opened_of(instance).host, [&] {
    const std::vector<TrainingInstance::Step>& steps = training_of(instance).trajectory();
    *count = static_cast<int64_t>(steps.size());
    for (int64_t i = 0; i < std::min(capacity, *count); ++i) {
      losses[i] = steps[static_cast<size_t>(i)].loss;
      grad_norms[i] = steps[static_cast<size_t>(i)].grad_norm;
    }
  });
}

const bench_training kTraining = {
    .size = sizeof(bench_training), .describe = describe, .trajectory = trajectory};

const void* interface_by_name(void*, const char* name) {
  return std::string_view(name) == "bench.training/1" ? &kTraining : nullptr;
}

}  // namespace

const bench_plugin* make_table(const Identity& identity, PluginFactory factory) {
  the_factory = factory;
  static const bench_plugin table = {.size = sizeof(bench_plugin),
                                     .abi_major = BENCH_ABI_MAJOR,
                                     .abi_minor = BENCH_ABI_MINOR,
                                     .id = identity.id,
                                     .device = identity.device,
                                     .version = identity.version,
                                     .description = identity.description,
                                     .create = create,
                                     .destroy = destroy,
                                     .cases = cases,
                                     .open = open,
                                     .enqueue = enqueue,
                                     .check = check,
                                     .close = close,
                                     .reset = reset,
                                     .values = values,
                                     .interface_by_name = interface_by_name};
  return &table;
}

}  // namespace bench::sdk
