/* bench plugin ABI, version 1.2: the one contract between the program that measures (the host) and
 * the code that is measured (a plugin).
 *
 * Why C: a plugin may be built by another compiler, another C++ library or in another language.
 * Nothing of C++ crosses this border: no exceptions, no enums (their width is the compiler's
 * choice), no std types.
 *
 * Growth: every struct starts with its `size` in bytes as its writer knew it; a reader copies
 * min(size, sizeof) into a zeroed struct of its own. A new major version may change anything; a new
 * minor version only appends members. Optional features are found by name (service,
 * interface_by_name), so that a struct does not have to grow for each of them.
 *
 * Ownership: who makes it frees it. Strings and structs handed over in a call are borrowed for that
 * call only, unless the function says otherwise.
 *
 * Threads: each function's comment ends with a tag. [main] = called only on the thread that called
 * the entry point; [any] = from any thread.
 *
 * Manners of a plugin: it never exits, never prints to stdout, never initialises MPI, installs no
 * signal handler, and leaves no thread behind (OpenMP's pool excepted).
 */
#ifndef BENCH_ABI_BENCH_PLUGIN_H_
#define BENCH_ABI_BENCH_PLUGIN_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_ABI_MAJOR 1
#define BENCH_ABI_MINOR 3

/* Name of the only symbol a plugin exports, of type bench_plugin_entry_fn. */
#define BENCH_PLUGIN_ENTRY_NAME "bench_plugin_entry"

/* ---- status: what every fallible call returns
 * ------------------------------------------------------ */
typedef int32_t bench_status;
#define BENCH_OK 0
#define BENCH_FAILED 1      /* it went wrong: bench_host.fail was given the words */
#define BENCH_UNSUPPORTED 2 /* cannot be done here (not an error of anybody): the words say why */
/* The request makes no sense (heads not divisible by tp …): a usage error. */
#define BENCH_INVALID 3

/* ---- numbers used for kinds
 * ------------------------------------------------------------------------ */
typedef int32_t bench_dtype;
#define BENCH_DTYPE_F32 0
#define BENCH_DTYPE_BF16 1
#define BENCH_DTYPE_F64 2
#define BENCH_DTYPE_I32 3
#define BENCH_DTYPE_I64 4
#define BENCH_DTYPE_U8 5
#define BENCH_DTYPE_U64 6

typedef int32_t bench_reduce_op;
#define BENCH_REDUCE_SUM 0
#define BENCH_REDUCE_MAX 1
#define BENCH_REDUCE_MIN 2

typedef int32_t bench_log_level;
#define BENCH_LOG_DEBUG 0
#define BENCH_LOG_INFO 1
#define BENCH_LOG_WARNING 2
#define BENCH_LOG_ERROR 3

/* How a parameter's text is to be written in JSON. */
typedef int32_t bench_param_kind;
#define BENCH_PARAM_TEXT 0
#define BENCH_PARAM_NUMBER 1
#define BENCH_PARAM_BOOLEAN 2 /* "true" or "false" */

typedef struct bench_param {
  const char* key;
  const char* text; /* a number is written in C locale, as JSON writes it */
  bench_param_kind kind;
} bench_param;

/* A stream of a device: work given to one stream runs in order. NULL is the default stream; on a
 * CPU every stream is "now, on the calling thread". */
typedef void* bench_stream;

/* ---- what the host offers
 * -------------------------------------------------------------------------- */

typedef struct bench_host {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  void* ctx;
  /* Writes one line to the host's log (stderr, with rank). [any] */
  void (*log)(void* ctx, bench_log_level level, const char* text);
  /* Says why the call now running is about to return something else than BENCH_OK: what was wrong,
   * where, and what to do. The last words win. [main] */
  void (*fail)(void* ctx, const char* why);
  /* A service by name and version, or NULL where this host has none of it: "bench.trace/1"
   * (bench_trace). Valid as long as the plugin. [main] */
  const void* (*service)(void* ctx, const char* name);
} bench_host;

/* Service "bench.trace/1": named ranges, shown in NVTX tools and kept by the host to say where a
 * rank is. */
