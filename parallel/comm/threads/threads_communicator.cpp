#include "parallel/comm/threads/threads_communicator.h"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "parallel/comm/reduce.h"

namespace bench {
namespace {

using Bytes = std::vector<unsigned char>;

// One lock for a whole family of communicators: a rank that fails can wake all, wherever they wait.
struct Family {
  std::mutex mutex;
  std::condition_variable changed;
  bool broken = false;

  void check() const {
    if (broken) throw std::runtime_error("another rank failed");
  }
};

// What the ranks of one communicator share.
struct Hub {
  Hub(std::shared_ptr<Family> f, int n) : family(std::move(f)), size(n), shown(n), made(n) {}
  std::shared_ptr<Family> family;
  int size;
  int arrived = 0;
  int64_t generation = 0;
  std::vector<const void*> shown;          // what each rank shows the others between two meetings
  std::vector<std::shared_ptr<Hub>> made;  // by split
  std::map<std::tuple<int, int, int>, std::deque<Bytes>> mail;  // (from, to, tag)

  // Returns when all ranks have come.
  void meet() {
    std::unique_lock lock(family->mutex);
    family->check();
    const int64_t mine = generation;
    if (++arrived == size) {
      arrived = 0;
      ++generation;
      family->changed.notify_all();
      return;
    }
    family->changed.wait(lock, [&] { return generation != mine || family->broken; });
    if (generation == mine) family->check();
  }
};

class ThreadsCommunicator final : public Communicator {
 public:
  ThreadsCommunicator(std::shared_ptr<Hub> hub, int rank) : hub_(std::move(hub)), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return hub_->size; }
  std::string_view kind() const override { return "threads"; }
  void barrier(Stream) override { hub_->meet(); }

  void all_reduce(Stream, const void* send, void* recv, int64_t count, DType dtype,
                  ReduceOp op) override {
    exchange(
        send, [&] { return reduced(0, count, dtype, op); }, recv);
  }
  void reduce_scatter(Stream, const void* send, void* recv, int64_t count, DType dtype,
                      ReduceOp op) override {
    exchange(
        send, [&] { return reduced(rank_ * count, count, dtype, op); }, recv);
  }
  void all_gather(Stream, const void* send, void* recv, int64_t count, DType dtype) override {
    const size_t bytes = static_cast<size_t>(count) * size_of(dtype);
    exchange(
        send,
        [&] {
          Bytes all(bytes * static_cast<size_t>(size()));
          for (int r = 0; r < size() && bytes > 0; ++r)
            std::memcpy(all.data() + bytes * static_cast<size_t>(r), shown(r), bytes);
          return all;
        },
        recv);
  }
  void broadcast(Stream, void* buffer, int64_t count, DType dtype, int root) override {
    if (root < 0 || root >= size()) throw std::invalid_argument("broadcast: there is no such root");
    const size_t bytes = static_cast<size_t>(count) * size_of(dtype);
    exchange(
        buffer, [&] { return Bytes(shown(root), shown(root) + bytes); }, buffer);
  }

  void send(Stream, const void* buffer, int64_t count, DType dtype, int to, int tag) override {
    check_peer(to, "send");
    const auto* first = static_cast<const unsigned char*>(buffer);
    const std::lock_guard lock(hub_->family->mutex);
    hub_->family->check();
    hub_->mail[{rank_, to, tag}].emplace_back(first,
                                              first + static_cast<size_t>(count) * size_of(dtype));
    hub_->family->changed.notify_all();
  }
  void recv(Stream, void* buffer, int64_t count, DType dtype, int from, int tag) override {
    check_peer(from, "recv");
    std::unique_lock lock(hub_->family->mutex);
    auto& box = hub_->mail[{from, rank_, tag}];
    hub_->family->changed.wait(lock, [&] { return !box.empty() || hub_->family->broken; });
    if (box.empty()) hub_->family->check();
    if (box.front().size() != static_cast<size_t>(count) * size_of(dtype))
      throw std::runtime_error("recv: the message has another length");
    if (count > 0) std::memcpy(buffer, box.front().data(), box.front().size());
    box.pop_front();
  }

  // A send here never waits.
  void exchange(Stream s, std::span<const Outgoing> sends, std::span<const Incoming> receives,
                DType dtype, int tag) override {
    for (const Outgoing& m : sends) send(s, m.buffer, m.count, dtype, m.to, tag);
    for (const Incoming& m : receives) recv(s, m.buffer, m.count, dtype, m.from, tag);
  }

  std::unique_ptr<Communicator> split(int color, int key) override {
    const std::pair<int, int> mine{color, key};
    hub_->shown[static_cast<size_t>(rank_)] = &mine;
    hub_->meet();
    int before = 0, members = 0, leader = -1;
    for (int r = 0; r < size(); ++r) {
      const auto theirs =
          *static_cast<const std::pair<int, int>*>(hub_->shown[static_cast<size_t>(r)]);
      if (theirs.first != color) continue;
      if (leader < 0) leader = r;
      ++members;
      if (std::pair(theirs.second, r) < std::pair(key, rank_)) ++before;
    }
    if (leader == rank_)
      hub_->made[static_cast<size_t>(rank_)] = std::make_shared<Hub>(hub_->family, members);
    hub_->meet();
    auto made = hub_->made[static_cast<size_t>(leader)];
    hub_->meet();
    return std::make_unique<ThreadsCommunicator>(std::move(made), before);
  }

 private:
  void check_peer(int rank, const char* doing) const {
    if (rank < 0 || rank >= size())
      throw std::invalid_argument(std::string(doing) + ": there is no rank " +
                                  std::to_string(rank));
  }

  const unsigned char* shown(int rank) const {
    return static_cast<const unsigned char*>(hub_->shown[static_cast<size_t>(rank)]);
  }

  // Shows `mine` to all, makes the result from what all show, and writes it when nobody looks any
  // more.
  template <class Make>
  void exchange(const void* mine, Make&& make, void* to) {
    hub_->shown[static_cast<size_t>(rank_)] = mine;
    hub_->meet();
    const Bytes result = make();
    hub_->meet();
    if (!result.empty()) std::memcpy(to, result.data(), result.size());
  }

  // Elements [first, first + count) reduced over the ranks, in rank order.
  Bytes reduced(int64_t first, int64_t count, DType dtype, ReduceOp op) const {
    const size_t offset = static_cast<size_t>(first) * size_of(dtype);
    if (count == 0) return {};
    Bytes sum(shown(0) + offset, shown(0) + offset + static_cast<size_t>(count) * size_of(dtype));
    for (int r = 1; r < hub_->size; ++r)
      reduce_into(sum.data(), shown(r) + offset, count, dtype, op);
    return sum;
  }

  std::shared_ptr<Hub> hub_;
  int rank_;
};

}  // namespace

void run_ranks(int ranks, const std::function<void(Communicator&)>& fn) {
  const auto family = std::make_shared<Family>();
  const auto hub = std::make_shared<Hub>(family, ranks);
  std::exception_ptr first;
  const auto play = [&](int rank) {
    try {
      ThreadsCommunicator comm(hub, rank);
      fn(comm);
    } catch (...) {
      const std::lock_guard lock(family->mutex);
      if (!family->broken) first = std::current_exception();
      family->broken = true;
      family->changed.notify_all();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int r = 0; r < ranks; ++r) threads.emplace_back(play, r);
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace bench
