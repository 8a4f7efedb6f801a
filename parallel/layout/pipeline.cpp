#include "parallel/layout/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "bench/base/status.h"

namespace bench::layout {
namespace {

struct Item {
  Pass pass;
  int chunk;
  int64_t micro;
};

// The k-th forward (or backward) turn of a stage: `stages` micro-batches through one chunk, then
// the same ones through the next.
Item item_of(const PipelineShape& p, Pass pass, int64_t k) {
  const int64_t group = k / (int64_t{p.stages} * p.chunks),
                inside = k % (int64_t{p.stages} * p.chunks);
  const int chunk = p.chunks == 1 ? 0 : static_cast<int>(inside / p.stages);
  const int64_t micro = p.chunks == 1 ? k : group * p.stages + inside % p.stages;
  return {
      .pass = pass, .chunk = pass == Pass::forward ? chunk : p.chunks - 1 - chunk, .micro = micro};
}

// Forward turns before the first backward one.
int64_t warm_up(const PipelineShape& p, int stage) {
  const int64_t total = p.micro_batches * p.chunks, after = p.stages - 1 - stage;
  const int64_t wanted = p.chunks == 1 ? after : 2 * after + int64_t{p.chunks - 1} * p.stages;
  return std::min(total, wanted);
}

std::vector<Item> order_of(const PipelineShape& p, int stage, Passes passes) {
  const int64_t total = p.micro_batches * p.chunks;
  const int64_t warm = passes == Passes::forward_only ? total : warm_up(p, stage);
  std::vector<Item> order;
  for (int64_t k = 0; k < warm; ++k) order.push_back(item_of(p, Pass::forward, k));
  if (passes == Passes::forward_only) return order;
  for (int64_t k = 0; k < total; ++k) {
    if (warm + k < total) order.push_back(item_of(p, Pass::forward, warm + k));
    order.push_back(item_of(p, Pass::backward, k));
  }
  return order;
}

// Micro-batches enter and leave in their order, so those that are in flight are neighbours and can
// take turns in `most` places.
class Flight {
 public:
  void enter() { most_ = std::max(most_, ++now_); }
  void leave() { --now_; }
  int most() const { return most_; }

 private:
  int now_ = 0, most_ = 0;
};

// Gradients come and go in any order: the lowest free place is taken.
class Places {
 public:
  int take() {
    const auto free = std::find(taken_.begin(), taken_.end(), false);
    const auto place = static_cast<int>(free - taken_.begin());
    if (free == taken_.end())
      taken_.push_back(true);
    else
      *free = true;
    return place;
  }
  void give_back(int place) { taken_[static_cast<size_t>(place)] = false; }
  int most() const { return static_cast<int>(taken_.size()); }

 private:
  std::vector<bool> taken_;
};

class Stage {
 public:
  Stage(const PipelineShape& shape, int stage, Passes passes)
      : shape_(shape),
        stage_(stage),
        passes_(passes),
        order_(order_of(shape, stage, passes)),
        warm_up_(static_cast<size_t>(warm_up(shape, stage))),
        slots_(static_cast<size_t>(shape.chunks)),
        entries_(static_cast<size_t>(shape.chunks)),
        arrived_(static_cast<size_t>(2 * shape.chunks * shape.micro_batches), kNotHere) {}

  bool done() const { return next_ == order_.size(); }

  // The next turn, where all that it needs is here.
  const Item* ready() const {
    if (done()) return nullptr;
    const Item& item = order_[next_];
    return is_given(item) || arrival(item) != kNotHere ? &item : nullptr;
  }

  // Takes the turns of a round that can be taken. False: none can.
  bool take_turns() {
    const Item* item = ready();
    if (item == nullptr) return false;
    const bool paired = shape_.chunks > 1 && item->pass == Pass::forward && next_ >= warm_up_;
    take_turn(*item);
    if (!paired) return true;
    item = ready();
    if (item != nullptr && item->pass == Pass::backward) take_turn(*item);
    return true;
  }

  const PipelineRound& round() const { return round_; }

  void receive(int peer, Pass pass, int chunk, int64_t micro) {
    const Item item{.pass = pass, .chunk = chunk, .micro = micro};
    int buffer = 0;
    if (pass == Pass::forward)
      entries_[static_cast<size_t>(chunk)].enter();
    else
      buffer = gradients_.take();
    arrival(item) = buffer;
    round_.of(pass).receive =
        Handover{.pass = pass, .peer = peer, .chunk = chunk, .buffer = buffer};
    if (pass == Pass::forward) arrived_forward_.push_back(micro);
  }

  void end_round() {
    for (const Turn& turn : round_.turns)
      if (turn.pass == Pass::backward) gradients_.give_back(turn.gradient);
    if (!round_.turns.empty() || !round_.forward.empty() || !round_.backward.empty())
      rounds_.push_back(std::move(round_));
    round_ = {};
  }

  // Numbers the places of activations, now that it is known how many there are.
  PipelinePlan plan() {
    PipelinePlan plan{.rounds = std::move(rounds_), .room = room()};
    const auto place = [](int64_t micro, const std::vector<int>& places, int chunk) {
      return static_cast<int>(micro % places[static_cast<size_t>(chunk)]);
    };
    auto micro = arrived_forward_.begin();
    for (PipelineRound& round : plan.rounds) {
      for (Turn& t : round.turns) {
        t.slot = place(t.micro, plan.room.slots, t.chunk);
        t.entry = place(t.micro, plan.room.entries, t.chunk);
      }
      if (auto& arrived = round.forward.receive)
        arrived->buffer = place(*micro++, plan.room.entries, arrived->chunk);
    }
    return plan;
  }

