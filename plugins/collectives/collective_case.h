#pragma once
// One timed operation over the ranks of the case, on data whose result is known exactly.

#include "bench/sdk/plugin.h"
#include "plugins/collectives/operation.h"

namespace bench::collectives {

struct CollectiveSpec {
  Operation operation = Operation::all_reduce;
  int64_t bytes = 0;  // of the whole vector; rounded to whole elements, a multiple of the ranks
                      // where the vector is cut
  DType dtype = DType::f32;
  std::string variant = "library";
};

sdk::Case collective_case(const CollectiveSpec& spec, int ranks);

}  // namespace bench::collectives
