#include "parallel/comm/virtual/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace bench::simulated {

using algorithms::Local;
using algorithms::Round;
using algorithms::Transfer;

World::World(const Network& network, int ranks, int64_t element_bytes,
             const std::function<algorithms::Schedule(int rank)>& schedule_of)
    : network_(network), element_bytes_(element_bytes), done_s_(static_cast<size_t>(ranks)) {
  for (int r = 0; r < ranks; ++r) ranks_.push_back({.schedule = schedule_of(r)});
}

void World::carry(std::vector<algorithms::Memory> memory, ReduceOp op) {
  memory_ = std::move(memory);
  op_ = op;
}

// Rounds without transfers do their work at once.
void World::begin_round(int rank) {
  Rank& r = ranks_[static_cast<size_t>(rank)];
  r.round = r.schedule.next();
  r.sent = r.received = 0;
  if (r.round == nullptr)
    done_s_[static_cast<size_t>(rank)] = std::max(r.send_free_s, r.receive_free_s);
  else if (finished(r))
    end_round(rank);
  else
    ready_.push_back(rank);
}

bool World::finished(const Rank& r) const {
  return r.sent == r.round->sends.size() && r.received == r.round->receives.size();
}

void World::end_round(int rank) {
  Rank& r = ranks_[static_cast<size_t>(rank)];
  double now = std::max(r.send_free_s, r.receive_free_s);
  for (const Local& local : r.round->locals) {
    if (local.kind == Local::Kind::reduce)
      now += static_cast<double>(local.from.count * element_bytes_) * network_.gamma_s_per_byte;
    if (!memory_.empty()) do_local(local, memory_[static_cast<size_t>(rank)], op_, host_, Stream{});
  }
  r.send_free_s = r.receive_free_s = now;
  begin_round(rank);
}

void World::deliver(int from, int to, size_t send, size_t receive) {
  Rank &a = ranks_[static_cast<size_t>(from)], &b = ranks_[static_cast<size_t>(to)];
  const Transfer &given = a.round->sends[send], &taken = b.round->receives[receive];
  if (given.span.count != taken.span.count)
    throw std::logic_error(fmt::format("rank {} sends {} elements to rank {}, which expects {}",
                                       from, given.span.count, to, taken.span.count));
  const int64_t bytes = given.span.count * element_bytes_;
  const double end =
      std::max(a.send_free_s, b.receive_free_s) + network_.message_s(from, to, bytes);
  a.send_free_s = b.receive_free_s = end;
  if (!memory_.empty())
    std::memcpy(memory_[static_cast<size_t>(to)].at(taken.span),
                memory_[static_cast<size_t>(from)].at(given.span), static_cast<size_t>(bytes));
  ++messages_;
}

// The next message of a rank, where its other end waits for just that one.
void World::try_send(int from) {
  Rank& a = ranks_[static_cast<size_t>(from)];
  if (a.round == nullptr || a.sent == a.round->sends.size()) return;
  const int to = a.round->sends[a.sent].peer;
  Rank& b = ranks_[static_cast<size_t>(to)];
  if (b.round == nullptr || b.received == b.round->receives.size()) return;
  if (b.round->receives[b.received].peer != from) return;
  deliver(from, to, a.sent, b.received);
  ++a.sent;
  ++b.received;
  ready_.push_back(from);
  ready_.push_back(to);
}

// Whatever a rank's place makes possible: its own next message, and the next one of the rank that
// it waits for.
void World::advance(int rank) {
  const Rank& r = ranks_[static_cast<size_t>(rank)];
  if (r.round == nullptr) return;
  try_send(rank);
  if (r.received < r.round->receives.size()) try_send(r.round->receives[r.received].peer);
}

double World::run() {
  for (int r = 0; r < static_cast<int>(ranks_.size()); ++r) begin_round(r);
  while (!ready_.empty()) {
    const int rank = ready_.back();
    ready_.pop_back();
    const Rank& r = ranks_[static_cast<size_t>(rank)];
    if (r.round != nullptr && finished(r))
      end_round(rank);
    else
      advance(rank);
  }
  for (size_t r = 0; r < ranks_.size(); ++r)
    if (ranks_[r].round != nullptr)
      throw std::logic_error(fmt::format("rank {} waits for ever", r));
  return *std::max_element(done_s_.begin(), done_s_.end());
}

}  // namespace bench::simulated
