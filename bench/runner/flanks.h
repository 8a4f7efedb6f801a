#pragma once
// The ceilings that stand around other cases' samples, open as long as they may be: several cases
// share one.

#include <map>
#include <memory>

#include "bench/runner/open_case.h"
#include "bench/runner/open_on_all.h"

namespace bench::runner {

class Flanks {
 public:
  explicit Flanks(Device& device) : device_(device) {}

  // Opens it where it is not, runs it once and checks it. The ranks agree over comm; of_cases is
  // what it is given. Collective; the reason why not is the same on every rank.
  std::optional<CannotOpen> open(const PlannedCase& flank, Communicator& comm,
                                 Communicator& of_cases);
  // Of one that is open.
  OpenCase& at(const PlannedCase& flank) { return *open_.at(&flank); }
  void close(const PlannedCase& flank) { open_.erase(&flank); }

 private:
  Device& device_;
  std::map<const PlannedCase*, std::unique_ptr<OpenCase>> open_;
};

}  // namespace bench::runner
