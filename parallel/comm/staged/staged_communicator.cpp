#include "parallel/comm/staged/staged_communicator.h"

#include <algorithm>
#include <utility>

#include "parallel/comm/self/self_communicator.h"

namespace bench {
namespace {

constexpr size_t kLargestElement = 8;  // bytes

// Calls piece(first element, elements) until all are done.
template <class Piece>
void in_pieces_of(int64_t most, int64_t count, Piece&& piece) {
  for (int64_t first = 0; first < count; first += most) piece(first, std::min(most, count - first));
}

}  // namespace

// The memory is made here, because calls between two timed marks must not allocate.
StagedCommunicator::StagedCommunicator(Communicator& host, Device& device, int64_t staging_bytes)
    : host_(host),
      device_(device),
      staging_bytes_(staging_bytes),
      staging_(std::max(static_cast<size_t>(staging_bytes),
                        static_cast<size_t>(2 * host.size()) * kLargestElement)) {}

StagedCommunicator::StagedCommunicator(std::unique_ptr<Communicator> host, Device& device,
                                       int64_t staging_bytes)
    : StagedCommunicator(*host, device, staging_bytes) {
  owned_ = std::move(host);
}

// How many elements of each of so many parts are in flight together.
int64_t StagedCommunicator::elements_at_once(DType dtype, int parts) const {
  const auto bytes = static_cast<int64_t>(size_of(dtype)) * parts;
  return std::max<int64_t>(1, staging_bytes_ / bytes);
}

// Where part `part` of `count` elements each stands.
void* StagedCommunicator::staged(int64_t part, int64_t count, DType dtype) {
  return staging_.data() + static_cast<size_t>(part * count) * size_of(dtype);
}

void StagedCommunicator::fetch(Stream s, const void* from, int64_t element, int64_t part,
                               int64_t count, DType dtype) {
  const size_t offset = static_cast<size_t>(element) * size_of(dtype);
  device_.copy(s, staged(part, count, dtype), static_cast<const unsigned char*>(from) + offset,
               static_cast<size_t>(count) * size_of(dtype));
}

void StagedCommunicator::store(Stream s, void* to, int64_t element, int64_t part, int64_t count,
                               DType dtype) {
  const size_t offset = static_cast<size_t>(element) * size_of(dtype);
  device_.copy(s, static_cast<unsigned char*>(to) + offset, staged(part, count, dtype),
               static_cast<size_t>(count) * size_of(dtype));
}

void StagedCommunicator::barrier(Stream s) {
  device_.synchronize(s);
  host_.barrier(Stream{});
}

// Every call ends with the stream idle: the staging memory is the next call's, on whatever stream.
void StagedCommunicator::all_reduce(Stream s, const void* send, void* recv, int64_t count,
                                    DType dtype, ReduceOp op) {
  in_pieces_of(elements_at_once(dtype, 1), count, [&](int64_t first, int64_t n) {
    fetch(s, send, first, 0, n, dtype);
    device_.synchronize(s);
    host_.all_reduce(Stream{}, staging_.data(), staging_.data(), n, dtype, op);
    store(s, recv, first, 0, n, dtype);
    device_.synchronize(s);
  });
}

// In place, a piece overwrites only what was fetched with it or before: the result's places are
// those of block 0.
void StagedCommunicator::reduce_scatter(Stream s, const void* send, void* recv, int64_t count,
                                        DType dtype, ReduceOp op) {
  in_pieces_of(elements_at_once(dtype, size()), count, [&](int64_t first, int64_t n) {
    for (int r = 0; r < size(); ++r) fetch(s, send, r * count + first, r, n, dtype);
    device_.synchronize(s);
    host_.reduce_scatter(Stream{}, staging_.data(), staging_.data(), n, dtype, op);
    store(s, recv, first, 0, n, dtype);
    device_.synchronize(s);
  });
}

void StagedCommunicator::all_gather(Stream s, const void* send, void* recv, int64_t count,
                                    DType dtype) {
  in_pieces_of(elements_at_once(dtype, size()), count, [&](int64_t first, int64_t n) {
    fetch(s, send, first, rank(), n, dtype);
    device_.synchronize(s);
    host_.all_gather(Stream{}, staged(rank(), n, dtype), staging_.data(), n, dtype);
    for (int r = 0; r < size(); ++r) store(s, recv, r * count + first, r, n, dtype);
    device_.synchronize(s);
  });
}

void StagedCommunicator::broadcast(Stream s, void* buffer, int64_t count, DType dtype, int root) {
  in_pieces_of(elements_at_once(dtype, 1), count, [&](int64_t first, int64_t n) {
    if (rank() == root) {
      fetch(s, buffer, first, 0, n, dtype);
      device_.synchronize(s);
    }
    host_.broadcast(Stream{}, staging_.data(), n, dtype, root);
    if (rank() != root) {
      store(s, buffer, first, 0, n, dtype);
      device_.synchronize(s);
    }
  });
}

void StagedCommunicator::send(Stream s, const void* buffer, int64_t count, DType dtype, int to,
                              int tag) {
  in_pieces_of(elements_at_once(dtype, 1), count, [&](int64_t first, int64_t n) {
    fetch(s, buffer, first, 0, n, dtype);
    device_.synchronize(s);
    host_.send(Stream{}, staging_.data(), n, dtype, to, tag);
  });
}

void StagedCommunicator::recv(Stream s, void* buffer, int64_t count, DType dtype, int from,
                              int tag) {
  in_pieces_of(elements_at_once(dtype, 1), count, [&](int64_t first, int64_t n) {
    host_.recv(Stream{}, staging_.data(), n, dtype, from, tag);
    store(s, buffer, first, 0, n, dtype);
    device_.synchronize(s);
  });
}

// Each message has a slot for a piece of it, of a size that both of its ends know.
void StagedCommunicator::exchange_pieces(Stream s, int64_t first, std::span<const Outgoing> sends,
                                         std::span<const Incoming> receives, DType dtype, int tag) {
  const int64_t most = elements_at_once(dtype, 2 * size());
  const auto left = [&](int64_t count) { return std::min(most, count - first); };
  // The first piece goes also where there is nothing in it.
  const auto takes_part = [&](int64_t count) { return first == 0 || first < count; };
  std::vector<Outgoing> out;
  std::vector<Incoming> in, places;
  int64_t slot = 0;
  for (const Outgoing& m : sends) {
    if (!takes_part(m.count)) continue;
    void* piece = staged(slot++, most, dtype);
    const size_t offset = static_cast<size_t>(first) * size_of(dtype);
    device_.copy(s, piece, static_cast<const unsigned char*>(m.buffer) + offset,
                 static_cast<size_t>(left(m.count)) * size_of(dtype));
    out.push_back({.buffer = piece, .count = left(m.count), .to = m.to});
  }
  for (const Incoming& m : receives) {
    if (!takes_part(m.count)) continue;
    in.push_back({.buffer = staged(slot++, most, dtype), .count = left(m.count), .from = m.from});
    places.push_back(m);
  }
  device_.synchronize(s);
  host_.exchange(Stream{}, out, in, dtype, tag);
  for (size_t i = 0; i < in.size(); ++i) {
    const size_t offset = static_cast<size_t>(first) * size_of(dtype);
    device_.copy(s, static_cast<unsigned char*>(places[i].buffer) + offset, in[i].buffer,
                 static_cast<size_t>(in[i].count) * size_of(dtype));
  }
  device_.synchronize(s);
}

void StagedCommunicator::exchange(Stream s, std::span<const Outgoing> sends,
                                  std::span<const Incoming> receives, DType dtype, int tag) {
  int64_t longest = 0;
  for (const Outgoing& m : sends) longest = std::max(longest, m.count);
  for (const Incoming& m : receives) longest = std::max(longest, m.count);
  exchange_pieces(s, 0, sends, receives, dtype, tag);
  const int64_t most = elements_at_once(dtype, 2 * size());
  for (int64_t first = most; first < longest; first += most)
    exchange_pieces(s, first, sends, receives, dtype, tag);
}

std::unique_ptr<Communicator> StagedCommunicator::split(int color, int key) {
  auto part = host_.split(color, key);
  if (part->size() == 1) return std::make_unique<SelfCommunicator>(device_);
  return std::make_unique<StagedCommunicator>(std::move(part), device_, staging_bytes_);
}

}  // namespace bench
