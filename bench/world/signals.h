#pragma once
// SIGINT and SIGTERM taken by one thread of their own, so that the handler may do ordinary things.

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

namespace bench {

// Made before any other thread: all later threads inherit the blocked mask. The callback runs on
// this thread. SIGUSR2 is taken as well, and passed over unless it comes from the destructor.
class SignalThread {
 public:
  explicit SignalThread(std::function<void(int signal)> callback);
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;

 private:
  sigset_t taken_, before_;
  std::atomic<bool> ended_{false};
  std::function<void(int)> callback_;
  std::thread thread_;
};

}  // namespace bench
