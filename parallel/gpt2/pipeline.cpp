#include "parallel/gpt2/pipeline.h"

#include <span>

#include "bench/base/bfloat16.h"
#include "parallel/gpt2/backward.h"

namespace bench::gpt2 {
namespace {

using layout::Axis;
using layout::Handover;
using layout::Handovers;
using layout::Pass;

template <class T>
const T* outgoing(const StepState<T>& st, const Handover& h) {
  return h.pass == Pass::forward ? st.work.boundary
                                 : st.work.d_residuals[static_cast<size_t>(h.buffer)];
}

template <class T>
T* incoming(const StepState<T>& st, const Handover& h) {
  const auto& places = h.pass == Pass::forward
                           ? st.work.chunks[static_cast<size_t>(h.chunk)].entries
                           : st.work.d_residuals;
  return places[static_cast<size_t>(h.buffer)];
}

// Without allocating: it is timed.
template <class T>
void hand_over(StepState<T>& st, const Handovers& together) {
  if (together.empty()) return;
  const int64_t size = st.shape.n_part * st.shape.h;
  Outgoing out{};
  Incoming in{};
  if (const auto& h = together.send)
    out = {.buffer = outgoing(st, *h), .count = size, .to = h->peer};
  if (const auto& h = together.receive)
    in = {.buffer = incoming(st, *h), .count = size, .from = h->peer};
  const std::span<const Outgoing> sends(&out, together.send ? 1 : 0);
  const std::span<const Incoming> receives(&in, together.receive ? 1 : 0);
  const auto messages = static_cast<int64_t>(sends.size() + receives.size());
  const Range range(st.context, "pp.exchange", messages * size * static_cast<int64_t>(sizeof(T)));
  st.mesh.along(Axis::pipeline).exchange(st.context.stream, sends, receives, dtype_of<T>(), 0);
}

template <class T>
void run(StepState<T>& st, const layout::PipelinePlan& plan, LossMode mode) {
  for (const layout::PipelineRound& round : plan.rounds) {
    for (const layout::Turn& turn : round.turns) {
      if (turn.pass == Pass::forward)
        forward(st, turn, mode);
      else
        backward(st, turn);
    }
    hand_over(st, round.forward);
    hand_over(st, round.backward);
  }
}

}  // namespace

template <class T>
void run_training(StepState<T>& st) {
  run(st, st.training, LossMode::gradient);
}

template <class T>
void run_forward_only(StepState<T>& st) {
  run(st, st.forward_only, LossMode::value);
}

template <class T>
void sum_tied_embedding(StepState<T>& st) {
  Communicator* const ends = st.mesh.ends();
  if (ends == nullptr) return;
  using Wide = kernels::Wide<T>;
  const int64_t size = st.shape.vocab.rows * st.shape.h;
  const Range range(st.context, "pp.all_reduce", size * static_cast<int64_t>(sizeof(Wide)));
  Wide* const gradient = st.gradient(st.table.token_embedding());
  ends->all_reduce(st.context.stream, gradient, gradient, size, dtype_of<Wide>(), ReduceOp::sum);
}

template void run_training(StepState<float>&);
template void run_training(StepState<double>&);
template void run_training(StepState<bfloat16>&);
template void run_forward_only(StepState<float>&);
template void run_forward_only(StepState<double>&);
template void run_forward_only(StepState<bfloat16>&);
template void sum_tied_embedding(StepState<float>&);
template void sum_tied_embedding(StepState<double>&);
template void sum_tied_embedding(StepState<bfloat16>&);

}  // namespace bench::gpt2
