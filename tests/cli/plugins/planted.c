/* Cases with planted faults and known lengths, for tests of the program as a whole. Sets:
 *   wrong  a case whose check fails
 *   fails  a case whose second iteration fails on the last rank
 *   hang   rank 1 never comes back
 *   late   an iteration takes 20 ms and more
 *   holds  holds 3 MiB of the device's memory
 *   spin   spins for seeded, jittered lengths and writes the true ones to the file
 *          PLANTED_RECORD.<rank>, one line an enqueue
 *   ceilings  spins for the same length every time
 *   shaped    spins; its parameters are what --axis and --variant say, each of which may come once
 * "cold-" in front of a set's name makes its case a cold one, "flanked-" flanks it by ceilings, and
 * "lost-" by what is not there. PLANTED_CEILING is "wrong"
 * where the check of ceilings is to fail, "flips" where every second call is to take five times as
 * long. PLANTED_SPIN_US is the length of a spin in
 * microseconds, PLANTED_SLOW_RANK a rank that takes twice as long. Built against the header of
 * another version where PLANTED_HEADER names it. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef PLANTED_HEADER
#include PLANTED_HEADER
#else
#include "bench/abi/bench_plugin.h"
#endif

#ifndef PLANTED_ID
#define PLANTED_ID "planted"
#endif
#ifndef PLANTED_DEVICE
#define PLANTED_DEVICE "cpu"
#endif

#define HELD_BYTES (3u << 20)

typedef struct instance {
  char what[16];
  const bench_comm* comm;
  const bench_device* device;
  void* held;
  double spin_s;
  uint64_t random;
  int64_t calls;
  FILE* record;
  double* lengths; /* of the enqueues so far, written on closing: writing takes a microsecond */
  int64_t enqueues;
} instance;

static const bench_host* the_host;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bench_status create(const bench_host* host, void** plugin) {
  the_host = host;
  *plugin = NULL;
  return BENCH_OK;
}
static void destroy(void* plugin) { (void)plugin; }

#define MOST_PARAMS 8
#define MOST_ENQUEUES 100000

/* Makes parameters of the options "axis" and "variant" (key=text). Returns how many; -1: one of
 * them came twice. */
static int read_params(const bench_request* request, bench_param* params, char keys[][32]) {
  int count = 0;
  for (uint32_t i = 0; i < request->option_count && count < MOST_PARAMS; ++i) {
    const bench_param* option = &request->options[i];
    const int axis = strcmp(option->key, "axis") == 0;
    if (!axis && strcmp(option->key, "variant") != 0) continue;
    const char* equals = strchr(option->text, '=');
    snprintf(keys[count], 32, "%.*s", (int)(equals - option->text), option->text);
    for (int k = 0; k < count; ++k)
      if (strcmp(keys[k], keys[count]) == 0) return -1;
    params[count].key = keys[count];
    params[count].text = equals + 1;
    params[count].kind = axis ? BENCH_PARAM_NUMBER : BENCH_PARAM_TEXT;
    ++count;
  }
  return count;
}

static bench_status cases(void* plugin, const bench_request* request, bench_case_sink sink,
                          void* sink_ctx) {
  (void)plugin;
  bench_param params[MOST_PARAMS];
  char keys[MOST_PARAMS][32];
  char name[64];
  snprintf(name, sizeof name, "planted.%s", request->set);
  const char* differ =
      getenv("PLANTED_EXTRA_CASE"); /* given to one rank only: the ranks disagree */
  bench_case c = {.size = sizeof c, .flags = BENCH_CASE_COLLECTIVE, .name = name};
  if (strcmp(request->set, "shaped") == 0) {
    const int count = read_params(request, params, keys);
    if (count < 0) {
      the_host->fail(the_host->ctx, "a list reached the plugin");
      return BENCH_INVALID;
    }
    c.params = params, c.param_count = (uint32_t)count;
  }
#if BENCH_ABI_MINOR >= 1
  if (strstr(request->set, "cold-") != NULL) c.mode = BENCH_MODE_COLD;
  if (strstr(request->set, "flanked-") != NULL) c.flank = "planted.ceilings", c.bytes = 2e6;
  if (strstr(request->set, "lost-") != NULL) c.flank = "planted.nowhere", c.bytes = 2e6;
  if (strcmp(request->set, "ceilings") == 0) c.bytes = 1e6;
#endif
  sink(sink_ctx, &c);
  if (differ != NULL) {
    c.name = "planted.extra";
    sink(sink_ctx, &c);
  }
  return BENCH_OK;
}

