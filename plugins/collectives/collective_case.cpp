#include "plugins/collectives/collective_case.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/device/buffer.h"

namespace bench::collectives {
namespace {

// What rank r contributes at index i: small whole numbers, whose sums over up to 2^16 ranks are
// exact in f32 in any order, and which differ between neighbouring ranks and indices.
float contribution(int rank, int64_t i) {
  return static_cast<float>((i * 7 + rank * 13) % 61 - 30);
}

double sum_over_ranks(int ranks, int64_t i) {
  double sum = 0;
  for (int r = 0; r < ranks; ++r) sum += contribution(r, i);
  return sum;
}

const char* name_of(Operation op) {
  switch (op) {
    case Operation::all_reduce: return "all_reduce";
    case Operation::reduce_scatter: return "reduce_scatter";
    case Operation::all_gather: return "all_gather";
    case Operation::broadcast: return "broadcast";
  }
  return "";
}

// busbw / algbw, as nccl-tests defines it.
double bus_factor(Operation op, int n) {
  const double others = n - 1;
  switch (op) {
    case Operation::all_reduce: return 2 * others / n;
    case Operation::reduce_scatter:
    case Operation::all_gather: return others / n;
    case Operation::broadcast: return 1;
  }
  return 1;
}

class Collective final : public sdk::Instance {
 public:
  // count: elements of the whole vector, a multiple of the ranks where it is cut.
  Collective(Operation op, int64_t count, const sdk::Place& place)
      : op_(op),
        comm_(place.comm),
        count_(count),
        part_(count / place.comm.size()),
        send_(place.context.device, op == Operation::all_gather ? part_ : count),
        recv_(place.context.device, op == Operation::reduce_scatter ? part_ : count) {
    reset();
  }

  void enqueue(int64_t n) override {
    for (int64_t k = 0; k < n; ++k) run();
  }

  sdk::Check check() override {
    const int64_t first = op_ == Operation::reduce_scatter ? comm_.rank() * part_ : 0;
    for (int64_t i = 0; i < recv_.size(); ++i) {
      const double got = recv_.data()[i], expected = expected_at(first + i);
      if (got != expected)
        return {.passed = false,
                .error = std::abs(got - expected),
                .tolerance = 0,
                .detail = fmt::format("rank {}: element {} is {}, expected {}", comm_.rank(), i,
                                      got, expected)};
    }
    return {.passed = true, .error = 0, .tolerance = 0, .detail = {}};
  }

  void reset() override {
    const int64_t first = op_ == Operation::all_gather ? comm_.rank() * part_ : 0;
    for (int64_t i = 0; i < send_.size(); ++i)
      send_.data()[i] = contribution(comm_.rank(), first + i);
    // Wrong unless overwritten; a broadcast's root starts with what it sends.
    std::fill(recv_.data(), recv_.data() + recv_.size(), -1e9F);
    if (op_ == Operation::broadcast && comm_.rank() == 0)
      std::copy(send_.data(), send_.data() + count_, recv_.data());
  }

 private:
  void run() {
    const Stream s;
    switch (op_) {
      case Operation::all_reduce:
        return comm_.all_reduce(s, send_.data(), recv_.data(), count_, DType::f32, ReduceOp::sum);
      case Operation::reduce_scatter:
        return comm_.reduce_scatter(s, send_.data(), recv_.data(), part_, DType::f32,
                                    ReduceOp::sum);
      case Operation::all_gather:
        return comm_.all_gather(s, send_.data(), recv_.data(), part_, DType::f32);
      case Operation::broadcast: return comm_.broadcast(s, recv_.data(), count_, DType::f32, 0);
    }
  }

  double expected_at(int64_t i) const {
    switch (op_) {
      case Operation::all_gather: return contribution(static_cast<int>(i / part_), i);
      case Operation::broadcast: return contribution(0, i);
      default: return sum_over_ranks(comm_.size(), i);
    }
  }

  Operation op_;
  Communicator& comm_;
  int64_t count_, part_;
  Buffer<float> send_, recv_;
};

}  // namespace

sdk::Case collective_case(Operation operation, int64_t bytes, int ranks) {
  int64_t count = std::max<int64_t>(1, bytes / static_cast<int64_t>(sizeof(float)));
  const bool cut = operation == Operation::reduce_scatter || operation == Operation::all_gather;
  if (cut) count = std::max<int64_t>(1, count / ranks) * ranks;
  sdk::Case made;
  made.name = fmt::format("collectives.{}.{}", name_of(operation),
                          count * static_cast<int64_t>(sizeof(float)));
  made.text_params = {{"operation", name_of(operation)}, {"in_place", "no"}};
  made.number_params = {{"bytes", static_cast<double>(count) * sizeof(float)}};
  made.message_bytes = static_cast<double>(count) * sizeof(float);
  made.bus_factor = bus_factor(operation, ranks);
  made.memory_bytes = 2 * made.message_bytes;
  made.collective = true;
  made.open = [=](const sdk::Place& place) {
    return std::make_unique<Collective>(operation, count, place);
  };
  return made;
}

}  // namespace bench::collectives