typedef struct bench_trace {
  uint32_t size;
  void* ctx;
  /* Opens a range. `name` must live until pop; `payload` is a number shown beside it (a layer, a
   * micro-batch). Cheap when nobody listens. [main] */
  void (*push)(void* ctx, bench_stream stream, const char* name, int64_t payload);
  /* Closes the range opened last. [main] */
  void (*pop)(void* ctx, bench_stream stream);
  /* Since 1.1. 1 while the host adds up the time in each range: a plugin that replays recorded
   * work, in which no ranges are seen, then runs it piece by piece instead. [main] */
  int32_t (*recording)(void* ctx);
} bench_trace;

/* Where a case runs. */
typedef struct bench_device {
  uint32_t size;
  void* ctx;
  const char* kind; /* "cpu" or "cuda" */
  const char* name; /* "AMD EPYC …" */
  int32_t index;
  int32_t threads; /* CPU threads this rank may use */
  uint64_t last_level_cache_bytes;
  uint64_t memory_bytes; /* this rank's share of the device's memory */
  /* Memory of the device, aligned to 64 bytes, content undefined; NULL when there is none left
   * (fail has been given the words). Never called while a case is enqueued. [main] */
  void* (*allocate)(void* ctx, uint64_t bytes);
  void (*release)(void* ctx, void* memory); /* [main] */
  /* Copies in stream order; either side may be host or device memory. [main] */
  bench_status (*copy)(void* ctx, bench_stream s, void* to, const void* from, uint64_t bytes);
  /* Sets bytes in stream order. [main] */
  bench_status (*fill)(void* ctx, bench_stream s, void* to, int32_t byte, uint64_t bytes);
  /* Returns when everything given to the stream has finished. [main] */
  bench_status (*synchronize)(void* ctx, bench_stream s);
  bench_stream (*stream_create)(void* ctx);          /* [main] */
  void (*stream_destroy)(void* ctx, bench_stream s); /* [main] */
  /* The driver's own object (a CUstream for "stream"), or NULL. [main] */
  void* (*native_handle)(void* ctx, const char* what);
} bench_device;

/* One message of bench_comm.exchange. What is sent is only read. */
typedef struct bench_message {
  void* buffer;
  uint64_t count;
  int32_t peer;
} bench_message;

/* The ranks that run a case together. Counts are elements; buffers are memory of the case's device.
 * Calls are collective over the communicator and in stream order: on return the work has been given
 * to the stream, and only the stream may be assumed to wait for it. send may equal recv (in place).
 */
typedef struct bench_comm {
  uint32_t size;
  void* ctx;
  int32_t rank;
  int32_t ranks;
  int32_t capturable; /* may be recorded into a CUDA graph */
  const char* kind;   /* "self", "mpi", "threads", "nccl", "staged" (through host memory) */
  bench_status (*barrier)(void* ctx, bench_stream s); /* [main] */
  bench_status (*all_reduce)(void* ctx, bench_stream s, const void* send, void* recv,
                             uint64_t count, bench_dtype dtype, bench_reduce_op op); /* [main] */
  /* send: ranks * count elements, recv: count. [main] */
  bench_status (*reduce_scatter)(void* ctx, bench_stream s, const void* send, void* recv,
                                 uint64_t count, bench_dtype dtype, bench_reduce_op op);
  /* send: count elements, recv: ranks * count. [main] */
  bench_status (*all_gather)(void* ctx, bench_stream s, const void* send, void* recv,
                             uint64_t count, bench_dtype dtype);
  bench_status (*broadcast)(void* ctx, bench_stream s, void* buffer, uint64_t count,
                            bench_dtype dtype, int32_t root); /* [main] */
  bench_status (*send)(void* ctx, bench_stream s, const void* buffer, uint64_t count,
                       bench_dtype dtype, int32_t to, int32_t tag); /* [main] */
  bench_status (*recv)(void* ctx, bench_stream s, void* buffer, uint64_t count, bench_dtype dtype,
                       int32_t from, int32_t tag); /* [main] */
  /* Started form of all_reduce, for overlap: the buffers are the communicator's until wait has been
   * called with the ticket. [main] */
  bench_status (*all_reduce_start)(void* ctx, bench_stream s, const void* send, void* recv,
                                   uint64_t count, bench_dtype dtype, bench_reduce_op op,
                                   uint64_t* ticket);
  bench_status (*wait)(void* ctx, bench_stream s, uint64_t ticket); /* [main] */
  /* Ranks that give the same color form a new communicator, ordered by key. Free with release. Not
   * while timed. [main] */
  bench_status (*split)(void* ctx, int32_t color, int32_t key, const struct bench_comm** made);
  void (*release)(void* ctx); /* only for communicators made by another one [main] */
  void* (*native_handle)(void* ctx, const char* what); /* [main] */
  /* Since 1.2. All messages of one step together: none waits for another one of the same call.
   * Several from one rank to another one are received in the order given; none to oneself. [main]
   */
  bench_status (*exchange)(void* ctx, bench_stream s, const bench_message* sends,
                           uint32_t send_count, const bench_message* receives,
                           uint32_t receive_count, bench_dtype dtype, int32_t tag);
  /* Since 1.2. The same ranks, with all-reduces by an algorithm that their library is told to take
   * ("ring", …) and was seen to take for `count` elements; else BENCH_UNSUPPORTED. Free with
   * release. Not while timed. [main] */
  bench_status (*by_library_algorithm)(void* ctx, const char* name, uint64_t count,
                                       bench_dtype dtype, const struct bench_comm** made);
  /* Since 1.3. Started form of reduce_scatter, as all_reduce_start. [main] */
  bench_status (*reduce_scatter_start)(void* ctx, bench_stream s, const void* send, void* recv,
                                       uint64_t count, bench_dtype dtype, bench_reduce_op op,
                                       uint64_t* ticket);
} bench_comm;

