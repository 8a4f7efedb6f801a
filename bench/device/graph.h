#pragma once
// Work of a stream that is recorded once and then given to it again as a whole, which spares the
// host a call, and the device a gap, for each of its parts.

#include <functional>
#include <memory>

#include "bench/device/context.h"

namespace bench {

class Graph {
 public:
  virtual ~Graph() = default;
  // Gives the recorded work to the stream. False, and nothing given: memory that it uses has gone
  // since, record it again. Throws EnvironmentError where the device refuses.
  [[nodiscard]] virtual bool launch(Stream s) = 0;
};

// Records what `work` gives to the context's stream, without running it: pointers and numbers stay
// as they were then, what lies in the device's memory is read anew at each launch. `work` has run
// before, so that all it allocates is there. nullptr where this stream cannot be recorded.
using GraphRecorder =
    std::function<std::unique_ptr<Graph>(const Context&, const std::function<void()>& work)>;

}  // namespace bench
