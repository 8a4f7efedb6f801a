#pragma once
// Where tools see our ranges: the NVTX domain "bench" (nvtx_ranges.cpp), or nowhere on a machine
// without the NVTX headers (no_nvtx_ranges.cpp). The build chooses the file.

#include <cstdint>

namespace bench::trace {

class Ranges {
 public:
  using Name = void*;  // registered with the tool; lives as long as the Ranges

  Ranges();
  ~Ranges();
  Ranges(const Ranges&) = delete;
  Ranges& operator=(const Ranges&) = delete;

  // Once a name: tools then keep a handle instead of copying the text at every push.
  Name register_name(const char* name);
  // On the calling thread; push and pop pair up there.
  void push(Name name, int64_t payload);
  void pop();

  static bool visible_to_tools();  // built with NVTX

 private:
  void* domain_ = nullptr;
};

}  // namespace bench::trace
