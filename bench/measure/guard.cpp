#include "bench/measure/guard.h"

#include <fmt/format.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "bench/base/status.h"

namespace bench::measure {
namespace {

enum ErrorKind { kOther = 1, kUnsupported, kUsage, kEnvironment };

[[noreturn]] void throw_kind(int kind, const std::string& words) {
  switch (kind) {
    case kUnsupported: throw Unsupported(words);
    case kUsage: throw UsageError(words);
    case kEnvironment: throw EnvironmentError(words);
    default: throw std::runtime_error(words);
  }
}

}  // namespace

void Guard::keep() noexcept {
  try {
    throw;
  } catch (const Unsupported& e) {
    code_ = kUnsupported, words_ = e.what();
  } catch (const Error& e) {
    code_ = e.code() == ExitCode::kUsage         ? kUsage
            : e.code() == ExitCode::kEnvironment ? kEnvironment
                                                 : kOther;
    words_ = e.what();
  } catch (const std::exception& e) {
    code_ = kOther, words_ = e.what();
  } catch (...) {
    code_ = kOther, words_ = "threw something that is no std::exception";
  }
}

void Guard::throw_on_all(Communicator& comm, int failing_rank) const {
  const std::string words = broadcast_text(comm, words_, failing_rank);
  double kind = code_;
  comm.broadcast(Stream{}, &kind, 1, DType::f64, failing_rank);
  throw_kind(static_cast<int>(kind),
             comm.size() > 1 ? fmt::format("rank {}: {}", failing_rank, words) : words);
}

void Guard::agree(Communicator& comm) const {
  std::vector<double> codes(static_cast<size_t>(comm.size()));
  comm.all_gather(Stream{}, &code_, codes.data(), 1, DType::f64);
  for (int r = 0; r < comm.size(); ++r) {
    if (codes[static_cast<size_t>(r)] != 0) throw_on_all(comm, r);
  }
}

void run_on_all(Communicator& comm, const std::function<void()>& f) {
  Guard guard;
  guard.run(f);
  guard.agree(comm);
}

std::string broadcast_text(Communicator& comm, std::string_view text, int root) {
  int64_t length = static_cast<int64_t>(text.size());
  comm.broadcast(Stream{}, &length, 1, DType::i64, root);
  std::string shared(text);
  shared.resize(static_cast<size_t>(length));
  if (length > 0) comm.broadcast(Stream{}, shared.data(), length, DType::u8, root);
  return shared;
}

}  // namespace bench::measure
