#include "parallel/comm/algorithms/algorithm_communicator.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <stdexcept>

#include "bench/base/status.h"

namespace bench {
namespace {

using algorithms::Call;
using algorithms::Hosts;

// Apart from the tags that callers of send and recv choose.
constexpr int kTag = 30001;

// Ranks by host, hosts in the order of their first rank.
Hosts meet_hosts(Communicator& comm, uint64_t host) {
  std::vector<uint64_t> all(static_cast<size_t>(comm.size()));
  comm.all_gather(Stream{}, &host, all.data(), 1, DType::u64);
  std::map<uint64_t, size_t> known;
  Hosts hosts;
  for (int r = 0; r < comm.size(); ++r) {
    const auto [at, is_new] = known.emplace(all[static_cast<size_t>(r)], hosts.size());
    if (is_new) hosts.emplace_back();
    hosts[at->second].push_back(r);
  }
  return hosts;
}

size_t bytes_of(int64_t count, DType dtype) { return static_cast<size_t>(count) * size_of(dtype); }

void copy_bytes(void* to, const void* from, size_t bytes) {
  if (to != from && bytes > 0) std::memcpy(to, from, bytes);
}

void grow(std::vector<unsigned char>& memory, size_t bytes) {
  if (memory.size() < bytes) memory.resize(bytes);
}

}  // namespace

AlgorithmCommunicator::AlgorithmCommunicator(Communicator& inner,
                                             const algorithms::AllReduce& algorithm, uint64_t host)
    : inner_(inner), algorithm_(algorithm), host_(host), hosts_(meet_hosts(inner, host)) {
  const Call call{.rank = rank(), .ranks = size(), .hosts = &hosts_};
  const std::string why = algorithm_.why_not(call);
  if (!why.empty()) throw Unsupported(std::string(algorithm_.name) + ": " + why);
}

AlgorithmCommunicator::AlgorithmCommunicator(std::unique_ptr<Communicator> inner,
                                             const algorithms::AllReduce& algorithm, uint64_t host)
    : AlgorithmCommunicator(*inner, algorithm, host) {
  owned_ = std::move(inner);
}

void AlgorithmCommunicator::run(algorithms::Schedule schedule, void* result, int64_t scratch,
                                DType dtype, ReduceOp op, Stream s) {
  grow(scratch_, bytes_of(scratch, dtype));
  const algorithms::Memory memory{.result = result, .scratch = scratch_.data(), .dtype = dtype};
  runner_.run(std::move(schedule), memory, op, inner_, s, kTag);
}

void AlgorithmCommunicator::all_reduce(Stream s, const void* send, void* recv, int64_t count,
                                       DType dtype, ReduceOp op) {
  const Call call{.rank = rank(), .ranks = size(), .count = count, .hosts = &hosts_};
  copy_bytes(recv, send, bytes_of(count, dtype));
  run(algorithm_.schedule(call), recv, algorithm_.scratch(call), dtype, op, s);
}

// On a copy of the input, of which this rank's part is the outcome.
void AlgorithmCommunicator::reduce_scatter(Stream s, const void* send, void* recv, int64_t count,
                                           DType dtype, ReduceOp op) {
  const Call call{.rank = rank(), .ranks = size(), .count = count * size()};
  const size_t part = bytes_of(count, dtype);
  grow(whole_, part * static_cast<size_t>(size()));
  copy_bytes(whole_.data(), send, part * static_cast<size_t>(size()));
  run(ring_reduce_scatter(call), whole_.data(), count, dtype, op, s);
  copy_bytes(recv, whole_.data() + part * static_cast<size_t>(rank()), part);
}

void AlgorithmCommunicator::all_gather(Stream s, const void* send, void* recv, int64_t count,
                                       DType dtype) {
  const Call call{.rank = rank(), .ranks = size(), .count = count * size()};
  const size_t part = bytes_of(count, dtype);
  copy_bytes(static_cast<unsigned char*>(recv) + part * static_cast<size_t>(rank()), send, part);
  run(ring_all_gather(call), recv, 0, dtype, ReduceOp::sum, s);
}

// The tree starts at rank 0: ranks are counted from the root.
void AlgorithmCommunicator::broadcast(Stream s, void* buffer, int64_t count, DType dtype,
                                      int root) {
  if (root < 0 || root >= size()) throw std::invalid_argument("broadcast: there is no such root");
  std::vector<int> members(static_cast<size_t>(size()));
  for (int i = 0; i < size(); ++i) members[static_cast<size_t>(i)] = (root + i) % size();
  const Call call{.rank = (rank() + size() - root) % size(), .ranks = size(), .count = count};
  run(among(binomial_broadcast(call), std::move(members), 0), buffer, 0, dtype, ReduceOp::sum, s);
}

std::unique_ptr<Communicator> AlgorithmCommunicator::split(int color, int key) {
  return std::unique_ptr<Communicator>(
      new AlgorithmCommunicator(inner_.split(color, key), algorithm_, host_));
}

}  // namespace bench
