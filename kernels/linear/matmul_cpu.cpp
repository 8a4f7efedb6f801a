#include <fmt/format.h>
#include <omp.h>

#include <dnnl.hpp>
#include <map>
#include <tuple>
#include <unordered_map>

#include "bench/base/status.h"
#include "kernels/cpu/scratch.h"
#include "kernels/linear/matmul.h"
#include "kernels/linear/op.h"

namespace bench::kernels::cpu {
namespace {

using Type = dnnl::memory::data_type;
using Desc = dnnl::memory::desc;

Type type_of(DType dtype) { return dtype == DType::bf16 ? Type::bf16 : Type::f32; }

Desc matrix(Type type, int64_t rows, int64_t columns, bool transposed = false) {
  const auto strides = transposed ? dnnl::memory::dims{1, rows} : dnnl::memory::dims{columns, 1};
  return {{rows, columns}, type, strides};
}

Desc any_layout(Type type, int64_t rows, int64_t columns) {
  return {{rows, columns}, type, dnnl::memory::format_tag::any};
}

// What one thread has of oneDNN beside its primitives.
struct Library {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  Scratch scratch;
};

// A primitive with its arguments, whose addresses are set before each run.
class Primitive {
 public:
  template <class Made, class Chosen>
  static Primitive of(const Library& library, const Chosen& chosen) {
    Primitive p;
    p.primitive_ = Made(chosen);
    const auto scratchpad = chosen.scratchpad_desc();
    p.place(DNNL_ARG_SCRATCHPAD, scratchpad, library.engine);
    p.scratchpad_bytes_ = scratchpad.get_size();
    return p;
  }

  void place(int argument, const Desc& description, const dnnl::engine& engine) {
    arguments_.emplace(argument, dnnl::memory(description, engine, nullptr));
  }
  void at(int argument, const void* address) {
    arguments_.at(argument).set_data_handle(const_cast<void*>(address));
  }
  void run(Library& library) {
    at(DNNL_ARG_SCRATCHPAD, library.scratch.bytes(scratchpad_bytes_));
    primitive_.execute(library.stream, arguments_);
    library.stream.wait();
  }

 private:
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  size_t scratchpad_bytes_ = 0;
};

dnnl::primitive_attr own_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

class PreparedMatmul {
 public:
  PreparedMatmul(const Library& library, const Matmul& m)
      : plain_b_(matrix(type_of(m.dtype), m.k, m.n, m.transpose_b)) {
    const Type type = type_of(m.dtype);
    const auto a = matrix(type, m.m, m.k, m.transpose_a), c = matrix(type, m.m, m.n);
    const auto b = m.prepared != nullptr ? any_layout(type, m.k, m.n) : plain_b_;
    const auto bias = m.bias != nullptr ? matrix(type, 1, m.n) : Desc();
    const auto description =
        m.bias != nullptr ? dnnl::matmul::desc(a, b, bias, c) : dnnl::matmul::desc(a, b, c);
    const dnnl::matmul::primitive_desc chosen(description, own_scratchpad(), library.engine);
    chosen_b_ = chosen.weights_desc();
    primitive_ = Primitive::of<dnnl::matmul>(library, chosen);
    primitive_.place(DNNL_ARG_SRC, a, library.engine);
    primitive_.place(DNNL_ARG_WEIGHTS, chosen_b_, library.engine);
    if (m.bias != nullptr) primitive_.place(DNNL_ARG_BIAS, bias, library.engine);
    primitive_.place(DNNL_ARG_DST, c, library.engine);
  }

  void run(Library& library, const Matmul& m) {
    primitive_.at(DNNL_ARG_SRC, m.a);
    primitive_.at(DNNL_ARG_WEIGHTS, weights(library, m));
    if (m.bias != nullptr) primitive_.at(DNNL_ARG_BIAS, m.bias);
    primitive_.at(DNNL_ARG_DST, m.c);
    primitive_.run(library);
  }

 private:
  const void* weights(Library& library, const Matmul& m) {
    if (chosen_b_ == plain_b_) return m.b;
    return m.prepared->in(chosen_b_, chosen_b_.get_size(), [&](void* memory) {
      dnnl::memory from(plain_b_, library.engine, const_cast<void*>(m.b));
      dnnl::memory to(chosen_b_, library.engine, memory);
      dnnl::reorder(from, to).execute(library.stream, from, to);
      library.stream.wait();
    });
  }

