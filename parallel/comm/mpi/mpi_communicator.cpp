#include "parallel/comm/mpi/mpi_communicator.h"

#include <sstream>
#include <stdexcept>
#include <string>

#include "bench/base/status.h"
#include "parallel/comm/mpi/pieces.h"
#include "parallel/comm/mpi/tuned.h"
#include "parallel/comm/reduce.h"
#include "parallel/comm/strings.h"

namespace bench {
namespace {

void sum_bf16(void* in, void* inout, int* count, MPI_Datatype*) {
  reduce_into(inout, in, *count, DType::bf16, ReduceOp::sum);
}
void max_bf16(void* in, void* inout, int* count, MPI_Datatype*) {
  reduce_into(inout, in, *count, DType::bf16, ReduceOp::max);
}
void min_bf16(void* in, void* inout, int* count, MPI_Datatype*) {
  reduce_into(inout, in, *count, DType::bf16, ReduceOp::min);
}

MPI_Op make_op(MPI_User_function* function) {
  MPI_Op op = MPI_OP_NULL;
  check_mpi(MPI_Op_create(function, /*commute=*/1, &op), "MPI_Op_create");
  return op;
}

MPI_Datatype type_of(DType t) {
  switch (t) {
    case DType::f32: return MPI_FLOAT;
    case DType::bf16: return MPI_UINT16_T;
    case DType::f64: return MPI_DOUBLE;
    case DType::i32: return MPI_INT32_T;
    case DType::i64: return MPI_INT64_T;
    case DType::u8: return MPI_UINT8_T;
    case DType::u64: return MPI_UINT64_T;
  }
  throw std::invalid_argument("unknown element type");
}

MPI_Op op_of(ReduceOp op, DType t) {
  if (t == DType::bf16) {
    // MPI knows no bf16: the sum is made in f32 and rounded at every step of the library's
    // algorithm.
    static const MPI_Op ops[] = {make_op(sum_bf16), make_op(max_bf16), make_op(min_bf16)};
    return ops[static_cast<int>(op)];
  }
  return op == ReduceOp::sum ? MPI_SUM : op == ReduceOp::max ? MPI_MAX : MPI_MIN;
}

const void* at(const void* base, int64_t element, DType t) {
  return static_cast<const unsigned char*>(base) + static_cast<size_t>(element) * size_of(t);
}
void* at(void* base, int64_t element, DType t) {
  return static_cast<unsigned char*>(base) + static_cast<size_t>(element) * size_of(t);
}

// What every rank adds in one all-reduce. Collective.
Additions additions_of_all(MpiCommunicator& comm, int64_t count, DType t) {
  std::string mine;
  for (const int64_t n : additions_of_one(comm.handle(), count, type_of(t), size_of(t)))
    mine += std::to_string(n) + " ";
  Additions additions;
  for (const std::string& text : gather_strings(comm, mine)) {
    std::istringstream words(text);
    auto& sizes = additions.emplace_back();
    for (int64_t n = 0; words >> n;) sizes.push_back(n);
  }
  return additions;
}

int small_count(int64_t count) {
  if (count > kMostElements)
    throw std::invalid_argument("more than 2^30 elements a rank in one call");
  return static_cast<int>(count);
}

}  // namespace

void check_mpi(int code, const char* doing) {
  if (code == MPI_SUCCESS) return;
  char words[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, words, &length);
  throw std::runtime_error(std::string(doing) + ": " +
                           std::string(words, static_cast<size_t>(length)));
}

MpiCommunicator::MpiCommunicator(MPI_Comm comm, bool owned) : comm_(comm), owned_(owned) {
  check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

MpiCommunicator::~MpiCommunicator() {
  if (owned_) MPI_Comm_free(&comm_);
}

void MpiCommunicator::barrier(Stream) { check_mpi(MPI_Barrier(comm_), "MPI_Barrier"); }

void MpiCommunicator::all_reduce(Stream, const void* send, void* recv, int64_t count, DType t,
                                 ReduceOp op) {
  in_pieces(count, [&](int64_t first, int n) {
    const void* from = send == recv ? MPI_IN_PLACE : at(send, first, t);
    check_mpi(MPI_Allreduce(from, at(recv, first, t), n, type_of(t), op_of(op, t), comm_),
              "MPI_Allreduce");
  });
}

void MpiCommunicator::reduce_scatter(Stream, const void* send, void* recv, int64_t count, DType t,
                                     ReduceOp op) {
  if (send == recv) {
    // MPI's in-place form is the same: the block lands at the start of the buffer.
    check_mpi(MPI_Reduce_scatter_block(MPI_IN_PLACE, recv, small_count(count), type_of(t),
                                       op_of(op, t), comm_),
              "MPI_Reduce_scatter_block");
    return;
  }
  check_mpi(
      MPI_Reduce_scatter_block(send, recv, small_count(count), type_of(t), op_of(op, t), comm_),
      "MPI_Reduce_scatter_block");
}

void MpiCommunicator::all_gather(Stream, const void* send, void* recv, int64_t count, DType t) {
  const int n = small_count(count);
  const bool in_place = send == at(static_cast<const void*>(recv), rank_ * count, t);
  check_mpi(
      MPI_Allgather(in_place ? MPI_IN_PLACE : send, n, type_of(t), recv, n, type_of(t), comm_),
      "MPI_Allgather");
}

void MpiCommunicator::broadcast(Stream, void* buffer, int64_t count, DType t, int root) {
  in_pieces(count, [&](int64_t first, int n) {
    check_mpi(MPI_Bcast(at(buffer, first, t), n, type_of(t), root, comm_), "MPI_Bcast");
  });
}

void MpiCommunicator::send(Stream, const void* buffer, int64_t count, DType t, int to, int tag) {
  check_mpi(MPI_Send(buffer, small_count(count), type_of(t), to, tag, comm_), "MPI_Send");
}

void MpiCommunicator::recv(Stream, void* buffer, int64_t count, DType t, int from, int tag) {
  check_mpi(MPI_Recv(buffer, small_count(count), type_of(t), from, tag, comm_, MPI_STATUS_IGNORE),
            "MPI_Recv");
}

void MpiCommunicator::exchange(Stream, std::span<const Outgoing> sends,
                               std::span<const Incoming> receives, DType t, int tag) {
  requests_.clear();
  const auto next = [this] { return &requests_.emplace_back(MPI_REQUEST_NULL); };
  for (const Incoming& m : receives)
    check_mpi(MPI_Irecv(m.buffer, small_count(m.count), type_of(t), m.from, tag, comm_, next()),
              "MPI_Irecv");
  for (const Outgoing& m : sends)
    check_mpi(MPI_Isend(m.buffer, small_count(m.count), type_of(t), m.to, tag, comm_, next()),
              "MPI_Isend");
  check_mpi(MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE),
            "MPI_Waitall");
}

Communicator::Ticket MpiCommunicator::all_reduce_start(Stream, const void* send, void* recv,
                                                       int64_t count, DType t, ReduceOp op) {
  MPI_Request request = MPI_REQUEST_NULL;
  const void* from = send == recv ? MPI_IN_PLACE : send;
  check_mpi(
      MPI_Iallreduce(from, recv, small_count(count), type_of(t), op_of(op, t), comm_, &request),
      "MPI_Iallreduce");
  started_[++last_ticket_] = request;
  return last_ticket_;
}

Communicator::Ticket MpiCommunicator::reduce_scatter_start(Stream, const void* send, void* recv,
                                                           int64_t count, DType t, ReduceOp op) {
  MPI_Request request = MPI_REQUEST_NULL;
  const void* from = send == recv ? MPI_IN_PLACE : send;
  check_mpi(MPI_Ireduce_scatter_block(from, recv, small_count(count), type_of(t), op_of(op, t),
                                      comm_, &request),
            "MPI_Ireduce_scatter_block");
  started_[++last_ticket_] = request;
  return last_ticket_;
}

void MpiCommunicator::wait(Stream, Ticket ticket) {
  const auto found = started_.find(ticket);
  if (found == started_.end()) return;
  check_mpi(MPI_Wait(&found->second, MPI_STATUS_IGNORE), "MPI_Wait");
  started_.erase(found);
}

std::unique_ptr<Communicator> MpiCommunicator::split(int color, int key) {
  MPI_Comm made = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(comm_, color, key, &made), "MPI_Comm_split");
  return std::make_unique<MpiCommunicator>(made, /*owned=*/true);
}

std::unique_ptr<Communicator> MpiCommunicator::by_library_algorithm(std::string_view name,
                                                                    int64_t count, DType t) {
  const LibraryAlgorithm& algorithm = library_algorithm_named(name);
  if (size_ == 1) throw Unsupported("one rank alone has nothing to reduce by " + std::string(name));
  auto made = std::make_unique<MpiCommunicator>(duplicate_with(comm_, algorithm), /*owned=*/true);
  // The same words on every rank: all see all additions.
  const std::string why =
      not_additions_of(algorithm, count, additions_of_all(*made, small_count(count), t));
  if (!why.empty()) throw Unsupported(why);
  return made;
}

}  // namespace bench
