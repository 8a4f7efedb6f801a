#include <cuda_runtime_api.h>

#include "kernels/cuda/check.h"
#include "kernels/cuda/scratch.h"
#include "kernels/graph.h"

namespace bench::kernels {
namespace {

using cuda::check;

// The driver frees an executable graph that is in flight when it has ended.
struct Deleter {
  void operator()(cudaGraph_t graph) const { cudaGraphDestroy(graph); }
  void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
};
using OwnedGraph = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, Deleter>;
using OwnedExecutable = std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, Deleter>;

OwnedExecutable instantiate(const OwnedGraph& recorded, cudaStream_t stream) {
  cudaGraphExec_t made = nullptr;
  check(cudaGraphInstantiate(&made, recorded.get(), 0), "instantiating a graph");
  OwnedExecutable owned(made);
  check(cudaGraphUpload(made, stream), "uploading a graph");
  return owned;
}

class CudaGraph final : public Graph {
 public:
  CudaGraph(const OwnedGraph& recorded, cudaStream_t stream)
      : executable_(instantiate(recorded, stream)), moves_(cuda::scratch_moves()) {}

  bool launch(Stream s) override {
    if (cuda::scratch_moves() != moves_) return false;
    check(cudaGraphLaunch(executable_.get(), static_cast<cudaStream_t>(s.native)),
          "launching a graph");
    return true;
  }

 private:
  OwnedExecutable executable_;
  uint64_t moves_;
};

OwnedGraph end_recording(cudaStream_t stream) {
  cudaGraph_t recorded = nullptr;
  const cudaError_t status = cudaStreamEndCapture(stream, &recorded);
  OwnedGraph owned(recorded);
  check(status, "ending the recording of a graph");
  return owned;
}

// Other threads of the process may call CUDA meanwhile: only this one's calls are held to what can
// be recorded.
OwnedGraph record(cudaStream_t stream, const std::function<void()>& work) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a graph");
  try {
    work();
  } catch (...) {
    cudaGraph_t partial = nullptr;
    cudaStreamEndCapture(stream, &partial);
    if (partial != nullptr) cudaGraphDestroy(partial);
    cudaGetLastError();  // what is told is the exception
    throw;
  }
  return end_recording(stream);
}

// The legacy default stream cannot be recorded.
std::unique_ptr<Graph> record_graph(const Context& context, const std::function<void()>& work) {
  const cudaStream_t stream = cuda::stream_of(context);
  if (stream == nullptr) return nullptr;
  return std::make_unique<CudaGraph>(record(stream, work), stream);
}

}  // namespace

GraphRecorder graph_recorder() { return record_graph; }

}  // namespace bench::kernels
