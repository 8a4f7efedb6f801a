#include "bench/measure/guard.h"

#include <fmt/format.h>

#include <stdexcept>
#include <vector>

#include "bench/base/status.h"
#include "parallel/comm/strings.h"

namespace bench::measure {
namespace {

enum ErrorKind { kOther = 1, kUnsupported, kUsage, kEnvironment };

[[noreturn]] void throw_kind(int kind, const std::string& words) {
  switch (kind) {
    case kUnsupported: throw Unsupported(words);
    case kUsage: throw AgreedError(ExitCode::kUsage, words);
    case kEnvironment: throw AgreedError(ExitCode::kEnvironment, words);
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
  const std::string words = broadcast_string(comm, words_, failing_rank);
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

}  // namespace bench::measure
