#include "parallel/gpt2/replay.h"

namespace bench::gpt2 {

void Replay::run(const Context& context, const std::function<void()>& work) {
  const bool plain = !recorder_ || !has_run_ || context.tracer.recording();
  if (plain || !launch(context, work)) {
    work();
    has_run_ = true;
  }
}

// False: this stream cannot be recorded.
bool Replay::launch(const Context& context, const std::function<void()>& work) {
  const Range range(context, "graph", replays_);
  if (graph_ == nullptr || !graph_->launch(context.stream)) {
    graph_ = recorder_(context, work);
    if (graph_ == nullptr || !graph_->launch(context.stream)) {
      recorder_ = nullptr;
      return false;
    }
  }
  ++replays_;
  return true;
}

}  // namespace bench::gpt2
