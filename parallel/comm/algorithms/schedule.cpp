#include "parallel/comm/algorithms/schedule.h"

namespace bench::algorithms {

void Round::clear() {
  sends.clear();
  receives.clear();
  locals.clear();
}

void Round::send(int peer, Span span) {
  if (span.count > 0) sends.push_back({.peer = peer, .span = span});
}

void Round::receive(int peer, Span span) {
  if (span.count > 0) receives.push_back({.peer = peer, .span = span});
}

void Round::copy(Span from, Span into) {
  if (from.count > 0) locals.push_back({.kind = Local::Kind::copy, .from = from, .into = into});
}

void Round::reduce(Span from, Span into) {
  if (from.count > 0) locals.push_back({.kind = Local::Kind::reduce, .from = from, .into = into});
}

}  // namespace bench::algorithms
