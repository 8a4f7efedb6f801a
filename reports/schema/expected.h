#pragma once
// What collectives should take, from the run's own messages and reductions, beside what they took.

#include <cstdint>
#include <string>
#include <vector>

#include "reports/schema/values.h"

namespace bench::schema {

// A message of n bytes takes alpha + n beta, sent and received at once; reducing takes gamma a
// byte.
struct FittedLink {
  std::string kind;  // "intra" or "inter" host
  double alpha_s = 0, beta_s_per_byte = 0;
  int64_t pairs = 0;  // of ranks that were measured
};

struct ExpectedTime {
  std::string case_name, variant,
      algorithm;  // algorithm: whose formula; the fastest for a library's
  int64_t bytes = 0;
  double measured_s = 0, expected_s = 0;
  double ratio = 0;  // measured over expected
};

// Per size the fastest variant, and how many times as long the first one (the default) took.
struct BestVariant {
  int64_t bytes = 0;
  std::string best, first;
  double best_s = 0, first_over_best = 1;
};

struct Expected {
  std::vector<FittedLink> links;
  double gamma_s_per_byte = 0;
  std::vector<ExpectedTime> all_reduces;
  std::vector<BestVariant> best;
};

}  // namespace bench::schema
