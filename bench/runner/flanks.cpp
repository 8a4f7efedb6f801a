#include "bench/runner/flanks.h"

#include <fmt/format.h>

#include <stdexcept>

namespace bench::runner {

std::optional<CannotOpen> Flanks::open(const PlannedCase& flank, Communicator& comm,
                                       Communicator& of_cases) {
  if (open_.contains(&flank)) return {};
  std::unique_ptr<OpenCase> made;
  std::optional<CannotOpen> why_not = open_on_all(comm, [&] {
    made = std::make_unique<OpenCase>(flank, device_, of_cases);
    made->enqueue(1);
    made->synchronize();
  });
  if (!why_not)
    why_not = open_on_all(comm, [&] {
      const schema::Verify verify = made->check();
      if (verify.status == "wrong") throw std::runtime_error("is wrong: " + verify.detail);
    });
  if (why_not) {
    why_not->words = fmt::format("its flank {}: {}", flank.spec.name, why_not->words);
    return why_not;
  }
  open_[&flank] = std::move(made);
  return {};
}

}  // namespace bench::runner
