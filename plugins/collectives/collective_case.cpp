#include "plugins/collectives/collective_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "bench/device/cpu/host_facts.h"
#include "plugins/collectives/exact_data.h"
#include "plugins/collectives/kept_memory.h"
#include "plugins/collectives/variants.h"

namespace bench::collectives {
namespace {

class Collective final : public sdk::Instance {
 public:
  // count: elements of the whole vector, a multiple of the ranks where it is cut.
  Collective(const CollectiveSpec& spec, int64_t count, const sdk::Place& place)
      : op_(spec.operation),
        dtype_(spec.dtype),
        context_(place.context),
        variant_(make_variant(spec.variant, place, count, dtype_)),
        comm_(variant_ ? *variant_ : place.comm),
        count_(count),
        part_(is_cut(op_) ? count / comm_.size() : count),
        sums_(reduced(dtype_, comm_.size(), ReduceOp::sum)),
        send_(memory(op_ == Operation::all_gather ? part_ : count)),
        recv_(memory(results())) {
    if (spec.variant == "library_kept") kept_.emplace();
    prepare_messages();
    reset();
  }

  void enqueue(int64_t n) override {
    for (int64_t k = 0; k < n; ++k) run();
  }

  sdk::Check check() override {
    double error = 0;
    const std::string who = fmt::format("rank {} on {}", comm_.rank(), host_name());
    const std::string words = first_wrong(
        context_, dtype_, recv_.data(), results(), [&](int64_t i) { return expected_at(i); }, who,
        error);
    return {.passed = words.empty(), .error = error, .tolerance = 0, .detail = words};
  }

  void reset() override {
    const int64_t offset = op_ == Operation::all_gather ? comm_.rank() * part_ : 0;
    const auto given = [&](int64_t i) { return contribution(dtype_, comm_.rank(), offset + i); };
    write(context_, dtype_, send_.data(), elements(send_), given);
    // Wrong unless overwritten; a broadcast's root starts with what it sends.
    const bool is_root = op_ == Operation::broadcast && comm_.rank() == 0;
    write(context_, dtype_, recv_.data(), results(),
          [&](int64_t i) { return is_root ? given(i) : -1e9; });
  }

 private:
  using Bytes = Buffer<unsigned char>;
  Bytes memory(int64_t count) const {
    return Bytes(context_.device, count * static_cast<int64_t>(size_of(dtype_)));
  }
  int64_t elements(const Bytes& buffer) const {
    return buffer.size() / static_cast<int64_t>(size_of(dtype_));
  }
  int64_t results() const { return op_ == Operation::reduce_scatter ? part_ : count_; }
  unsigned char* part(Bytes& buffer, int rank) const {
    return buffer.data() + rank * part_ * static_cast<int64_t>(size_of(dtype_));
  }

  // All-to-all: to each its part, but to oneself. Send and receive: round the ranks, both ways
  // at once.
  void prepare_messages() {
    const int n = comm_.size(), me = comm_.rank();
    if (op_ == Operation::send_recv) {
      sends_ = {{.buffer = send_.data(), .count = count_, .to = (me + 1) % n}};
      receives_ = {{.buffer = recv_.data(), .count = count_, .from = (me + n - 1) % n}};
    }
    for (int away = 1; op_ == Operation::all_to_all && away < n; ++away) {
      const int to = (me + away) % n, from = (me + n - away) % n;
      sends_.push_back({.buffer = part(send_, to), .count = part_, .to = to});
      receives_.push_back({.buffer = part(recv_, from), .count = part_, .from = from});
    }
  }

  void run() {
    const Stream s = context_.stream;
    switch (op_) {
      case Operation::all_reduce:
        return comm_.all_reduce(s, send_.data(), recv_.data(), count_, dtype_, ReduceOp::sum);
      case Operation::reduce_scatter:
        return comm_.reduce_scatter(s, send_.data(), recv_.data(), part_, dtype_, ReduceOp::sum);
      case Operation::all_gather:
        return comm_.all_gather(s, send_.data(), recv_.data(), part_, dtype_);
      case Operation::broadcast: return comm_.broadcast(s, recv_.data(), count_, dtype_, 0);
      case Operation::all_to_all:
        context_.device.copy(s, part(recv_, comm_.rank()), part(send_, comm_.rank()),
                             static_cast<size_t>(part_) * size_of(dtype_));
        return comm_.exchange(s, sends_, receives_, dtype_, 0);
      case Operation::send_recv: return comm_.exchange(s, sends_, receives_, dtype_, 0);
    }
  }

  // Of the result's element i on this rank.
  double expected_at(int64_t i) const {
    const int me = comm_.rank(), n = comm_.size();
    const auto sum = [&](int64_t index) { return sums_[static_cast<size_t>(index % kPeriod)]; };
    switch (op_) {
      case Operation::all_gather: return contribution(dtype_, static_cast<int>(i / part_), i);
      case Operation::broadcast: return contribution(dtype_, 0, i);
      case Operation::all_reduce: return sum(i);
      case Operation::reduce_scatter: return sum(me * part_ + i);
      // Part r holds rank r's part for this rank.
      case Operation::all_to_all:
        return contribution(dtype_, static_cast<int>(i / part_), me * part_ + i % part_);
      case Operation::send_recv: return contribution(dtype_, (me + n - 1) % n, i);
    }
    return 0;
  }

  Operation op_;
  DType dtype_;
  const Context& context_;
  std::unique_ptr<Communicator> variant_;
  Communicator& comm_;
  int64_t count_, part_;
  std::vector<double> sums_;  // by index modulo the period
  Bytes send_, recv_;
  std::vector<Outgoing> sends_;
  std::vector<Incoming> receives_;
  std::optional<KeptMemory> kept_;
};

int64_t whole_count(const CollectiveSpec& spec, int ranks) {
  const int64_t count =
      std::max<int64_t>(1, spec.bytes / static_cast<int64_t>(size_of(spec.dtype)));
  return is_cut(spec.operation) ? std::max<int64_t>(1, count / ranks) * ranks : count;
}

}  // namespace

sdk::Case collective_case(const CollectiveSpec& spec, int ranks) {
  const int64_t count = whole_count(spec, ranks);
  const int64_t bytes = count * static_cast<int64_t>(size_of(spec.dtype));
  sdk::Case made;
  made.name = fmt::format("collectives.{}.{}", name_of(spec.operation), bytes);
  made.dtype = spec.dtype;
  made.text_params = {{"operation", name_of(spec.operation)}, {"in_place", "no"}};
  for (auto& fact : facts_of(spec.variant, spec.dtype, ranks))
    made.text_params.push_back(std::move(fact));
  made.number_params = {{"bytes", static_cast<double>(bytes)}};
  made.message_bytes = static_cast<double>(bytes);
  made.bus_factor = bus_factor(spec.operation, ranks);
  made.memory_bytes = 2 * made.message_bytes;
  made.collective = true;
  made.host_comm = std::string_view(sdk::Plugin::kDevice) == "cpu";
  if (spec.variant == "one_shot") made.memory_bytes += made.message_bytes * ranks;
  made.open = [=](const sdk::Place& place) {
    return std::make_unique<Collective>(spec, count, place);
  };
  return made;
}

}  // namespace bench::collectives
