/* A plugin in C with the header alone: it adds one to each of its numbers. */
#include <bench/abi/bench_plugin.h>
#include <stdlib.h>

#define COUNT 1024

struct instance {
  const bench_device* device;
  float* numbers; /* COUNT, device memory */
  int64_t done;   /* iterations since open */
};

static bench_status create(const bench_host* host, void** plugin) {
  *plugin = (void*)host;
  return BENCH_OK;
}

static void destroy(void* plugin) { (void)plugin; }

static bench_status cases(void* plugin, const bench_request* request, bench_case_sink sink,
                          void* sink_ctx) {
  (void)plugin;
  (void)request;
  const bench_case increment = {
      .size = sizeof(bench_case),
      .name = "plain.increment",
      .dtype = BENCH_DTYPE_F32,
      .flops = COUNT,
      .bytes = 2.0 * COUNT * sizeof(float),
  };
  sink(sink_ctx, &increment);
  return BENCH_OK;
}

static bench_status open_case(void* plugin, const bench_open_args* args, void** made) {
  const bench_host* host = plugin;
  struct instance* self = calloc(1, sizeof(*self));
  if (self == NULL) {
    host->fail(host->ctx, "plain.increment: no memory");
    return BENCH_FAILED;
  }
  self->device = args->device;
  self->numbers = args->device->allocate(args->device->ctx, COUNT * sizeof(float));
  if (self->numbers == NULL) {
    free(self);
    return BENCH_FAILED;
  }
  for (int i = 0; i < COUNT; ++i) self->numbers[i] = (float)i;
  *made = self;
  return BENCH_OK;
}

static bench_status enqueue(void* instance, int64_t n) {
  struct instance* self = instance;
  for (int64_t iteration = 0; iteration < n; ++iteration) {
    for (int i = 0; i < COUNT; ++i) self->numbers[i] += 1.0f;
  }
  self->done += n;
  return BENCH_OK;
}

static bench_status reset(void* instance) {
  struct instance* self = instance;
  for (int i = 0; i < COUNT; ++i) self->numbers[i] = (float)i;
  self->done = 0;
  return BENCH_OK;
}

/* Sums above 2^24 stop growing in float, on both sides of the comparison alike. */
static float expected(int i, int64_t done) {
  const double limit = 16777216.0;
  const double sum = (double)i + (double)done;
  return (float)(sum < limit ? sum : limit);
}

static bench_status check(void* instance, bench_check* found) {
  const struct instance* self = instance;
  double error = 0.0;
  for (int i = 0; i < COUNT; ++i) {
    const double difference = (double)self->numbers[i] - (double)expected(i, self->done);
    if (difference > error) error = difference;
    if (-difference > error) error = -difference;
  }
  found->passed = error == 0.0;
  found->error = error;
  found->tolerance = 0.0;
  found->detail = NULL;
  return BENCH_OK;
}

static void close_case(void* instance) {
  struct instance* self = instance;
  self->device->release(self->device->ctx, self->numbers);
  free(self);
}

static const bench_plugin kPlugin = {
    .size = sizeof(bench_plugin),
    .abi_major = BENCH_ABI_MAJOR,
    .abi_minor = BENCH_ABI_MINOR,
    .id = "plain",
    .device = "cpu",
    .version = "1.0",
    .description = "increments, in C",
    .create = create,
    .destroy = destroy,
    .cases = cases,
    .open = open_case,
    .enqueue = enqueue,
    .check = check,
    .close = close_case,
    .reset = reset,
};

__attribute__((visibility("default"))) const bench_plugin* bench_plugin_entry(uint32_t host_major,
                                                                              uint32_t host_minor) {
  (void)host_major;
  (void)host_minor;
  return &kPlugin;
}
