#include "parallel/comm/algorithms/algorithm.h"

namespace bench::algorithms {
namespace {

void shift(Span& span, int64_t first) {
  if (span.area == Area::result) span.first += first;
}

}  // namespace

Schedule among(Schedule inner, std::vector<int> members, int64_t first) {
  while (Round* round = inner.next()) {
    for (auto* transfers : {&round->sends, &round->receives}) {
      for (Transfer& t : *transfers) {
        t.peer = members[static_cast<size_t>(t.peer)];
        shift(t.span, first);
      }
    }
    for (Local& local : round->locals) {
      shift(local.from, first);
      shift(local.into, first);
    }
    co_yield *round;
  }
}

}  // namespace bench::algorithms
