#include "plugins/collectives/collective_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/device/buffer.h"

namespace bench::collectives {
namespace {

// What rank r contributes at index i: small whole numbers, whose sums over up to 2^16 ranks are
// exact in f32 in any order, and which differ between neighbouring ranks and indices.
constexpr int64_t kPeriod = 61;
float contribution(int rank, int64_t i) {
  return static_cast<float>((i * 7 + rank * 13) % kPeriod - 30);
}

std::vector<float> sums_over_ranks(int ranks) {
  std::vector<float> sums(kPeriod);
  for (int64_t i = 0; i < kPeriod; ++i)
    for (int r = 0; r < ranks; ++r) sums[static_cast<size_t>(i)] += contribution(r, i);
  return sums;
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
    case Operation::broadcast: return n > 1 ? 1 : 0;
  }
  return 1;
}

// Where the device's memory is written and read by the host: in pieces, so that little of the
// host's is held.
constexpr int64_t kPiece = 1 << 18;  // elements

class Collective final : public sdk::Instance {
 public:
  // count: elements of the whole vector, a multiple of the ranks where it is cut.
  Collective(Operation op, int64_t count, const sdk::Place& place)
      : op_(op),
        context_(place.context),
        comm_(place.comm),
        count_(count),
        part_(count / place.comm.size()),
        sums_(sums_over_ranks(place.comm.size())),
        send_(context_.device, op == Operation::all_gather ? part_ : count),
        recv_(context_.device, op == Operation::reduce_scatter ? part_ : count) {
    reset();
  }

  void enqueue(int64_t n) override {
    for (int64_t k = 0; k < n; ++k) run();
  }

  sdk::Check check() override {
    std::vector<float> got(static_cast<size_t>(std::min(kPiece, recv_.size())));
    for (int64_t first = 0; first < recv_.size(); first += kPiece) {
      const int64_t n = std::min(kPiece, recv_.size() - first);
      context_.device.copy(context_.stream, got.data(), recv_.data() + first,
                           static_cast<size_t>(n) * sizeof(float));
      context_.device.synchronize(context_.stream);
      for (int64_t i = 0; i < n; ++i)
        if (got[static_cast<size_t>(i)] != expected_at(first + i))
          return wrong(first + i, got[static_cast<size_t>(i)]);
    }
    return {.passed = true, .error = 0, .tolerance = 0, .detail = {}};
  }

  void reset() override {
    const int64_t offset = op_ == Operation::all_gather ? comm_.rank() * part_ : 0;
    const auto given = [&](int64_t i) { return contribution(comm_.rank(), offset + i); };
    write(send_, given);
    // Wrong unless overwritten; a broadcast's root starts with what it sends.
    if (op_ == Operation::broadcast && comm_.rank() == 0)
      write(recv_, given);
    else
      write(recv_, [](int64_t) { return -1e9F; });
  }

 private:
  void run() {
    const Stream s = context_.stream;
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

  template <class ValueAt>
  void write(Buffer<float>& to, ValueAt&& value_at) {
    std::vector<float> values(static_cast<size_t>(std::min(kPiece, to.size())));
    for (int64_t first = 0; first < to.size(); first += kPiece) {
      const int64_t n = std::min(kPiece, to.size() - first);
      for (int64_t i = 0; i < n; ++i) values[static_cast<size_t>(i)] = value_at(first + i);
      context_.device.copy(context_.stream, to.data() + first, values.data(),
                           static_cast<size_t>(n) * sizeof(float));
      context_.device.synchronize(context_.stream);
    }
  }

  // Of the result's element i on this rank.
  float expected_at(int64_t i) const {
    switch (op_) {
      case Operation::all_gather: return contribution(static_cast<int>(i / part_), i);
      case Operation::broadcast: return contribution(0, i);
      case Operation::all_reduce: return sums_[static_cast<size_t>(i % kPeriod)];
      case Operation::reduce_scatter:
        return sums_[static_cast<size_t>((comm_.rank() * part_ + i) % kPeriod)];
    }
    return 0;
  }

  sdk::Check wrong(int64_t i, float got) const {
    const float expected = expected_at(i);
    return {.passed = false,
            .error = std::abs(static_cast<double>(got) - expected),
            .tolerance = 0,
            .detail = fmt::format("rank {}: element {} is {}, expected {}", comm_.rank(), i, got,
                                  expected)};
  }

  Operation op_;
  const Context& context_;
  Communicator& comm_;
  int64_t count_, part_;
  std::vector<float> sums_;  // by index modulo the period
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
