#include "parallel/comm/nccl/nccl_communicator.h"

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "bench/base/status.h"
#include "parallel/comm/nccl/connect.h"

namespace bench::nccl {
namespace {

// Only where the environment made NCCL's calls asynchronous.
constexpr double kCallSeconds = 60;
constexpr std::chrono::milliseconds kPollPause{1};

cudaStream_t native(Stream s) { return static_cast<cudaStream_t>(s.native); }

ncclDataType_t type_of(DType t) {
  switch (t) {
    case DType::f32: return ncclFloat32;
    case DType::bf16: return ncclBfloat16;
    case DType::f64: return ncclFloat64;
    case DType::i32: return ncclInt32;
    case DType::i64: return ncclInt64;
    case DType::u8: return ncclUint8;
    case DType::u64: return ncclUint64;
  }
  throw std::invalid_argument("unknown element type");
}

ncclRedOp_t op_of(ReduceOp op) {
  return op == ReduceOp::sum ? ncclSum : op == ReduceOp::max ? ncclMax : ncclMin;
}

}  // namespace

NcclCommunicator::NcclCommunicator(ncclComm_t comm, Device& device)
    : comm_(comm), device_(device), token_(device, 1) {
  check(ncclCommUserRank(comm_, &rank_), "ncclCommUserRank");
  check(ncclCommCount(comm_, &size_), "ncclCommCount");
  device.fill(Stream{}, token_.data(), 0, token_.bytes());
  device.synchronize(Stream{});
}

NcclCommunicator::~NcclCommunicator() {
  if (comm_ != nullptr) ncclCommDestroy(comm_);
}

ncclComm_t NcclCommunicator::usable() const {
  if (comm_ == nullptr)
    throw std::runtime_error("NCCL's communicator was given up after an earlier error");
  return comm_;
}

void NcclCommunicator::give_up() {
  ncclCommAbort(comm_);
  comm_ = nullptr;
}

void NcclCommunicator::check(ncclResult_t result, const char* doing) {
  if (result == ncclInProgress) result = settled(comm_, kCallSeconds);
  if (result == ncclSuccess) return;
  const std::string words = words_of(result, doing);
  give_up();
  throw EnvironmentError(words);
}

// The host must not wait for a stream that may never get on.
void NcclCommunicator::meet(double deadline_s) {
  barrier(Stream{});
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(deadline_s);
  cudaError_t status = cudaErrorNotReady;
  while ((status = cudaStreamQuery(nullptr)) == cudaErrorNotReady) {
    check(settled(comm_, 0), "the first collective of NCCL");
    if (std::chrono::steady_clock::now() > end) {
      give_up();
      throw EnvironmentError(
          "the first collective of NCCL did not end before the deadline: the GPUs cannot reach "
          "each other the way NCCL chose (NCCL_DEBUG=INFO tells which; NCCL_P2P_DISABLE=1, "
          "NCCL_SHM_DISABLE=1, NCCL_IB_DISABLE=1 close one each)");
    }
    std::this_thread::sleep_for(kPollPause);
  }
  check_cuda(status, "the first collective of NCCL");
}

// Asked first: NCCL would have to be given up after it.
void NcclCommunicator::check_peer(int peer, const char* doing) const {
  if (peer < 0 || peer >= size_)
    throw std::invalid_argument(std::string(doing) + ": there is no rank " + std::to_string(peer));
}

void NcclCommunicator::barrier(Stream s) {
  check(ncclAllReduce(token_.data(), token_.data(), 1, ncclInt32, ncclMax, usable(), native(s)),
        "ncclAllReduce (barrier)");
}

void NcclCommunicator::all_reduce(Stream s, const void* send, void* recv, int64_t count, DType t,
                                  ReduceOp op) {
  check(ncclAllReduce(send, recv, static_cast<size_t>(count), type_of(t), op_of(op), usable(),
                      native(s)),
        "ncclAllReduce");
}

// NCCL's in-place form leaves the result in this rank's block; the interface's puts it in front.
void NcclCommunicator::reduce_scatter(Stream s, const void* send, void* recv, int64_t count,
                                      DType t, ReduceOp op) {
  const size_t bytes = static_cast<size_t>(count) * size_of(t);
  void* own =
      send == recv ? static_cast<unsigned char*>(recv) + static_cast<size_t>(rank_) * bytes : recv;
  check(ncclReduceScatter(send, own, static_cast<size_t>(count), type_of(t), op_of(op), usable(),
                          native(s)),
        "ncclReduceScatter");
  if (own != recv && bytes > 0) device_.copy(s, recv, own, bytes);
}

void NcclCommunicator::all_gather(Stream s, const void* send, void* recv, int64_t count, DType t) {
  check(ncclAllGather(send, recv, static_cast<size_t>(count), type_of(t), usable(), native(s)),
        "ncclAllGather");
}

void NcclCommunicator::broadcast(Stream s, void* buffer, int64_t count, DType t, int root) {
  check_peer(root, "broadcast");
  check(ncclBroadcast(buffer, buffer, static_cast<size_t>(count), type_of(t), root, usable(),
                      native(s)),
        "ncclBroadcast");
}

// A message to oneself would wait for its own receipt.
void NcclCommunicator::send(Stream s, const void* buffer, int64_t count, DType t, int to, int) {
  check_peer(to, "send");
  if (to == rank_) throw std::invalid_argument("send: to this rank itself");
  if (count == 0) return;
  check(ncclSend(buffer, static_cast<size_t>(count), type_of(t), to, usable(), native(s)),
        "ncclSend");
}

void NcclCommunicator::recv(Stream s, void* buffer, int64_t count, DType t, int from, int) {
  check_peer(from, "recv");
  if (from == rank_) throw std::invalid_argument("recv: from this rank itself");
  if (count == 0) return;
  check(ncclRecv(buffer, static_cast<size_t>(count), type_of(t), from, usable(), native(s)),
        "ncclRecv");
}

void NcclCommunicator::exchange(Stream s, std::span<const Outgoing> sends,
                                std::span<const Incoming> receives, DType t, int tag) {
  usable();
  check(ncclGroupStart(), "ncclGroupStart");
  for (const Outgoing& m : sends) send(s, m.buffer, m.count, t, m.to, tag);
  for (const Incoming& m : receives) recv(s, m.buffer, m.count, t, m.from, tag);
  check(ncclGroupEnd(), "ncclGroupEnd");
}

Communicator::Ticket NcclCommunicator::all_reduce_start(Stream s, const void* send, void* recv,
                                                        int64_t count, DType t, ReduceOp op) {
  all_reduce(Stream{side_.begin(native(s))}, send, recv, count, t, op);
  return side_.mark();
}

Communicator::Ticket NcclCommunicator::reduce_scatter_start(Stream s, const void* send, void* recv,
                                                            int64_t count, DType t, ReduceOp op) {
  reduce_scatter(Stream{side_.begin(native(s))}, send, recv, count, t, op);
  return side_.mark();
}

void NcclCommunicator::wait(Stream s, Ticket ticket) { side_.join(native(s), ticket); }

std::unique_ptr<Communicator> NcclCommunicator::split(int color, int key) {
  ncclComm_t made = nullptr;
  check(nccl::split(usable(), color, key, &made), "ncclCommSplit");
  return std::make_unique<NcclCommunicator>(made, device_);
}

}  // namespace bench::nccl
