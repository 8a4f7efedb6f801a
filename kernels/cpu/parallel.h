#pragma once
// How CPU kernels share work among the threads a rank may use: fixed parts, so that for one number
// of threads every run adds the same numbers in the same order.

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

#include "bench/device/context.h"

namespace bench::kernels::cpu {

struct Part {
  int64_t begin, end;
  int index;  // which of the parts
};

// Part `index` of `count` over [0, size), beginnings at multiples of `grain`.
inline Part part_of(int64_t size, int index, int count, int64_t grain = 1) {
  const int64_t grains = (size + grain - 1) / grain;
  const int64_t begin = std::min(size, grains * index / count * grain);
  const int64_t end = std::min(size, grains * (index + 1) / count * grain);
  return {.begin = begin, .end = end, .index = index};
}

// body(part) for as many parts as the device has threads; returns when all are done. A part is
// never split, so results do not depend on how many threads OpenMP really gives.
template <class Body>
void parallel_parts(const Context& context, int64_t size, int64_t grain, const Body& body) {
  const int parts = context.device.threads();
  std::exception_ptr thrown;
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int index = 0; index < parts; ++index) {
    const Part part = part_of(size, index, parts, grain);
    if (part.begin == part.end) continue;
    try {
      body(part);
    } catch (...) {
#pragma omp critical(bench_parallel_parts)
      thrown = std::current_exception();
    }
  }
  if (thrown) std::rethrow_exception(thrown);
}

// body(task) for each of [0, count), the next one to whichever thread is free: for tasks of unequal
// length whose results do not depend on the thread.
template <class Body>
void parallel_tasks(const Context& context, int64_t count, const Body& body) {
  std::exception_ptr thrown;
#pragma omp parallel for schedule(dynamic, 1) num_threads(context.device.threads())
  for (int64_t task = 0; task < count; ++task) {
    try {
      body(task);
    } catch (...) {
#pragma omp critical(bench_parallel_tasks)
      thrown = std::current_exception();
    }
  }
  if (thrown) std::rethrow_exception(thrown);
}

// Elements of a cache line: threads that write neighbouring parts do not share one.
template <class T>
constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));

// Libraries that ask OpenMP how many threads to use get the device's number within this scope.
class ScopedThreads {
 public:
  explicit ScopedThreads(const Context& context) : before_(omp_get_max_threads()) {
    omp_set_num_threads(context.device.threads());
  }
  ~ScopedThreads() { omp_set_num_threads(before_); }
  ScopedThreads(const ScopedThreads&) = delete;
  ScopedThreads& operator=(const ScopedThreads&) = delete;

 private:
  int before_;
};

}  // namespace bench::kernels::cpu
