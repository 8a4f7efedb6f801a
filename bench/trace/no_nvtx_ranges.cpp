#include "bench/trace/ranges.h"

namespace bench::trace {

Ranges::Ranges() = default;
Ranges::~Ranges() = default;
Ranges::Name Ranges::register_name(const char*) { return nullptr; }
void Ranges::push(Name, int64_t) {}
void Ranges::pop() {}
bool Ranges::visible_to_tools() { return false; }

}  // namespace bench::trace