  Desc plain_b_, chosen_b_;
  Primitive primitive_;
};

// Backward by weights of an inner product, in plain layouts: with its own it is far slower, since
// what it reads and writes changes with every call.
class PreparedWeightGrad {
 public:
  PreparedWeightGrad(const Library& library, const WeightGradProduct& p) {
    using dnnl::inner_product_backward_weights;
    const Type type = type_of(p.dtype);
    const auto x = matrix(type, p.n, p.in), dy = matrix(type, p.n, p.out);
    const auto dw = matrix(Type::f32, p.out, p.in);
    const Desc bias =
        p.d_bias != nullptr ? Desc({p.out}, Type::f32, dnnl::memory::format_tag::a) : Desc();
    const auto forward = forward_hint(library, type, p);
    const auto description = p.d_bias != nullptr
                                 ? inner_product_backward_weights::desc(x, dw, bias, dy)
                                 : inner_product_backward_weights::desc(x, dw, dy);
    const inner_product_backward_weights::primitive_desc chosen(description, own_scratchpad(),
                                                                library.engine, forward);
    primitive_ = Primitive::of<inner_product_backward_weights>(library, chosen);
    primitive_.place(DNNL_ARG_SRC, x, library.engine);
    primitive_.place(DNNL_ARG_DIFF_DST, dy, library.engine);
    primitive_.place(DNNL_ARG_DIFF_WEIGHTS, dw, library.engine);
    if (p.d_bias != nullptr) primitive_.place(DNNL_ARG_DIFF_BIAS, bias, library.engine);
  }

  void run(Library& library, const WeightGradProduct& p) {
    primitive_.at(DNNL_ARG_SRC, p.x);
    primitive_.at(DNNL_ARG_DIFF_DST, p.dy);
    primitive_.at(DNNL_ARG_DIFF_WEIGHTS, p.dw);
    if (p.d_bias != nullptr) primitive_.at(DNNL_ARG_DIFF_BIAS, p.d_bias);
    primitive_.run(library);
  }

 private:
  static dnnl::inner_product_forward::primitive_desc forward_hint(const Library& library, Type type,
                                                                  const WeightGradProduct& p) {
    return {dnnl::inner_product_forward::desc(dnnl::prop_kind::forward_training,
                                              matrix(type, p.n, p.in), matrix(type, p.out, p.in),
                                              matrix(type, p.n, p.out)),
            library.engine};
  }

  Primitive primitive_;
};

// Made primitives of one thread. The blocking is chosen for a number of threads, so that is part of
// the key.
template <class Key, class Prepared>
class Cache {
 public:
  template <class Call>
  void run(Library& library, const Key& key, const Call& call) {
    auto found = made_.find(key);
    if (found == made_.end()) found = made_.emplace(key, Prepared(library, call)).first;
    found->second.run(library, call);
  }

 private:
  std::map<Key, Prepared> made_;
};

using MatmulKey = std::tuple<DType, bool, bool, int64_t, int64_t, int64_t, bool, bool, int>;
using WeightGradKey = std::tuple<DType, int64_t, int64_t, int64_t, bool, int>;

thread_local Library library;

}  // namespace

void matmul(const Matmul& m) {
  thread_local Cache<MatmulKey, PreparedMatmul> cache;
  const MatmulKey key{m.dtype,           m.transpose_a,         m.transpose_b,        m.m, m.n, m.k,
                      m.bias != nullptr, m.prepared != nullptr, omp_get_max_threads()};
  try {
    cache.run(library, key, m);
  } catch (const dnnl::error& e) {
    throw EnvironmentError(fmt::format("oneDNN cannot multiply [{} x {}] by [{} x {}] in {}: {}",
                                       m.m, m.k, m.k, m.n, name_of(m.dtype), e.what()));
  }
}

void weight_grad_product(const WeightGradProduct& p) {
  thread_local Cache<WeightGradKey, PreparedWeightGrad> cache;
  const WeightGradKey key{p.dtype, p.n, p.in, p.out, p.d_bias != nullptr, omp_get_max_threads()};
  try {
    cache.run(library, key, p);
  } catch (const dnnl::error& e) {
    throw EnvironmentError(
        fmt::format("oneDNN cannot compute the weight gradient of {} x {} to {} in {}: {}", p.n,
                    p.in, p.out, name_of(p.dtype), e.what()));
  }
}

std::string_view onednn_bf16_arithmetic() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_amx: return "amx_bf16";
    case dnnl::cpu_isa::avx512_core_bf16: return "avx512_bf16";
    case dnnl::cpu_isa::avx512_core:
    case dnnl::cpu_isa::avx512_core_vnni: return "avx512 emulation";
    default: return "";
  }
}

bool onednn_multiplies_bf16() { return onednn_bf16_arithmetic().ends_with("_bf16"); }

// Since AVX-512, as its bf16.
bool onednn_prefers_own_layouts() { return !onednn_bf16_arithmetic().empty(); }

}  // namespace bench::kernels::cpu
