#pragma once
// What NCCL calls in a profiler plugin, version 3 of that interface (NCCL 2.26 and later; newer
// ones go on taking it), as far as events of collectives go. Plain C: the layout is NCCL's. Needs
// nothing of NCCL's, so that the plugin loads where NCCL does.

#include <cstddef>
#include <cstdint>

extern "C" {

// Bits of the mask that a plugin sets: which events it wants.
inline constexpr int kNcclProfileCollective = 1 << 1;

struct NcclCollectiveEvent {
  const char* comm_name;
  uint64_t comm_hash, sequence;
  const char* function;  // "AllReduce"
  const void* send;
  void* receive;
  size_t count;
  int root;
  const char* datatype;
  uint8_t most_channels, warps;
  const char* algorithm;  // "RING"
  const char* protocol;   // "LL128"
};

struct NcclEvent {
  uint8_t type;  // one of the bits
  void* parent;
  int rank;
  NcclCollectiveEvent collective;  // where that is its type: the first and longest of a union
};

// Every function returns 0, NCCL's success.
struct NcclProfilerV3 {
  const char* name;
  // `mask` stays NCCL's: what is written there later counts from then on.
  int (*init)(void** context, int* mask);
  int (*start_event)(void* context, void** handle, NcclEvent* event);
  int (*stop_event)(void* handle);
  int (*record_state)(void* handle, int state, void* arguments);
  int (*finalize)(void* context);
};

}  // extern "C"