/* ---- what is asked of a plugin
 * --------------------------------------------------------------------- */

/* What the user (or the suite) wants of this plugin. */
typedef struct bench_request {
  uint32_t size;
  const char* suite;  /* "smoke", "kernels", … */
  const char* set;    /* which of the plugin's case sets; "" = its default set */
  const char* device; /* "cpu" or "cuda" */
  const char* dtype;  /* "f32" or "bf16" */
  int32_t ranks;      /* how many ranks will run the cases together */
  int32_t threads;    /* CPU threads of this rank */
  uint64_t seed;
  uint64_t last_level_cache_bytes;
  /* The run's options by their names, without dashes ("model", "micro-batch"). "variant" (text
   * "op=name") and "axis" (text "key=number") may be there several times, once an op or key: lists
   * of the user's come as a request each. An axis sets the case parameter of its name. */
  const bench_param* options;
  uint32_t option_count;
} bench_request;

#define BENCH_CASE_COLLECTIVE 1u /* its enqueue communicates; all ranks must run the same count */
/* An iteration is an optimizer step: interface "bench.training/1". */
#define BENCH_CASE_TRAINING 2u
#define BENCH_CASE_NO_CHECK 4u /* it cannot be checked: reported as unverified */
/* Since 1.2. On CPUs it wants the host's own communicator, whatever the run's ranks would otherwise
 * use: it compares ways to communicate. */
#define BENCH_CASE_HOST_COMM 8u

/* What a ceiling case measures. */
typedef int32_t bench_ceiling;
#define BENCH_CEILING_NONE 0
#define BENCH_CEILING_GEMM 1 /* highest FLOP rate wins */
#define BENCH_CEILING_COPY 2 /* highest byte rate wins */

/* In which state of the caches a case is timed (since 1.1). */
typedef int32_t bench_mode;
#define BENCH_MODE_HOT 0 /* iterations follow each other; a training case: its step */
/* Before every sample, which is one iteration, the host pushes everything out of the caches. */
#define BENCH_MODE_COLD 1

/* One thing that can be timed. A request names each (name, mode) once. */
typedef struct bench_case {
  uint32_t size;
  uint32_t flags;   /* BENCH_CASE_… */
  const char* name; /* dotted, [A-Za-z0-9._-]: gpt2.layer.mlp.fc1.fwd */
  const bench_param* params;
  uint32_t param_count;
  bench_dtype dtype;
  double
      flops; /* this rank's floating-point operations of one iteration; 0 = none worth counting */
  double bytes;         /* this rank's declared memory traffic of one iteration; 0 = not declared */
  double tokens;        /* tokens of one iteration over all ranks; 0 = none */
  double memory_bytes;  /* device memory while open, this rank; 0 = small */
  double message_bytes; /* a collective's size S in algbw = S/t; 0 = none */
  double bus_factor;    /* busbw / algbw, as nccl-tests defines it */
  bench_ceiling ceiling;
  int32_t tensor_parallel, pipeline_parallel, data_parallel; /* 0 = no layout */
  int32_t sequence_parallel;                                 /* 0 or 1 */
  const char* unavailable; /* NULL, or why this case cannot run here: it is reported as skipped */
  /* Since 1.1. The host adds it to the parameters as "mode", unless a hot case brings one. */
  bench_mode mode;
  /* Since 1.1. NULL, or the name of a case of this plugin's set "ceilings" that is timed around
   * every pair of samples (flank, this, this, flank; single iterations of the same mode), because
   * a memory's speed may change within seconds. Both declare their bytes. */
  const char* flank;
} bench_case;

