#pragma once
// Collectives of a step: along an axis of the mesh, in a trace range of their own, nothing at all
// where the axis has one rank.

#include "bench/device/context.h"
#include "parallel/layout/mesh.h"

namespace bench::gpt2 {

// In place. Range "tp.all_reduce" or "dp.all_reduce", payload = bytes.
template <class T>
void all_reduce(const Context& context, layout::Mesh& mesh, layout::Axis axis, T* buffer,
                int64_t count, ReduceOp op);

// An in-place sum over the tensor ranks that runs while other work goes on. Waited for at the
// latest by the destructor, since the buffer belongs to the communicator until then.
template <class T>
class StartedSum {
 public:
  StartedSum(const Context& context, layout::Mesh& mesh, T* buffer, int64_t count);
  ~StartedSum();
  StartedSum(const StartedSum&) = delete;
  StartedSum& operator=(const StartedSum&) = delete;
  void wait();

 private:
  const Context& context_;
  Communicator* comm_ = nullptr;  // null: nothing to wait for
  Communicator::Ticket ticket_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace bench::gpt2
