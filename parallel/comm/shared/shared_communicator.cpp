#include "parallel/comm/shared/shared_communicator.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "parallel/comm/self/self_communicator.h"
#include "parallel/comm/shared/sums.h"

namespace bench {
namespace {

// A slot holds a piece of every rank's part.
constexpr size_t kSlotBytes = size_t{512} << 10;
// Sums of so many bytes are made in a core's nearest cache and stored from there to two places.
constexpr size_t kBlockBytes = 8192;
// How much of a slot tells how fast another rank's writes arrive.
constexpr size_t kProbeBytes = 4096;
// Between cores that share a cache the probe's lines came in 0.13 us (30 GB/s), between others in
// 0.48 us (8 GB/s), where this was measured; writing to lines that the other holds is slower still.
constexpr double kNearBytesPerSecond = 12e9;
// Vectors up to this are exchanged whole: one meeting instead of two.
constexpr size_t kSmallBytes = 4096;

unsigned char* at(void* base, int64_t element, DType dtype) {
  return static_cast<unsigned char*>(base) + static_cast<size_t>(element) * size_of(dtype);
}
const unsigned char* at(const void* base, int64_t element, DType dtype) {
  return static_cast<const unsigned char*>(base) + static_cast<size_t>(element) * size_of(dtype);
}
size_t bytes_of(int64_t count, DType dtype) { return static_cast<size_t>(count) * size_of(dtype); }

size_t counters_bytes(int ranks) { return sizeof(shared::Counter) * static_cast<size_t>(ranks); }

}  // namespace

// Part r of the vector is elements [begin(r), begin(r + 1)), reduced by rank r; pieces are taken of
// all parts at once. Where parts differ in length by one, the longest says how many pieces.
struct SharedCommunicator::Call {
  const void* send;
  void* recv;
  int64_t count;  // of the whole vector
  int ranks;
  DType dtype;
  ReduceOp op;
  bool scatter;      // recv is this rank's part alone
  bool past_caches;  // store results so

