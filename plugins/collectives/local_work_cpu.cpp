#include "plugins/collectives/local_work.h"

namespace bench::collectives {

std::shared_ptr<algorithms::LocalWork> local_work(const Context&) {
  return std::make_shared<algorithms::HostWork>();
}

}  // namespace bench::collectives
