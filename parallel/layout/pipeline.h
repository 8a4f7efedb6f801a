#pragma once
// Pipeline schedules as data: which stage does what in which order, and what it hands over to whom.
// A model is cut into stages x chunks pieces of consecutive layers; piece g is chunk g / stages of
// stage g mod stages. With one chunk a stage the schedule is 1F1B (Narayanan 2019; Megatron-LM),
// with more it is the interleaved one, whose bubble is (stages - 1) / (chunks * micro-batches) of
// the work (Narayanan 2021, section 2.2).

#include <cstdint>
#include <optional>
#include <vector>

namespace bench::layout {

struct PipelineShape {
  int stages = 1;
  int chunks = 1;  // a stage
  int64_t micro_batches = 1;

  // Throws UsageError: the interleaved schedule takes micro-batches in groups of `stages`.
  void validate() const;
};

enum class Pass : uint8_t { forward, backward };

// One micro-batch through the layers of one chunk. What it needs is numbered, from 0, so that
// memory can be laid out before the first step.
struct Turn {
  Pass pass = Pass::forward;
  int chunk = 0;
  int64_t micro = 0;
  int slot = 0;      // of the chunk's activations: from forward to backward
  int entry = 0;     // of the chunk's inputs: from arrival to backward
  int gradient = 0;  // of the gradients of residual streams; in backward alone
};

// What goes to or comes from a neighbour: the output of a chunk, or the gradient of its input. A
// received one lies in the receiving turn's entry, or gradient.
struct Handover {
  Pass pass = Pass::forward;
  int peer = 0;    // stage
  int chunk = 0;   // here
  int buffer = 0;  // entry, or gradient; of no meaning where an output is sent
};

// Messages that go together. One way, a stage receives from one neighbour alone and sends to the
// other alone.
struct Handovers {
  std::optional<Handover> send, receive;

  bool empty() const { return !send && !receive; }
};

// What a stage does: its turns, then the messages of forward passes, then those of backward passes.
struct PipelineRound {
  std::vector<Turn> turns;  // at most one each way
  Handovers forward, backward;

  Handovers& of(Pass pass) { return pass == Pass::forward ? forward : backward; }
};

// How many of each a stage needs at once.
struct PipelineRoom {
  std::vector<int> slots, entries;  // a chunk
  int gradients = 0;
};

struct PipelinePlan {
  std::vector<PipelineRound> rounds;
  PipelineRoom room;
};

enum class Passes : uint8_t { training, forward_only };

// Of one stage. The plans of all stages fit together: the messages of a round meet those of one
// round of the neighbour, in an order that needs no buffering on the way. A round is one turn in
// 1F1B, where neighbours go forward and backward in turns, and one each way in the interleaved
// schedule, where they do the same at the same time.
PipelinePlan plan_pipeline(const PipelineShape& shape, int stage, Passes passes);

}  // namespace bench::layout
