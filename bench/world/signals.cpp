#include "bench/world/signals.h"

#include <pthread.h>

namespace bench {

SignalThread::SignalThread(std::function<void(int)> callback) : callback_(std::move(callback)) {
  sigemptyset(&taken_);
  sigaddset(&taken_, SIGINT);
  sigaddset(&taken_, SIGTERM);
  sigaddset(&taken_, SIGUSR2);  // from the destructor: time to end
  pthread_sigmask(SIG_BLOCK, &taken_, &before_);
  thread_ = std::thread([this] {
    for (;;) {
      int signal = 0;
      if (sigwait(&taken_, &signal) != 0) continue;
      if (ended_) return;
      // Job schedulers send it of their own accord; it must not end this thread.
      if (signal != SIGUSR2) callback_(signal);
    }
  });
}

SignalThread::~SignalThread() {
  ended_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace bench
