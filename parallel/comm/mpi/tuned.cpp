#include "parallel/comm/mpi/tuned.h"

#include <cstdlib>
#include <string>

#include "bench/base/status.h"
#include "parallel/comm/mpi/mpi_communicator.h"
#include "parallel/comm/mpi/pieces.h"

namespace bench {
namespace {

// A segmented ring is a plain one unless told how long its segments are.
constexpr int kSegmentBytes = 64 * 1024;

// The library's variables, from construction to destruction.
class Tools {
 public:
  Tools() {
    int given = 0;
    check_mpi(MPI_T_init_thread(MPI_THREAD_SINGLE, &given), "MPI_T_init_thread");
  }
  ~Tools() { MPI_T_finalize(); }
  Tools(const Tools&) = delete;
};

// One of them, of type int, set until destruction.
class SetVariable {
 public:
  SetVariable(const char* name, int value) {
    int index = 0, count = 0;
    if (MPI_T_cvar_get_index(name, &index) != MPI_SUCCESS)
      throw Unsupported(std::string("this MPI library has no variable ") + name +
                        ": its algorithms cannot be chosen (Open MPI 4's can)");
    if (MPI_T_cvar_handle_alloc(index, nullptr, &handle_, &count) != MPI_SUCCESS || count != 1)
      throw Unsupported(std::string(name) + " of this MPI library is not a single number");
    if (MPI_T_cvar_read(handle_, &before_) != MPI_SUCCESS ||
        MPI_T_cvar_write(handle_, &value) != MPI_SUCCESS) {
      MPI_T_cvar_handle_free(&handle_);
      throw Unsupported(std::string(name) + " of this MPI library cannot be set while it runs");
    }
  }
  ~SetVariable() {
    MPI_T_cvar_write(handle_, &before_);
    MPI_T_cvar_handle_free(&handle_);
  }
  SetVariable(const SetVariable&) = delete;

 private:
  MPI_T_cvar_handle handle_ = MPI_T_CVAR_HANDLE_NULL;
  int before_ = 0;
};

// An operation of MPI has no context: where the one now running writes what it sees.
thread_local std::vector<int64_t>* seen = nullptr;

void see(void*, void*, int* count, MPI_Datatype*) {
  if (seen != nullptr) seen->push_back(*count);
}

}  // namespace

void allow_choice_of_algorithms() { setenv("OMPI_MCA_coll_tuned_use_dynamic_rules", "1", 0); }

MPI_Comm duplicate_with(MPI_Comm comm, const LibraryAlgorithm& algorithm) {
  const Tools tools;
  // Read when a communicator is made (coll_tuned_module.c, ompi_coll_tuned_forced_getvalues).
  const SetVariable chosen("coll_tuned_allreduce_algorithm", algorithm.number);
  const SetVariable segment("coll_tuned_allreduce_algorithm_segmentsize",
                            algorithm.name == "segmented_ring" ? kSegmentBytes : 0);
  MPI_Comm made = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(comm, &made), "MPI_Comm_dup");
  return made;
}

std::vector<int64_t> additions_of_one(MPI_Comm comm, int64_t count, MPI_Datatype type,
                                      size_t size) {
  std::vector<int64_t> additions;
  std::vector<unsigned char> send(static_cast<size_t>(count) * size), recv(send.size());
  MPI_Op op = MPI_OP_NULL;
  check_mpi(MPI_Op_create(see, /*commute=*/1, &op), "MPI_Op_create");
  seen = &additions;
  const int code = MPI_Allreduce(send.data(), recv.data(), static_cast<int>(count), type, op, comm);
  seen = nullptr;
  MPI_Op_free(&op);
  check_mpi(code, "MPI_Allreduce");
  return additions;
}

}  // namespace bench
