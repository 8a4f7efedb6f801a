#pragma once
// One rank's failure made everybody's: what is thrown on one rank is kept until the ranks agree, so
// that the others are not left waiting in a barrier for it.

#include <functional>
#include <string>

#include "parallel/comm/communicator.h"

namespace bench::measure {

class Guard {
 public:
  // Calls unless something failed before; keeps what is thrown.
  template <class F>
  void run(F&& f) noexcept {
    if (failed()) return;
    try {
      f();
    } catch (...) {
      keep();
    }
  }
  bool failed() const { return code_ != 0; }
  // 0 = fine; else which kind of error. A rank's number for an exchange that carries other things
  // too.
  double code() const { return code_; }

  // Collective, when `failing_rank` (the lowest with a code) is known to all: throws there and
  // everywhere what that rank threw, with "rank N: " before its words when there are several ranks.
  // UsageError and EnvironmentError become an AgreedError of their exit code, Unsupported stays,
  // anything else is a std::runtime_error.
  [[noreturn]] void throw_on_all(Communicator& comm, int failing_rank) const;

  // Collective: throw_on_all when any rank failed. One exchange.
  void agree(Communicator& comm) const;

 private:
  void keep() noexcept;

  double code_ = 0;
  std::string words_;
};

// f on every rank, then agreement: returns on all ranks or throws on all. For set-up and the like.
void run_on_all(Communicator& comm, const std::function<void()>& f);

}  // namespace bench::measure
