// Tile by tile, without a matrix of all scores (Dao 2022; Dao 2023), by cuDNN's own kernels, which
// its graph API finds for "scaled dot-product attention". q, k and v are read where they lie in
// qkv, and their gradients written there; saved is the logarithm of each row's sum of exponentials,
// [batch, heads, seq]. On Hopper the deterministic backward needs memory for a matrix of scores in
// bfloat16, [batch, heads, seq, seq].
#include <cudnn_frontend.h>
#include <fmt/format.h>

#include <cmath>
#include <compare>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "bench/base/status.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/scratch.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

namespace fe = cudnn_frontend;
using fe::graph::Graph;
using fe::graph::Tensor_attributes;

// Names of the tensors in a graph.
enum Name : int64_t { kQ = 1, kK, kV, kOut, kSaved, kOutGrad, kQGrad, kKGrad, kVGrad };

using Addresses = std::unordered_map<int64_t, void*>;

void check_cudnn(cudnnStatus_t status, const char* doing) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw EnvironmentError(fmt::format("cuDNN, {}: {}", doing, cudnnGetErrorString(status)));
}

void check_graph(fe::error_t error, const char* doing) {
  if (error.is_good()) return;
  throw EnvironmentError(fmt::format("cuDNN, {}: {}", doing, error.get_message()));
}

struct Shape {
  int64_t batch, seq, heads, d;
  bool backward, deterministic;

  auto operator<=>(const Shape&) const = default;

  // Of heads in rows [heads, parts, d], one part at a time.
  Tensor_attributes heads_in_rows(Name name, int64_t parts) const {
    const int64_t head = parts * d, row = heads * head;
    Tensor_attributes made;
    made.set_uid(name).set_dim({batch, heads, seq, d}).set_stride({seq * row, head, row, 1});
    return made;
  }
  Tensor_attributes saved() const {
    Tensor_attributes made;
    made.set_uid(kSaved)
        .set_dim({batch, heads, seq, 1})
        .set_stride({heads * seq, seq, 1, 1})
        .set_data_type(fe::DataType_t::FLOAT);
    return made;
  }
};

void describe_output(Tensor_attributes& tensor, const Tensor_attributes& as) {
  tensor.set_output(true).set_uid(as.get_uid()).set_dim(as.get_dim()).set_stride(as.get_stride());
}

// What both directions say of the scores: scaled, and causal.
template <class Options>
Options options(const Shape& s) {
  Options made;
  made.set_attn_scale(static_cast<float>(1 / std::sqrt(static_cast<double>(s.d))))
      .set_diagonal_alignment(fe::DiagonalAlignment_t::TOP_LEFT)
      .set_diagonal_band_right_bound(0);
  return made;
}

void add_forward(Graph& graph, const Shape& s) {
  const auto [out, saved] =
      graph.sdpa(graph.tensor(s.heads_in_rows(kQ, 3)), graph.tensor(s.heads_in_rows(kK, 3)),
                 graph.tensor(s.heads_in_rows(kV, 3)),
                 options<fe::graph::SDPA_attributes>(s).set_generate_stats(true));
  describe_output(*out, s.heads_in_rows(kOut, 1));
  describe_output(*saved, s.saved());
  saved->set_data_type(fe::DataType_t::FLOAT);
}

void add_backward(Graph& graph, const Shape& s) {
  const auto [dq, dk, dv] = graph.sdpa_backward(
      graph.tensor(s.heads_in_rows(kQ, 3)), graph.tensor(s.heads_in_rows(kK, 3)),
      graph.tensor(s.heads_in_rows(kV, 3)), graph.tensor(s.heads_in_rows(kOut, 1)),
      graph.tensor(s.heads_in_rows(kOutGrad, 1)), graph.tensor(s.saved()),
      options<fe::graph::SDPA_backward_attributes>(s).set_deterministic_algorithm(s.deterministic));
  describe_output(*dq, s.heads_in_rows(kQGrad, 3));
  describe_output(*dk, s.heads_in_rows(kKGrad, 3));
  describe_output(*dv, s.heads_in_rows(kVGrad, 3));
}

