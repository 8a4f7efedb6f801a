#pragma once
// Clocks, power, temperature and throttling of the ranks' GPUs while a case was measured: the worst
// of what was read.

#include <optional>

#include "bench/device/gpu_device.h"
#include "parallel/comm/communicator.h"
#include "reports/schema/report.h"

namespace bench::runner {

class HealthLog {
 public:
  void add(const GpuHealth& reading);
  // Of all ranks. Collective.
  void merge(Communicator& comm);
  // As values gpu.… and, where a clock was held down, the flag throttled with one that says why.
  void tell(schema::CaseResult& result) const;

 private:
  GpuHealth worst_;  // lowest clocks, highest power and temperature, every reason that was seen
};

}  // namespace bench::runner
