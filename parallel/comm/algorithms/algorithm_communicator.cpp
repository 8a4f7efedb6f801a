#include "parallel/comm/algorithms/algorithm_communicator.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bench/base/status.h"

namespace bench {
namespace {

using algorithms::Call;
using algorithms::Hosts;
using algorithms::HostWork;
using algorithms::LocalWork;

// Apart from the tags that callers of send and recv choose.
constexpr int kTag = 30001;

// Places of scratch memory: of the schedules, of a reduce-scatter's input.
constexpr size_t kScratch = 0, kWhole = 1;

// Ranks by host, hosts in the order of their first rank.
Hosts meet_hosts(Communicator& comm, uint64_t host, LocalWork& work) {
  std::vector<uint64_t> all(static_cast<size_t>(comm.size()));
  const size_t bytes = all.size() * sizeof host;
  auto* const mine = static_cast<uint64_t*>(work.scratch(kScratch, bytes + sizeof host));
  work.copy(Stream{}, mine, &host, sizeof host);
  comm.all_gather(Stream{}, mine, mine + 1, 1, DType::u64);
  work.copy(Stream{}, all.data(), mine + 1, bytes);
  work.wait(Stream{});
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

}  // namespace

AlgorithmCommunicator::AlgorithmCommunicator(Communicator& inner,
                                             const algorithms::AllReduce& algorithm, uint64_t host,
                                             std::shared_ptr<LocalWork> work)
    : OverMessages(inner),
      algorithm_(algorithm),
      messages_capturable_(inner.capturable()),
      host_(host),
      work_(work ? std::move(work) : std::make_shared<HostWork>()),
      hosts_(meet_hosts(inner, host, *work_)) {
  const Call call{.rank = rank(), .ranks = size(), .hosts = &hosts_};
  const std::string why = algorithm_.why_not(call);
  if (!why.empty()) throw Unsupported(std::string(algorithm_.name) + ": " + why);
}

AlgorithmCommunicator::AlgorithmCommunicator(std::unique_ptr<Communicator> inner,
                                             const algorithms::AllReduce& algorithm, uint64_t host,
                                             std::shared_ptr<LocalWork> work)
    : AlgorithmCommunicator(*inner, algorithm, host, std::move(work)) {
  keep(std::move(inner));
}

void AlgorithmCommunicator::run(algorithms::Schedule schedule, void* result, int64_t scratch,
                                DType dtype, ReduceOp op, Stream s) {
  const algorithms::Memory memory{.result = result,
                                  .scratch = work_->scratch(kScratch, bytes_of(scratch, dtype)),
                                  .dtype = dtype};
  runner_.run(std::move(schedule), memory, op, this->inner(), *work_, s, kTag);
}

void AlgorithmCommunicator::all_reduce(Stream s, const void* send, void* recv, int64_t count,
                                       DType dtype, ReduceOp op) {
  const Call call{.rank = rank(), .ranks = size(), .count = count, .hosts = &hosts_};
  if (recv != send) work_->copy(s, recv, send, bytes_of(count, dtype));
  run(algorithm_.schedule(call), recv, algorithm_.scratch(call), dtype, op, s);
}

// On a copy of the input, of which this rank's part is the outcome.
void AlgorithmCommunicator::reduce_scatter(Stream s, const void* send, void* recv, int64_t count,
                                           DType dtype, ReduceOp op) {
  const Call call{.rank = rank(), .ranks = size(), .count = count * size()};
  const size_t part = bytes_of(count, dtype);
  const size_t bytes = part * static_cast<size_t>(size());
  auto* const whole = static_cast<unsigned char*>(work_->scratch(kWhole, bytes));
  work_->copy(s, whole, send, bytes);
  run(ring_reduce_scatter(call), whole, count, dtype, op, s);
  work_->copy(s, recv, whole + part * static_cast<size_t>(rank()), part);
}

void AlgorithmCommunicator::all_gather(Stream s, const void* send, void* recv, int64_t count,
                                       DType dtype) {
  const Call call{.rank = rank(), .ranks = size(), .count = count * size()};
  const size_t part = bytes_of(count, dtype);
  auto* const mine = static_cast<unsigned char*>(recv) + part * static_cast<size_t>(rank());
  if (mine != send) work_->copy(s, mine, send, part);
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
      new AlgorithmCommunicator(inner().split(color, key), algorithm_, host_, work_));
}

}  // namespace bench
