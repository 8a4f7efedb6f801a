#pragma once
// Which of the compiled instruction sets the vector kernels run on here.

#include <string>

namespace bench::kernels::cpu {

// Highway's name: "AVX3" is AVX-512 (F, BW, DQ, VL), "AVX2", "SSE2", "NEON" …
std::string simd_target();

}  // namespace bench::kernels::cpu
