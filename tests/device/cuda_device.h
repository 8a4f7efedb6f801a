#pragma once
// The first GPU as a device, without the module that the program opens: enough for a test.

#include <memory>
#include <string>

#include "bench/device/device.h"

namespace bench::test {

// nullptr, and in `why_not` what the runtime says, where there is none.
std::unique_ptr<Device> open_cuda_device(std::string& why_not);

}  // namespace bench::test
