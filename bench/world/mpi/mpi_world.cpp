// The MPI world, in a module of its own: the only place that initialises MPI.
#include <mpi.h>
#include <time.h>

#include <exception>
#include <vector>

#include "bench/base/status.h"
#include "bench/world/world.h"
#include "parallel/comm/mpi/mpi_communicator.h"
#include "parallel/comm/mpi/tuned.h"

namespace bench {
namespace {

constexpr int kReleaseTag = 32001;  // of a communicator that nothing else uses
constexpr long kProbePauseNs = 1'000'000;

// "Open MPI v4.1.4, package: …" -> "Open MPI 4.1.4"
std::string library_name() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  std::string name(text, static_cast<size_t>(length));
  name = name.substr(0, name.find_first_of(",\n"));
  const size_t v = name.find(" v");
  if (v != std::string::npos) name.erase(v + 1, 1);
  return name;
}

class MpiWorld final : public World {
 public:
  MpiWorld() {
    int given = 0;
    allow_choice_of_algorithms();
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given), "MPI_Init_thread");
    if (given < MPI_THREAD_FUNNELED)
      throw EnvironmentError("this MPI library cannot be used from a program with threads");
    MPI_Comm control = MPI_COMM_NULL;
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &control), "MPI_Comm_dup");
    control_ = std::make_unique<MpiCommunicator>(control, true);
    world_ = std::make_unique<MpiCommunicator>(MPI_COMM_WORLD, false);
    MPI_Comm host = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host),
              "MPI_Comm_split_type");
    const MpiCommunicator local(host, true);
    local_rank_ = local.rank();
    local_size_ = local.size();
  }

  ~MpiWorld() override {
    control_.reset();
    // All ranks come here together: errors that only one rank knows of end in abort().
    MPI_Finalize();
  }

  int rank() const override { return world_->rank(); }
  int size() const override { return world_->size(); }
  int local_rank() const override { return local_rank_; }
  int local_size() const override { return local_size_; }
  Communicator& comm() override { return *world_; }

  std::unique_ptr<Communicator> group(int ranks) override {
    const bool inside = rank() < ranks;
    MPI_Comm made = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split(MPI_COMM_WORLD, inside ? 0 : MPI_UNDEFINED, rank(), &made),
              "MPI_Comm_split");
    if (!inside) return nullptr;
    return std::make_unique<MpiCommunicator>(made, true);
  }

  int park() override {
    // MPI's own waiting spins; a waiting rank must leave the core to those that measure.
    for (;;) {
      int here = 0;
      check_mpi(MPI_Iprobe(0, kReleaseTag, control_->handle(), &here, MPI_STATUS_IGNORE),
                "MPI_Iprobe");
      if (here != 0) break;
      const timespec pause{.tv_sec = 0, .tv_nsec = kProbePauseNs};
      nanosleep(&pause, nullptr);
    }
    int code = 0;
    check_mpi(MPI_Recv(&code, 1, MPI_INT, 0, kReleaseTag, control_->handle(), MPI_STATUS_IGNORE),
              "MPI_Recv");
    return code;
  }

  void release(int first, int last, int code) override {
    for (int r = first; r < last; ++r)
      check_mpi(MPI_Send(&code, 1, MPI_INT, r, kReleaseTag, control_->handle()), "MPI_Send");
  }

  std::string library() const override { return library_name(); }

  void abort(int code) noexcept override {
    MPI_Abort(MPI_COMM_WORLD, code);
    std::terminate();  // MPI_Abort does not return
  }

 private:
  std::unique_ptr<MpiCommunicator> control_, world_;
  int local_rank_ = 0, local_size_ = 1;
};

}  // namespace
}  // namespace bench

extern "C" __attribute__((visibility("default"))) bench::World* bench_world_create() {
  return new bench::MpiWorld;
}
