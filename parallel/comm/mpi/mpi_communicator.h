#pragma once
// Ranks over MPI. Only the MPI world module includes this.

#include <mpi.h>

#include <map>
#include <vector>

#include "parallel/comm/communicator.h"

namespace bench {

// Throws std::runtime_error with the library's words where `code` is an error.
void check_mpi(int code, const char* doing);

class MpiCommunicator final : public Communicator {
 public:
  // Takes the handle; frees it in the destructor where `owned`.
  MpiCommunicator(MPI_Comm comm, bool owned);
  ~MpiCommunicator() override;
  MpiCommunicator(const MpiCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string_view kind() const override { return "mpi"; }
  void barrier(Stream) override;
  void all_reduce(Stream s, const void* send, void* recv, int64_t count, DType, ReduceOp) override;
  void reduce_scatter(Stream s, const void* send, void* recv, int64_t count, DType,
                      ReduceOp) override;
  void all_gather(Stream s, const void* send, void* recv, int64_t count, DType) override;
  void broadcast(Stream s, void* buffer, int64_t count, DType, int root) override;
  void send(Stream s, const void* buffer, int64_t count, DType, int to, int tag) override;
  void recv(Stream s, void* buffer, int64_t count, DType, int from, int tag) override;
  void exchange(Stream s, std::span<const Outgoing> sends, std::span<const Incoming> receives,
                DType, int tag) override;
  Ticket all_reduce_start(Stream s, const void* send, void* recv, int64_t count, DType,
                          ReduceOp) override;
  Ticket reduce_scatter_start(Stream s, const void* send, void* recv, int64_t count, DType,
                              ReduceOp) override;
  void wait(Stream s, Ticket ticket) override;
  std::unique_ptr<Communicator> split(int color, int key) override;
  std::unique_ptr<Communicator> by_library_algorithm(std::string_view name, int64_t count,
                                                     DType) override;

  MPI_Comm handle() const { return comm_; }

 private:
  MPI_Comm comm_;
  bool owned_;
  int rank_ = 0, size_ = 1;
  Ticket last_ticket_ = 0;
  std::map<Ticket, MPI_Request> started_;
  std::vector<MPI_Request> requests_;  // of one exchange
};

}  // namespace bench
