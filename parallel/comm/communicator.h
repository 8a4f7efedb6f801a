#pragma once
// Ranks that work together. Counts are elements; buffers are memory of the device in use. Every
// call is collective over the communicator (send/recv: over the pair) and in stream order; send may
// equal recv (in place). Errors are thrown; after one the communicator is not usable any more.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bench/base/dtype.h"
#include "bench/base/status.h"
#include "bench/device/device.h"

namespace bench {

enum class ReduceOp : int32_t { sum = 0, max = 1, min = 2 };

// One message of an exchange.
struct Outgoing {
  const void* buffer;
  int64_t count;
  int to;
};
struct Incoming {
  void* buffer;
  int64_t count;
  int from;
};

class Communicator {
 public:
  // A started collective; 0 is "nothing to wait for".
  using Ticket = uint64_t;

  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string_view kind() const = 0;         // "self", "mpi", "threads", "nccl", "staged"
  virtual bool capturable() const { return false; }  // may be recorded into a CUDA graph

  virtual void barrier(Stream s) = 0;
  virtual void all_reduce(Stream s, const void* send, void* recv, int64_t count, DType,
                          ReduceOp) = 0;
  // send: size() * count elements, recv: count elements, rank r keeps block r.
  virtual void reduce_scatter(Stream s, const void* send, void* recv, int64_t count, DType,
                              ReduceOp) = 0;
  // send: count elements, recv: size() * count elements. In place: send == recv + rank() * count.
  virtual void all_gather(Stream s, const void* send, void* recv, int64_t count, DType) = 0;
  virtual void broadcast(Stream s, void* buffer, int64_t count, DType, int root) = 0;
  // A send may wait for its receipt. Messages of one tag between two ranks arrive in order; "nccl"
  // keeps the order of all and takes no notice of tags.
  virtual void send(Stream s, const void* buffer, int64_t count, DType, int to, int tag) = 0;
  virtual void recv(Stream s, void* buffer, int64_t count, DType, int from, int tag) = 0;

  // All messages of one step together: none waits for another one of the same call, so that two
  // ranks may send to each other. In stream order all are done at the end. Several from
  // one rank to another one are received in the order given; none to oneself.
  virtual void exchange(Stream s, std::span<const Outgoing> sends,
                        std::span<const Incoming> receives, DType, int tag) = 0;

  // Started form, for overlap with computation: the buffers belong to the communicator until wait,
  // after which the stream (not the host) may use the result. A communicator without a started form
  // of its own does all of it here.
  virtual Ticket all_reduce_start(Stream s, const void* send, void* recv, int64_t count,
                                  DType dtype, ReduceOp op) {
    all_reduce(s, send, recv, count, dtype, op);
    return 0;
  }
  virtual Ticket reduce_scatter_start(Stream s, const void* send, void* recv, int64_t count,
                                      DType dtype, ReduceOp op) {
    reduce_scatter(s, send, recv, count, dtype, op);
    return 0;
  }
  virtual void wait(Stream, Ticket) {}

  // Ranks that give the same color (>= 0) form a communicator, ordered by key, then by rank.
  virtual std::unique_ptr<Communicator> split(int color, int key) = 0;

  // The same ranks, with all-reduces by an algorithm that their library is told to take
  // (library_algorithms.h), seen to be taken for `count` elements. Collective. Throws Unsupported
  // where the library cannot be told, or takes another one for so many elements all the same.
  virtual std::unique_ptr<Communicator> by_library_algorithm(std::string_view, int64_t /*count*/,
                                                             DType) {
    throw Unsupported("a communicator of kind '" + std::string(kind()) +
                      "' has no algorithms to choose from: an MPI library's can be chosen");
  }

  // Typed short-hands, in place, on the default stream.
  template <class T>
  void all_reduce(T* buffer, int64_t count, ReduceOp op) {
    all_reduce(Stream{}, buffer, buffer, count, dtype_of<T>(), op);
  }
};

}  // namespace bench
