#pragma once
// The seam between the residual stream and the products that tensor ranks share. Without sequence
// parallelism every rank holds all rows of the stream, and partial results are summed in place.
// With it a rank holds n/p of the rows: all are gathered before a column-parallel product, and
// partial results are reduced to the rows of each rank after it (g and its conjugate, Korthikanti
// 2022, figure 5).

#include "parallel/gpt2/state.h"

namespace bench::gpt2 {

// All rows [n, h] of what is spread over the tensor ranks as [n_part, h]: `part` itself where that
// is everything, otherwise work.gathered, until the next call.
template <class T>
const T* gather_rows(StepState<T>& st, const T* part);

// Where a product is to leave its partial sums [n, h] that are to become `part`.
template <class T>
T* partial_rows(StepState<T>& st, T* part);

// `part` [n_part, h] = this rank's rows of the sum over the tensor ranks of what lies in
// partial_rows(part).
template <class T>
void reduce_rows(StepState<T>& st, T* part);

// reduce_rows that runs while other work goes on. Waited for at the latest by the destructor, since
// the buffers belong to the communicator until then.
template <class T>
class StartedReduction {
 public:
  StartedReduction(StepState<T>& st, T* part);
  ~StartedReduction();
  StartedReduction(const StartedReduction&) = delete;
  StartedReduction& operator=(const StartedReduction&) = delete;
  void wait();

 private:
  StepState<T>& st_;
  bool started_ = false;
  Communicator::Ticket ticket_ = 0;
};

// The gradients of norms' gains and biases, summed over all rows: each tensor rank has added up its
// own. Once a step, after the last micro-batch; nothing to do without sequence parallelism.
template <class T>
void sum_norm_gradients(StepState<T>& st, const layout::Span& norms);

}  // namespace bench::gpt2
