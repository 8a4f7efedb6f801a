#pragma once
// The same work again and again, as one recorded graph where there is a recorder.

#include <cstdint>
#include <functional>
#include <memory>

#include "bench/device/graph.h"

namespace bench::gpt2 {

class Replay {
 public:
  // Without a recorder all runs are plain.
  explicit Replay(GraphRecorder recorder) : recorder_(std::move(recorder)) {}

  // Gives `work`, the same at every call, to the context's stream: plainly the first time, when ops
  // allocate and choose what they will use, and while somebody times its ranges; recorded in range
  // "graph", payload = replays so far, at all other times.
  void run(const Context& context, const std::function<void()>& work);

  int64_t replays() const { return replays_; }

 private:
  bool launch(const Context& context, const std::function<void()>& work);

  GraphRecorder recorder_;
  std::unique_ptr<Graph> graph_;
  bool has_run_ = false;
  int64_t replays_ = 0;
};

}  // namespace bench::gpt2
