// In a program of its own: the mask must be set before other threads exist.
#include "bench/world/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <future>

namespace bench {
namespace {

int received_after_sending(const std::vector<int>& signals) {
  std::promise<int> received;
  const SignalThread thread([&](int signal) { received.set_value(signal); });
  for (const int signal : signals) kill(getpid(), signal);
  return received.get_future().get();
}

TEST(SignalThread, TakesInterruptAndTerminate) {
  EXPECT_EQ(received_after_sending({SIGINT}), SIGINT);
  EXPECT_EQ(received_after_sending({SIGTERM}), SIGTERM);
}

// Slurm's --signal=USR2, forwarded by mpirun, must not leave the program deaf to SIGTERM.
TEST(SignalThread, SurvivesTheSignalOfSchedulers) {
  EXPECT_EQ(received_after_sending({SIGUSR2, SIGTERM}), SIGTERM);
}

TEST(SignalThread, RestoresTheMask) {
  sigset_t now;
  {
    const SignalThread thread([](int) {});
  }
  pthread_sigmask(SIG_BLOCK, nullptr, &now);
  EXPECT_FALSE(sigismember(&now, SIGTERM));
}

}  // namespace
}  // namespace bench