/* Takes one case; copies what it keeps. [main] */
typedef void (*bench_case_sink)(void* sink_ctx, const bench_case* c);

/* What check found. error and tolerance are in the check's own measure; NaN error means "not
 * finite". */
typedef struct bench_check {
  uint32_t size;
  int32_t passed;
  double error;
  double tolerance;
  const char* detail; /* NULL or the first wrong place in words; lives until the next call on the
                         instance */
} bench_check;

/* A number worth reporting beside the time. */
typedef void (*bench_value_sink)(void* sink_ctx, const char* tag, double value, const char* unit);

typedef struct bench_open_args {
  uint32_t size;
  const bench_request* request; /* equal to the one `cases` was called with */
  const char* name;             /* which of the cases */
  const bench_device* device;   /* valid until close */
  const bench_comm* comm;       /* valid until close */
  bench_stream stream;          /* where enqueue has to put its work */
  bench_mode mode;              /* since 1.1: which of the cases of that name */
} bench_open_args;

typedef struct bench_plugin {
  uint32_t size;
  uint32_t abi_major; /* BENCH_ABI_MAJOR of the plugin's build */
  uint32_t abi_minor;
  const char* id;     /* equals the file name's: <id>.<device>.so */
  const char* device; /* "cpu" or "cuda" */
  const char* version;
  const char* description; /* one line */
  /* Makes the plugin's state. The host's table lives until destroy. [main] */
  bench_status (*create)(const bench_host* host, void** plugin);
  void (*destroy)(void* plugin); /* [main] */
  /* Hands every case that the request means to the sink, also those that cannot run here. Every
   * rank is given the same request and must name the same cases. Allocates nothing large. [main] */
  bench_status (*cases)(void* plugin, const bench_request* request, bench_case_sink sink,
                        void* sink_ctx);
  /* Allocates and fills one case. After a failed open nothing is closed. [main] */
  bench_status (*open)(void* plugin, const bench_open_args* args, void** instance);
  /* Puts n iterations into the stream. Allocates nothing, logs nothing, does not synchronise.
   * [main] */
  bench_status (*enqueue)(void* instance, int64_t n);
  /* Compares what the last enqueue left in the timed buffers with an oracle. [main] */
  bench_status (*check)(void* instance, bench_check* found);
  void (*close)(void* instance); /* [main] */
  /* Back to the state after open. NULL: iterations do not depend on each other. [main] */
  bench_status (*reset)(void* instance);
  /* Extra values of the iterations run so far. NULL: none. [main] */
  bench_status (*values)(void* instance, bench_value_sink sink, void* sink_ctx);
  /* A named interface of this plugin or NULL: "bench.training/1" (bench_training). NULL pointer:
   * none. [main] */
  const void* (*interface_by_name)(void* plugin, const char* name);
} bench_plugin;

/* Interface "bench.training/1" of a plugin whose cases carry BENCH_CASE_TRAINING. */
typedef struct bench_training {
  uint32_t size;
  /* The model as key/value, for the report. The keys layers, hidden, heads, seq, vocab,
   * padded_vocab, micro_batch, global_batch and parameters are always there. [main] */
  bench_status (*describe)(void* instance, bench_value_sink sink, void* sink_ctx,
                           const char** model_name);
  /* Loss (mean over the tokens of the step, before the update) and global gradient norm (before
   * clipping) of the steps since open or reset, oldest first, at most `capacity`; *count = how many
   * there are. [main] */
  bench_status (*trajectory)(void* instance, double* losses, double* grad_norms, int64_t capacity,
                             int64_t* count);
} bench_training;

/* The exported symbol. Returns a table that lives as long as the library, whatever host_major is:
 * the host refuses what it cannot use. [main] */
typedef const bench_plugin* (*bench_plugin_entry_fn)(uint32_t host_major, uint32_t host_minor);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_ABI_BENCH_PLUGIN_H_ */
