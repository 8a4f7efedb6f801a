#include "bench/world/watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <sstream>
#include <thread>

#include "bench/base/status.h"
#include "bench/world/sockets.h"
#include "parallel/comm/strings.h"

namespace bench {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
constexpr int kBeatMs = 200;
constexpr double kConnectSeconds = 5;

SteadyTime now() { return std::chrono::steady_clock::now(); }
double seconds_since(SteadyTime t) { return std::chrono::duration<double>(now() - t).count(); }

// The last whole line of what has come; what is left of a next one stays in `pending`.
std::string last_line(std::string& pending) {
  const size_t end = pending.rfind('\n');
  if (end == std::string::npos) return {};
  const size_t before = end == 0 ? std::string::npos : pending.rfind('\n', end - 1);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  std::string line = pending.substr(begin, end - begin);
  pending.erase(0, end + 1);
  return line;
}

// Everything that can be read now. False when the other side is gone.
bool read_some(int fd, std::string& into) {
  char chunk[4096];
  for (;;) {
    const ssize_t n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n == 0) return false;
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    into.append(chunk, static_cast<size_t>(n));
  }
}

void write_line(int fd, const std::string& line) {
  // A full buffer means that the other side is not reading: it has our earlier lines.
  [[maybe_unused]] const ssize_t n =
      ::send(fd, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

void WatchStatus::set_place(int64_t place) {
  const std::lock_guard lock(mutex_);
  place_ = place;
  phase_ = "";
  entered_before_ = counts_.entered;
  left_before_ = counts_.left;
}

void WatchStatus::set_case(std::string name) {
  const std::lock_guard lock(mutex_);
  case_ = std::move(name);
  phase_ = "";
  entered_before_ = counts_.entered;
  left_before_ = counts_.left;
}

void WatchStatus::set_phase(const char* name) { phase_.store(name, std::memory_order_relaxed); }

Whereabouts WatchStatus::now() const {
  const std::lock_guard lock(mutex_);
  const char* inside = counts_.inside.load(std::memory_order_relaxed);
  return {.place = place_,
          .case_name = case_,
          .phase = phase_.load(),
          .entered = counts_.entered - entered_before_,
          .left = counts_.left - left_before_,
          .inside = inside != nullptr ? inside : ""};
}

// The thread and what it knows.
class Watch::Monitor {
 public:
  Monitor(World& world, const std::string& host)
      : rank_(world.rank()), wake_(eventfd(0, EFD_CLOEXEC)) {
    const std::vector<std::string> hosts = gather_strings(world.comm(), host);
    views_.resize(hosts.size());
    heard_.assign(hosts.size(), bench::now());
    for (size_t r = 0; r < hosts.size(); ++r) {
      views_[r].rank = static_cast<int>(r);
      views_[r].host = hosts[r];
    }
    if (hosts.size() > 1) connect(world, hosts);
    thread_ = std::thread([this] { run(); });
  }

  ~Monitor() {
    ended_ = true;
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_.fd(), &one, sizeof one);
    thread_.join();
  }

  void arm(double seconds, int ranks) {
    const std::lock_guard lock(mutex_);
    deadline_ = bench::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::duration<double>(seconds));
    ranks_ = ranks;
    armed_ = true;
  }
  void disarm() {
    const std::lock_guard lock(mutex_);
    armed_ = false;
  }
  void on_timeout(std::function<void(const std::vector<Laggard>&)> callback) {
    const std::lock_guard lock(mutex_);
    callback_ = std::move(callback);
  }

  WatchStatus status;

 private:
  struct Client {
    Socket socket;
    std::string pending;
    int rank = -1;  // until it has said the token
  };

  // Rank 0 listens and tells where; the others connect and say who they are.
  void connect(World& world, const std::vector<std::string>& hosts) {
    std::string where;
    if (rank_ == 0) {
      const bool one_host = std::all_of(hosts.begin(), hosts.end(),
                                        [&](const std::string& h) { return h == hosts[0]; });
      uint16_t port = 0;
      listener_ = listen_anywhere(one_host, port);
      token_ = fmt::format("{:08x}{:08x}", std::random_device()(), std::random_device()());
      where = fmt::format("{} {}", port, token_);
      for (const std::string& address : own_addresses()) where += " " + address;
    }
    where = broadcast_string(world.comm(), where, 0);
    if (rank_ == 0) return;
    std::istringstream words(where);
    uint16_t port = 0;
    words >> port >> token_;
    std::vector<std::string> addresses;
    if (hosts[static_cast<size_t>(rank_)] == hosts[0]) addresses.emplace_back("127.0.0.1");
    for (std::string a; words >> a;) addresses.push_back(a);
    for (const std::string& address : addresses) {
      to_root_ = connect_to(address, port, kConnectSeconds);
      if (to_root_.open()) break;
    }
    // Without the line this rank can run as well; it only cannot be told from a silent one.
    if (to_root_.open()) write_line(to_root_.fd(), fmt::format("{} {}\n", token_, rank_));
  }

  void run() {
    while (!ended_) {
      wait();
      if (ended_) return;
      if (rank_ == 0) {
        listen();
      } else if (to_root_.open()) {
        write_line(to_root_.fd(), to_line(status.now()));
        std::string answers;
        // A closed line means that rank 0 has ended, not that it is stuck: then there is nothing to
        // step in for.
        if (!read_some(to_root_.fd(), answers)) to_root_.close();
        if (!answers.empty()) heard_[0] = bench::now();
      }
      look_at_deadline();
    }
  }

  void wait() {
    pollfd wake{.fd = wake_.fd(), .events = POLLIN, .revents = 0};
    poll(&wake, 1, kBeatMs);
  }

  void listen() {
    for (;;) {
      Socket accepted(listener_.open() ? accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC)
                                       : -1);
      if (!accepted.open()) break;
      clients_.push_back({.socket = std::move(accepted), .pending = {}, .rank = -1});
    }
    for (Client& c : clients_) hear(c);
    std::erase_if(clients_, [](const Client& c) { return !c.socket.open(); });
    for (const Client& c : clients_)
      if (c.rank > 0) write_line(c.socket.fd(), ".\n");
  }

  void hear(Client& c) {
    if (!read_some(c.socket.fd(), c.pending)) c.socket.close();
    if (c.rank < 0 && !introduce(c)) return;
    const std::string line = last_line(c.pending);
    if (line.empty()) return;
    RankView& view = views_[static_cast<size_t>(c.rank)];
    view.where = from_line(line);
    heard_[static_cast<size_t>(c.rank)] = bench::now();
  }

  // The first line: the token and a rank. Anybody else is shown the door.
  bool introduce(Client& c) {
    const size_t end = c.pending.find('\n');
    if (end == std::string::npos) return false;
    std::istringstream words(c.pending.substr(0, end));
    c.pending.erase(0, end + 1);
    std::string token;
    int rank = 0;
    if (!(words >> token >> rank) || token != token_ || rank <= 0 ||
        rank >= static_cast<int>(views_.size())) {
      c.socket.close();
      return false;
    }
    c.rank = rank;
    views_[static_cast<size_t>(rank)].connected = true;
    heard_[static_cast<size_t>(rank)] = bench::now();
    return true;
  }

  void look_at_deadline() {
    std::function<void(const std::vector<Laggard>&)> callback;
    int ranks = 0;
    {
      const std::lock_guard lock(mutex_);
      // Another rank steps in where rank 0 itself is silent; later ranks give earlier ones time to.
      const double grace = rank_ == 0 ? 0 : 1.0 + std::min(2.0, 0.2 * rank_);
      const double late_s = seconds_since(deadline_);
      if (!armed_ || late_s < grace || !callback_) return;
      if (rank_ != 0 && (!to_root_.open() || seconds_since(heard_[0]) < kSilenceSeconds)) return;
      armed_ = false;
      callback = callback_;
      ranks = ranks_;
    }
    if (rank_ == 0) {
      views_[0].where = status.now();
      views_[0].connected = true;
      heard_[0] = bench::now();
      for (size_t r = 0; r < views_.size(); ++r) views_[r].silent_s = seconds_since(heard_[r]);
      callback(who_is_late(std::span(views_).first(static_cast<size_t>(ranks))));
    } else {
      callback({{.rank = 0,
                 .host = views_[0].host,
                 .why = fmt::format("no sign of life for {:.1f} s", seconds_since(heard_[0])),
                 .last_range = "the same case"}});
    }
  }

  int rank_;
  Socket wake_, listener_, to_root_;
  std::string token_;
  std::vector<Client> clients_;
  std::vector<RankView> views_;
  std::vector<SteadyTime> heard_;
  std::mutex mutex_;  // the deadline and the callback
  SteadyTime deadline_{};
  int ranks_ = 0;
  bool armed_ = false;
  std::function<void(const std::vector<Laggard>&)> callback_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

Watch::Watch(World& world, const std::string& host)
    : monitor_(std::make_unique<Monitor>(world, host)) {}
Watch::~Watch() = default;
WatchStatus& Watch::status() { return monitor_->status; }
void Watch::on_timeout(std::function<void(const std::vector<Laggard>&)> callback) {
  monitor_->on_timeout(std::move(callback));
}
void Watch::arm(double seconds, int ranks) { monitor_->arm(seconds, ranks); }
void Watch::disarm() { monitor_->disarm(); }

}  // namespace bench