  // The piece of the model that goes on with what a turn made, or -1.
  int piece_after(const Item& item) const {
    const int piece = item.chunk * shape_.stages + stage_;
    if (item.pass == Pass::backward) return piece - 1;
    return piece + 1 < shape_.stages * shape_.chunks ? piece + 1 : -1;
  }

 private:
  static constexpr int kNotHere = -1;

  // Says too what of it goes where.
  void take_turn(const Item& item) {
    ++next_;
    Turn turn{.pass = item.pass, .chunk = item.chunk, .micro = item.micro};
    const auto chunk = static_cast<size_t>(item.chunk);
    if (item.pass == Pass::forward) {
      if (is_given(item)) entries_[chunk].enter();
      slots_[chunk].enter();
      if (passes_ == Passes::forward_only) leave(chunk);
    } else {
      turn.gradient = is_given(item) ? gradients_.take() : arrival(item);
      leave(chunk);
    }
    round_.turns.push_back(turn);
    if (const int piece = piece_after(item); piece >= 0)
      round_.of(item.pass).send = Handover{.pass = item.pass,
                                           .peer = piece % shape_.stages,
                                           .chunk = item.chunk,
                                           .buffer = turn.gradient};
  }

  PipelineRoom room() const {
    PipelineRoom room{.slots = {}, .entries = {}, .gradients = std::max(1, gradients_.most())};
    for (const Flight& f : slots_) room.slots.push_back(f.most());
    for (const Flight& f : entries_) room.entries.push_back(f.most());
    return room;
  }

  // No other stage has to hand over anything: tokens, or the loss's gradient.
  bool is_given(const Item& item) const {
    const int piece = item.chunk * shape_.stages + stage_;
    return item.pass == Pass::forward ? piece == 0 : piece + 1 == shape_.stages * shape_.chunks;
  }
  size_t place(const Item& item) const {
    return static_cast<size_t>((item.micro * shape_.chunks + item.chunk) * 2 +
                               (item.pass == Pass::backward ? 1 : 0));
  }
  int& arrival(const Item& item) { return arrived_[place(item)]; }
  int arrival(const Item& item) const { return arrived_[place(item)]; }
  void leave(size_t chunk) {
    slots_[chunk].leave();
    entries_[chunk].leave();
  }

  PipelineShape shape_;
  int stage_;
  Passes passes_;
  std::vector<Item> order_;
  size_t warm_up_;
  size_t next_ = 0;
  std::vector<Flight> slots_, entries_;
  Places gradients_;
  std::vector<int> arrived_;
  PipelineRound round_;
  std::vector<PipelineRound> rounds_;
  std::vector<int64_t> arrived_forward_;  // micro-batches, in the order of the rounds
};

void deliver(std::vector<Stage>& stages, int from, Pass pass) {
  const PipelineRound& round = stages[static_cast<size_t>(from)].round();
  if (!(pass == Pass::forward ? round.forward : round.backward).send) return;
  const auto count = static_cast<int>(stages.size());
  for (const Turn& turn : round.turns) {
    if (turn.pass != pass) continue;
    const int piece = turn.chunk * count + from + (pass == Pass::forward ? 1 : -1);
    stages[static_cast<size_t>(piece % count)].receive(from, pass, piece / count, turn.micro);
  }
}

// All stages that can take a turn take it; then what was made goes to whom it is for.
void walk_round(std::vector<Stage>& stages) {
  bool moved = false;
  for (Stage& stage : stages) moved |= stage.take_turns();
  if (!moved) throw std::logic_error("pipeline schedule: every stage waits for another one");
  for (const Pass pass : {Pass::forward, Pass::backward})
    for (int s = 0; s < static_cast<int>(stages.size()); ++s) deliver(stages, s, pass);
  for (Stage& stage : stages) stage.end_round();
}

}  // namespace

void PipelineShape::validate() const {
  if (stages < 1 || chunks < 1 || micro_batches < 1)
    throw UsageError(
        fmt::format("a pipeline of {} stages with {} chunks each and {} micro-batches: "
                    "all must be at least 1",
                    stages, chunks, micro_batches));
  if (chunks > 1 && stages == 1)
    throw UsageError(
        fmt::format("{} chunks a stage need more than one pipeline stage: give --pp, or "
                    "leave --virtual-stages out",
                    chunks));
  if (chunks > 1 && micro_batches % stages != 0)
    throw UsageError(fmt::format(
        "the interleaved schedule takes micro-batches in groups of one a pipeline stage, but {} "
        "micro-batches are no multiple of {} stages: choose another --global-batch or "
        "--virtual-stages 1",
        micro_batches, stages));
}

PipelinePlan plan_pipeline(const PipelineShape& shape, int stage, Passes passes) {
  shape.validate();
  std::vector<Stage> stages;
  for (int s = 0; s < shape.stages; ++s) stages.emplace_back(shape, s, passes);
  while (!std::all_of(stages.begin(), stages.end(), [](const Stage& s) { return s.done(); }))
    walk_round(stages);
  return stages[static_cast<size_t>(stage)].plan();
}

}  // namespace bench::layout
