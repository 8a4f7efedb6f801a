/* The smallest plugin there can be, in plain C, with one thing wrong as the build's macros say:
 * PLUGIN_ID its name, PLUGIN_MAJOR the ABI it claims, PLUGIN_CREATE what create returns. */
#include <stddef.h>

#include "bench/abi/bench_plugin.h"

static bench_status create(const bench_host* host, void** plugin) {
  *plugin = NULL;
  if (PLUGIN_CREATE != BENCH_OK) host->fail(host->ctx, "the planted create refuses");
  return PLUGIN_CREATE;
}
static void destroy(void* plugin) { (void)plugin; }
static bench_status cases(void* plugin, const bench_request* request, bench_case_sink sink,
                          void* sink_ctx) {
  (void)plugin, (void)request, (void)sink, (void)sink_ctx;
  return BENCH_OK;
}
static bench_status open_case(void* plugin, const bench_open_args* args, void** instance) {
  (void)plugin, (void)args, (void)instance;
  return BENCH_FAILED;
}
static bench_status enqueue(void* instance, int64_t n) {
  (void)instance, (void)n;
  return BENCH_FAILED;
}
static bench_status check(void* instance, bench_check* found) {
  (void)instance, (void)found;
  return BENCH_FAILED;
}
static void close_case(void* instance) { (void)instance; }

static const bench_plugin kPlugin = {.size = sizeof(bench_plugin),
                                     .abi_major = PLUGIN_MAJOR,
                                     .abi_minor = BENCH_ABI_MINOR,
                                     .id = PLUGIN_ID,
                                     .device = "cpu",
                                     .version = "1",
                                     .description = "a planted plugin",
                                     .create = create,
                                     .destroy = destroy,
                                     .cases = cases,
                                     .open = open_case,
                                     .enqueue = enqueue,
                                     .check = check,
                                     .close = close_case};

__attribute__((visibility("default"))) const bench_plugin* bench_plugin_entry(uint32_t major,
                                                                              uint32_t minor) {
  (void)major, (void)minor;
  return &kPlugin;
}
