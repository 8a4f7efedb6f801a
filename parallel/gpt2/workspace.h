#pragma once
// Everything a step needs besides the parameters: activations kept for the backward pass and
// scratch, carved out of one buffer when the step is made, so that a step allocates nothing.
// Statistics and losses are kept in the wide type.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/device/buffer.h"
#include "kernels/ops.h"
#include "parallel/gpt2/config.h"
#include "parallel/layout/pipeline.h"

namespace bench::gpt2 {

// One layer's activations; n tokens, of which n_part are this rank's rows of the residual stream, h
// hidden, p tensor ranks. What is recomputed lies in one place
// for all layers.
template <class T>
struct LayerActivations {
  T* in;                       // [n_part, h] residual stream on entry
  T* ln1;                      // [n_part, h] what QKV reads
  kernels::Wide<T>* ln1_mean;  // [n_part]
  kernels::Wide<T>* ln1_rstd;  // [n_part]
  T* qkv;                      // [n, 3h/p]
  T* attention;                // [n, h/p]
  void* saved;                 // attention_saved_bytes()
  T* mid;                      // [n_part, h] residual stream between attention and MLP
  T* ln2;                      // [n_part, h] what FC1 reads
  kernels::Wide<T>* ln2_mean;  // [n_part]
  kernels::Wide<T>* ln2_rstd;  // [n_part]
  T* fc1;                      // [n, 4h/p] before GELU
  T* gelu;                     // [n, 4h/p]
};

// What a stage keeps of one of its chunks.
template <class T>
struct ChunkActivations {
  std::vector<T*> entries;                  // [n_part, h] residual streams on the chunk's entry
  std::vector<LayerActivations<T>> layers;  // [slots, layers of a chunk]; the first one's `in` is
                                            // an entry
};

template <class T>
struct Workspace {
  std::vector<ChunkActivations<T>> chunks;
  int64_t chunk_layers = 0;
  T* boundary = nullptr;                   // [n_part, h] residual stream that another stage goes on
                                           // with; or nullptr where there is one stage
  T* out = nullptr;                        // [n_part, h] residual stream after the last layer
  T* final_norm = nullptr;                 // [n_part, h]
  kernels::Wide<T>* final_mean = nullptr;  // [n_part]
  kernels::Wide<T>* final_rstd = nullptr;  // [n_part]
  T* branch = nullptr;    // [n_part, h] output of attention or MLP until the next norm adds it
  T* gathered = nullptr;  // [n, h] all rows of what is spread over the tensor ranks; or nullptr
  T* partial = nullptr;   // [n, h] partial sums of all rows; or nullptr where n_part = n
  T* logits = nullptr;    // [n, V/p]; their gradient takes their place
  kernels::Wide<T>* local_max = nullptr;  // [n] of the logits here
  kernels::Wide<T>* row_max = nullptr;    // [n] of all tensor ranks
  kernels::Wide<T>* sums = nullptr;       // [2n] sum of exp, target logit
  kernels::Wide<T>* loss = nullptr;       // [accumulation * n] a loss a token
  std::vector<T*> d_residuals;            // [n_part, h] gradients of residual streams
  T* d_norm = nullptr;                    // [n_part, h] gradient of a norm's output
  T* d_part = nullptr;                    // [n, h/p] gradient of the attention's output
  T* d_wide = nullptr;                    // [n, 4h/p] gradient of FC1's output, or of QKV [n, 3h/p]

  // The activations that a turn works on, of the chunk's `i`-th layer.
  LayerActivations<T> layer(const layout::Turn& turn, int64_t i) const {
    const ChunkActivations<T>& chunk = chunks[static_cast<size_t>(turn.chunk)];
    LayerActivations<T> a = chunk.layers[static_cast<size_t>(turn.slot * chunk_layers + i)];
    if (i == 0) a.in = chunk.entries[static_cast<size_t>(turn.entry)];
    return a;
  }

  Workspace() = default;
  Workspace(Device& device, const RankShape& shape, int64_t accumulation, Recompute recompute,
            const kernels::Ops<T>& ops);
  size_t bytes() const { return memory_.bytes(); }

 private:
  Buffer<std::byte> memory_;
};

// What a Workspace takes, without making one. As much as the pipeline's schedule has in flight.
template <class T>
int64_t workspace_bytes(const RankShape& shape, int64_t accumulation, Recompute recompute,
                        const kernels::Ops<T>& ops);

}  // namespace bench::gpt2
