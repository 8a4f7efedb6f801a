// A rank that is stopped while the others wait for it in MPI: rank 0 names it, without MPI's help.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <vector>

#include "bench/world/watch.h"
#include "parallel/comm/strings.h"
#include "tests/mpi/program.h"

namespace bench::mpi_tests {
namespace {

// Rank 0 asks again until somebody is silent: how soon that shows depends on how busy the machine
// is.
constexpr int kPatience = 60;
constexpr double kDeadline = 0.5;

class StoppedRank {
 public:
  explicit StoppedRank(World& world)
      : world_(world), last_(world.size() - 1), watch_(world, "host") {
    for (const std::string& pid : gather_strings(world.comm(), std::to_string(getpid())))
      pids_.push_back(std::stoi(pid));
  }

  void run() {
    watch_.status().set_place(1);
    watch_.status().set_case("collective.case");
    CountingCommunicator comm(world_.comm(), watch_.status().collectives(), clock_);
    world_.comm().barrier(Stream{});
    if (world_.rank() == 0) watch();
    if (world_.rank() == last_) raise(SIGSTOP);  // until rank 0 has named it
    comm.barrier(Stream{});
    if (world_.rank() == 0) judge();
    world_.comm().barrier(Stream{});
  }

 private:
  void watch() {
    watch_.on_timeout([this](const std::vector<Laggard>& laggards) {
      const bool silent = !laggards.empty() && laggards[0].why.starts_with("no sign of life");
      if (!silent && ++tries_ < kPatience) return watch_.arm(kDeadline, world_.size());
      named_.set_value(laggards);
      kill(pids_[static_cast<size_t>(last_)], SIGCONT);
    });
    watch_.arm(kDeadline, world_.size());
  }

  void judge() {
    const std::vector<Laggard> laggards = named_.get_future().get();
    std::string all;
    for (const Laggard& l : laggards) all += fmt::format("rank {} ({}) ", l.rank, l.why);
    expect(laggards.size() == 1 && laggards[0].rank == last_ &&
               laggards[0].why.starts_with("no sign of life"),
           fmt::format("rank {} was stopped, named: {}", last_, all));
  }

  World& world_;
  int last_;
  SteadyClock clock_;
  std::vector<pid_t> pids_;
  std::promise<std::vector<Laggard>> named_;
  int tries_ = 0;
  Watch watch_;  // last: its thread ends first
};

void run(World& world) { StoppedRank(world).run(); }

}  // namespace
}  // namespace bench::mpi_tests

int main(int argc, char** argv) {
  return bench::mpi_tests::run_program(argc, argv, bench::mpi_tests::run);
}
