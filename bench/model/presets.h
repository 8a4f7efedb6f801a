#pragma once
// Models by name.

#include <span>

#include "bench/model/model.h"

namespace bench::model {

struct Preset {
  const char* name;
  int64_t layers, hidden, heads, seq, vocab;
};

std::span<const Preset> presets();

}  // namespace bench::model