  int64_t begin(int r) const { return count * r / ranks; }
  int64_t length(int r) const { return begin(r + 1) - begin(r); }
  int64_t longest() const { return (count + ranks - 1) / ranks; }
  // Elements of a part that go at once.
  int64_t piece() const { return static_cast<int64_t>(kSlotBytes / size_of(dtype)) / ranks; }
  int64_t in_piece(int r, int64_t first) const {
    return std::clamp<int64_t>(length(r) - first, 0, piece());
  }
};

SharedCommunicator::SharedCommunicator(Communicator& inner, int64_t past_caches_bytes)
    : OverMessages(inner),
      past_caches_bytes_(past_caches_bytes),
      segment_(inner,
               counters_bytes(inner.size()) + 2 * kSlotBytes * static_cast<size_t>(inner.size())),
      meeting_(reinterpret_cast<shared::Counter*>(segment_.data()), inner.rank(), inner.size()),
      operands_(static_cast<size_t>(inner.size())) {}

SharedCommunicator::SharedCommunicator(std::unique_ptr<Communicator> inner,
                                       int64_t past_caches_bytes)
    : SharedCommunicator(*inner, past_caches_bytes) {
  keep(std::move(inner));
}

unsigned char* SharedCommunicator::slot(int rank, uint64_t turn) const {
  return segment_.data() + counters_bytes(size()) +
         (static_cast<size_t>(rank) * 2 + turn % 2) * kSlotBytes;
}

void SharedCommunicator::store(void* to, const void* from, size_t bytes, bool past_caches) const {
  if (past_caches)
    shared::copy_past_caches(to, from, bytes);
  else
    std::memcpy(to, from, bytes);
}

// Everybody adds everything, in rank order: all get the same bits.
void SharedCommunicator::small_all_reduce(const void* send, void* recv, int64_t count, DType dtype,
                                          ReduceOp op) {
  const uint64_t turn = turn_++;
  std::memcpy(slot(rank(), turn), send, bytes_of(count, dtype));
  meeting_.meet();
  for (int r = 0; r < size(); ++r) operands_[static_cast<size_t>(r)] = slot(r, turn);
  shared::reduce_all(recv, operands_, count, dtype, op);
}

// This rank's contributions to the others' parts, side by side in its slot. The end of a first
// piece goes through the caches in any case: it is what the reader's probe looks at.
void SharedCommunicator::give_parts(const Call& call, int64_t first, uint64_t turn) {
  for (int r = 0; r < size(); ++r) {
    const int64_t n = call.in_piece(r, first);
    if (r == rank() || n == 0) continue;
    unsigned char* to = at(slot(rank(), turn), r * call.piece(), call.dtype);
    const unsigned char* from = at(call.send, call.begin(r) + first, call.dtype);
    const size_t bytes = bytes_of(n, call.dtype);
    const size_t probed = first == 0 ? std::min(bytes, kProbeBytes) : 0;
    store(to, from, bytes - probed, !near_);
    std::memcpy(to + bytes - probed, from + bytes - probed, probed);
  }
}

// Reads the end of what the next rank gave for this one, line by line, against the clock. Which
// cores ranks run on can change while they run.
void SharedCommunicator::probe(const Call& call, uint64_t turn) {
  const size_t bytes = bytes_of(call.in_piece(rank(), 0), call.dtype);
  if (bytes < kProbeBytes) return;
  const unsigned char* place =
      at(slot((rank() + 1) % size(), turn), rank() * call.piece(), call.dtype) + bytes -
      kProbeBytes;
  const auto start = std::chrono::steady_clock::now();
  unsigned seen = 0;
  for (size_t i = 0; i < kProbeBytes; i += 64) seen += place[i];
  asm volatile("" : : "r"(seen));  // the reads are the purpose
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  near_ = static_cast<double>(kProbeBytes) > kNearBytesPerSecond * taken.count();
}

// The sum takes the place of nothing that others still read: it goes where this rank's own
// contribution would be.
void SharedCommunicator::reduce_mine(const Call& call, int64_t first, uint64_t turn) {
  const int64_t n = call.in_piece(rank(), first), place = rank() * call.piece();
  for (int r = 0; r < size(); ++r)
    operands_[static_cast<size_t>(r)] = at(slot(r, turn), place, call.dtype);
  operands_[static_cast<size_t>(rank())] = at(call.send, call.begin(rank()) + first, call.dtype);
  unsigned char* sum = at(slot(rank(), turn), place, call.dtype);
  unsigned char* into = at(call.recv, (call.scatter ? 0 : call.begin(rank())) + first, call.dtype);
  alignas(64) std::array<unsigned char, kBlockBytes> block;
  const int64_t step = static_cast<int64_t>(kBlockBytes / size_of(call.dtype));
  for (int64_t i = 0; i < n; i += step) {
    const int64_t m = std::min(step, n - i);
    const size_t bytes = bytes_of(m, call.dtype), offset = bytes_of(i, call.dtype);
    shared::reduce_all(block.data(), operands_, m, call.dtype, call.op);
    store(into + offset, block.data(), bytes, call.past_caches);
    if (!call.scatter) store(sum + offset, block.data(), bytes, !near_);
    for (const void*& operand : operands_) operand = at(operand, m, call.dtype);
  }
}

void SharedCommunicator::take_parts(const Call& call, int64_t first, uint64_t turn) {
  for (int r = 0; r < size(); ++r) {
    const int64_t n = call.in_piece(r, first);
    if (r == rank() || n == 0) continue;
    store(at(call.recv, call.begin(r) + first, call.dtype),
          at(slot(r, turn), r * call.piece(), call.dtype), bytes_of(n, call.dtype),
          call.past_caches);
  }
}

// One meeting a piece: while a piece's sums are waited for, the next piece's contributions are
// already there. A slot is written again two meetings later, when everybody has read it.
void SharedCommunicator::reduce(const Call& call) {
  const int64_t step = call.piece(), longest = call.longest();
  give_parts(call, 0, turn_);
  meeting_.meet();
  probe(call, turn_);
  for (int64_t first = 0; first < longest; first += step) {
    const uint64_t turn = turn_++;
    reduce_mine(call, first, turn);
    if (first + step < longest) give_parts(call, first + step, turn + 1);
    meeting_.meet();
    if (!call.scatter) take_parts(call, first, turn);
  }
}

void SharedCommunicator::all_reduce(Stream, const void* send, void* recv, int64_t count,
                                    DType dtype, ReduceOp op) {
  if (count == 0) return;
  const size_t bytes = bytes_of(count, dtype);
  if (bytes <= kSmallBytes) return small_all_reduce(send, recv, count, dtype, op);
  reduce({.send = send,
          .recv = recv,
          .count = count,
          .ranks = size(),
          .dtype = dtype,
          .op = op,
          .scatter = false,
          .past_caches = static_cast<int64_t>(bytes) >= past_caches_bytes_});
}

void SharedCommunicator::reduce_scatter(Stream, const void* send, void* recv, int64_t count,
                                        DType dtype, ReduceOp op) {
  if (count == 0) return;
  reduce({.send = send,
          .recv = recv,
          .count = count * size(),
          .ranks = size(),
          .dtype = dtype,
          .op = op,
          .scatter = true,
          .past_caches = static_cast<int64_t>(bytes_of(count, dtype)) >= past_caches_bytes_});
}

void SharedCommunicator::all_gather(Stream, const void* send, void* recv, int64_t count,
                                    DType dtype) {
  const int64_t step = static_cast<int64_t>(kSlotBytes / size_of(dtype));
  const bool past_caches =
      static_cast<int64_t>(bytes_of(count * size(), dtype)) >= past_caches_bytes_;
  for (int64_t first = 0; first < count; first += step) {
    const uint64_t turn = turn_++;
    const size_t bytes = bytes_of(std::min(step, count - first), dtype);
    store(slot(rank(), turn), at(send, first, dtype), bytes, !near_);
    meeting_.meet();
    for (int r = 0; r < size(); ++r) {
      unsigned char* to = at(recv, r * count + first, dtype);
      if (r != rank())
        store(to, slot(r, turn), bytes, past_caches);
      else if (to != at(send, first, dtype))
        store(to, at(send, first, dtype), bytes, past_caches);
    }
  }
}

void SharedCommunicator::broadcast(Stream, void* buffer, int64_t count, DType dtype, int root) {
  if (root < 0 || root >= size()) throw std::invalid_argument("broadcast: there is no such root");
  const int64_t step = static_cast<int64_t>(kSlotBytes / size_of(dtype));
  const bool past_caches = static_cast<int64_t>(bytes_of(count, dtype)) >= past_caches_bytes_;
  for (int64_t first = 0; first < count; first += step) {
    const uint64_t turn = turn_++;
    const size_t bytes = bytes_of(std::min(step, count - first), dtype);
    if (rank() == root) store(slot(root, turn), at(buffer, first, dtype), bytes, !near_);
    meeting_.meet();
    if (rank() != root) store(at(buffer, first, dtype), slot(root, turn), bytes, past_caches);
  }
}

std::unique_ptr<Communicator> SharedCommunicator::split(int color, int key) {
  std::unique_ptr<Communicator> part = inner().split(color, key);
  if (part->size() == 1) return std::make_unique<SelfCommunicator>();
  return std::unique_ptr<Communicator>(new SharedCommunicator(std::move(part), past_caches_bytes_));
}

}  // namespace bench