// cuDNN's handle and the graphs that were built with it: one of each shape. A handle serves one
// thread at a time; it is never destroyed, since the driver may be gone by then.
class Graphs {
 public:
  Graphs() { check_cudnn(cudnnCreate(&handle_), "starting"); }

  void run(const Context& context, const Shape& shape, Addresses tensors) {
    const std::scoped_lock lock(mutex_);
    check_cudnn(cudnnSetStream(handle_, stream_of(context)), "choosing a stream");
    const Built& built = graph_of(shape);
    check_graph(built.graph->execute(handle_, tensors, scratch(context, built.workspace_bytes)),
                shape.backward ? "attention backward" : "attention");
  }

 private:
  struct Built {
    std::unique_ptr<Graph> graph;
    size_t workspace_bytes = 0;
  };

  const Built& graph_of(const Shape& shape) {
    const auto known = built_.find(shape);
    if (known != built_.end()) return known->second;
    Built made{.graph = std::make_unique<Graph>()};
    made.graph->set_io_data_type(fe::DataType_t::BFLOAT16)
        .set_intermediate_data_type(fe::DataType_t::FLOAT)
        .set_compute_data_type(fe::DataType_t::FLOAT);
    shape.backward ? add_backward(*made.graph, shape) : add_forward(*made.graph, shape);
    check_graph(made.graph->build(handle_, {fe::HeurMode_t::A}), "building a graph of attention");
    int64_t bytes = 0;
    check_graph(made.graph->get_workspace_size(bytes), "asking for a workspace");
    made.workspace_bytes = static_cast<size_t>(bytes);
    return built_.emplace(shape, std::move(made)).first->second;
  }

  std::mutex mutex_;
  cudnnHandle_t handle_ = nullptr;
  std::map<Shape, Built> built_;
};

Graphs& graphs() {
  static auto* const all = new Graphs;
  return *all;
}

// cuDNN takes inputs by the same type as outputs.
template <class T>
void* address(const T* memory) {
  return const_cast<T*>(memory);
}

// The parts of rows [heads, 3, d].
void put_parts(Addresses& to, Name first, const bfloat16* rows, int64_t d) {
  for (int64_t part = 0; part < 3; ++part) to[first + part] = address(rows + part * d);
}

void attention_forward(const Context& context, const AttentionForward<bfloat16>& a) {
  Addresses tensors = {{kOut, a.out}, {kSaved, a.saved}};
  put_parts(tensors, kQ, a.qkv, a.d);
  const Shape shape{.batch = a.batch,
                    .seq = a.seq,
                    .heads = a.heads,
                    .d = a.d,
                    .backward = false,
                    .deterministic = true};
  graphs().run(context, shape, std::move(tensors));
}

void attention_backward(const Context& context, const AttentionBackward<bfloat16>& a) {
  Addresses tensors = {
      {kOut, address(a.out)}, {kSaved, const_cast<void*>(a.saved)}, {kOutGrad, address(a.d_out)}};
  put_parts(tensors, kQ, a.qkv, a.d);
  put_parts(tensors, kQGrad, a.d_qkv, a.d);
  const Shape shape{.batch = a.batch,
                    .seq = a.seq,
                    .heads = a.heads,
                    .d = a.d,
                    .backward = true,
                    .deterministic = context.deterministic};
  graphs().run(context, shape, std::move(tensors));
}

int64_t attention_saved_bytes(int64_t batch, int64_t seq, int64_t heads, int64_t) {
  return batch * heads * seq * static_cast<int64_t>(sizeof(float));
}

// Rows of q, k and v have to begin at multiples of 16 bytes; cuDNN has no backward for one token.
bool supports(const OpShape& s) { return s.d % 8 == 0 && s.d > 0 && s.d <= 128 && s.seq > 1; }

}  // namespace

void register_attention_flash(VariantList& list) {
  list.add(Variant<bfloat16>{.op = "attention",
                             .name = "flash",
                             .device = DeviceKind::cuda,
                             .install =
                                 [](Ops<bfloat16>& ops) {
                                   ops.attention_forward = attention_forward;
                                   ops.attention_backward = attention_backward;
                                   ops.attention_saved_bytes = attention_saved_bytes;
                                 },
                             .supports = supports});
}

}  // namespace bench::kernels::cuda
