#pragma once
// Ways to communicate that stand beside the one of the library in use.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/sdk/plugin.h"
#include "plugins/collectives/operation.h"

namespace bench::collectives {

// "library" (the communicator as it is), "library_kept", "shared", our own algorithms and, for
// all-reduces, those that the library can be told to take ("library.ring").
std::vector<std::string> variants_of(Operation op);

// Throws UsageError that lists the names.
void check_variant(Operation op, const std::string& variant);

// A communicator of the variant over the case's own, for vectors of `count` elements; null for the
// library's. Collective. Throws Unsupported.
std::unique_ptr<Communicator> make_variant(const std::string& variant, const sdk::Place& place,
                                           int64_t count, DType dtype);

// Parameters that say how a variant was made: how sums of bf16 are rounded, how memory is kept, how
// it is known which algorithm ran.
std::vector<std::pair<std::string, std::string>> facts_of(const std::string& variant, DType dtype,
                                                          int ranks);

}  // namespace bench::collectives
