#include <fmt/format.h>
#include <omp.h>

#include <dnnl.hpp>
#include <map>
#include <tuple>
#include <unordered_map>

#include "bench/base/status.h"
#include "kernels/cpu/scratch.h"
#include "kernels/linear/matmul.h"

namespace bench::kernels::cpu {
namespace {

dnnl::memory::desc matrix(int64_t rows, int64_t columns, bool transposed) {
  const auto strides = transposed ? dnnl::memory::dims{1, rows} : dnnl::memory::dims{columns, 1};
  return {{rows, columns}, dnnl::memory::data_type::f32, strides};
}

// One primitive with its arguments, whose addresses are set before each run.
class Prepared {
 public:
  Prepared(const dnnl::engine& engine, const Matmul& m) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const auto a = matrix(m.m, m.k, m.transpose_a), b = matrix(m.k, m.n, m.transpose_b);
    const auto c = matrix(m.m, m.n, false);
    const auto bias = m.bias != nullptr ? matrix(1, m.n, false) : dnnl::memory::desc();
    const auto description =
        m.bias != nullptr ? dnnl::matmul::desc(a, b, bias, c) : dnnl::matmul::desc(a, b, c);
    const dnnl::matmul::primitive_desc chosen(description, attributes, engine);
    primitive_ = dnnl::matmul(chosen);
    const auto scratchpad = chosen.scratchpad_desc();
    place(DNNL_ARG_SRC, a, engine);
    place(DNNL_ARG_WEIGHTS, b, engine);
    if (m.bias != nullptr) place(DNNL_ARG_BIAS, bias, engine);
    place(DNNL_ARG_DST, c, engine);
    place(DNNL_ARG_SCRATCHPAD, scratchpad, engine);
    scratchpad_bytes_ = scratchpad.get_size();
  }

  void run(const dnnl::stream& stream, const Matmul& m, Scratch& scratch) {
    at(DNNL_ARG_SRC, m.a);
    at(DNNL_ARG_WEIGHTS, m.b);
    if (m.bias != nullptr) at(DNNL_ARG_BIAS, m.bias);
    at(DNNL_ARG_DST, m.c);
    at(DNNL_ARG_SCRATCHPAD, scratch.bytes(scratchpad_bytes_));
    primitive_.execute(stream, arguments_);
  }

 private:
  void place(int argument, const dnnl::memory::desc& description, const dnnl::engine& engine) {
    arguments_.emplace(argument, dnnl::memory(description, engine, nullptr));
  }
  void at(int argument, const void* address) {
    arguments_.at(argument).set_data_handle(const_cast<void*>(address));
  }

  dnnl::matmul primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  size_t scratchpad_bytes_ = 0;
};

// What one thread has of oneDNN. The blocking is chosen for a number of threads, so that is part of
// the key.
class Cache {
 public:
  void run(const Matmul& m) {
    const Key key{m.transpose_a,     m.transpose_b,        m.m, m.n, m.k,
                  m.bias != nullptr, omp_get_max_threads()};
    auto found = prepared_.find(key);
    if (found == prepared_.end()) found = prepared_.emplace(key, Prepared(engine_, m)).first;
    found->second.run(stream_, m, scratch_);
    stream_.wait();
  }

 private:
  using Key = std::tuple<bool, bool, int64_t, int64_t, int64_t, bool, int>;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::map<Key, Prepared> prepared_;
  Scratch scratch_;
};

}  // namespace

void matmul(const Matmul& m) {
  thread_local Cache cache;
  try {
    cache.run(m);
  } catch (const dnnl::error& e) {
    throw EnvironmentError(fmt::format("oneDNN cannot multiply [{} x {}] by [{} x {}] in f32: {}",
                                       m.m, m.k, m.k, m.n, e.what()));
  }
}

}  // namespace bench::kernels::cpu