static bench_status open_case(void* plugin, const bench_open_args* args, void** made) {
  (void)plugin;
  instance* self = calloc(1, sizeof *self);
  const char* dash = strrchr(args->name, '-');
  snprintf(self->what, sizeof self->what, "%s", (dash ? dash : strchr(args->name, '.')) + 1);
  self->comm = args->comm;
  self->device = args->device;
  if (strcmp(self->what, "holds") == 0)
    self->held = args->device->allocate(args->device->ctx, HELD_BYTES);
  self->random = 88172645463325252ull + (uint64_t)args->comm->rank;
  const char* us = getenv("PLANTED_SPIN_US");
  self->spin_s = us != NULL ? 1e-6 * atof(us) : 1e-5;
  const char* slow = getenv("PLANTED_SLOW_RANK");
  if (slow != NULL && atoi(slow) == args->comm->rank) self->spin_s *= 2;
  const char* record = getenv("PLANTED_RECORD");
  if (record != NULL) {
    char path[512];
    snprintf(path, sizeof path, "%s.%d", record, args->comm->rank);
    self->record = fopen(path, "w");
    self->lengths = malloc(MOST_ENQUEUES * sizeof *self->lengths);
  }
  *made = self;
  return BENCH_OK;
}

/* xorshift: uniform in [-1, 1] */
static double jitter(instance* self) {
  self->random ^= self->random << 13;
  self->random ^= self->random >> 7;
  self->random ^= self->random << 17;
  return (double)(int64_t)self->random / 9.3e18;
}

static int ceiling_does(const instance* self, const char* what) {
  const char* asked = getenv("PLANTED_CEILING");
  return strcmp(self->what, "ceilings") == 0 && asked != NULL && strcmp(asked, what) == 0;
}

static int flips(const instance* self) {
  return ceiling_does(self, "flips") && self->calls % 2 == 1;
}

static void spin(instance* self, int64_t n) {
  const double begin = now_s();
  for (int64_t i = 0; i < n; ++i) {
    const double swing = strcmp(self->what, "ceilings") == 0 ? 0 : 0.2 * jitter(self);
    const double start = now_s(), length = self->spin_s * (flips(self) ? 5 : 1 + swing);
    while (now_s() - start < length) {
    }
  }
  if (self->record != NULL && self->enqueues < MOST_ENQUEUES)
    self->lengths[self->enqueues++] = (now_s() - begin) / (double)n;
}

static bench_status enqueue(void* instance_, int64_t n) {
  instance* self = instance_;
  self->calls += n;
  if (strcmp(self->what, "hang") == 0 && self->comm->rank == 1) sleep(1000);
  if (strcmp(self->what, "hang") == 0) return self->comm->barrier(self->comm->ctx, NULL);
  if (strcmp(self->what, "late") == 0) usleep(20000);
  if (strcmp(self->what, "fails") == 0 && self->comm->rank == self->comm->ranks - 1 &&
      self->calls > 1) {
    the_host->fail(the_host->ctx, "the planted failure");
    return BENCH_FAILED;
  }
  spin(self, n);
  return BENCH_OK;
}

static bench_status check(void* instance_, bench_check* found) {
  instance* self = instance_;
  found->passed = strcmp(self->what, "wrong") != 0 && !ceiling_does(self, "wrong");
  found->error = found->passed ? 0.0 : 0.5;
  found->tolerance = 1e-6;
  found->detail = found->passed ? NULL : "element 3: got 0.5, expected 0";
  return BENCH_OK;
}

static void close_case(void* instance_) {
  instance* self = instance_;
  if (self->record != NULL) {
    for (int64_t i = 0; i < self->enqueues; ++i) fprintf(self->record, "%.12g\n", self->lengths[i]);
    fclose(self->record);
  }
  if (self->held != NULL) self->device->release(self->device->ctx, self->held);
  free(self->lengths);
  free(self);
}

static const bench_plugin kPlugin = {.size = sizeof(bench_plugin),
                                     .abi_major = BENCH_ABI_MAJOR,
                                     .abi_minor = BENCH_ABI_MINOR,
                                     .id = PLANTED_ID,
                                     .device = PLANTED_DEVICE,
                                     .version = "1",
                                     .description = "planted faults and known lengths",
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
