#include "parallel/comm/nccl/record.h"

#include <dlfcn.h>

#include <cstdlib>
#include <sstream>

namespace bench {

NcclRecord::NcclRecord(const std::filesystem::path& module) {
  constexpr const char* kVariable = "NCCL_PROFILER_PLUGIN";
  const char* const named = std::getenv(kVariable);
  if (named != nullptr && module != named) return;
  void* const opened = dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);  // the one NCCL will have
  if (opened == nullptr) return;
  switch_ = reinterpret_cast<NcclRecordSwitch>(dlsym(opened, kNcclRecordSwitch));
  read_ = reinterpret_cast<NcclRecordRead>(dlsym(opened, kNcclRecordRead));
  if (read_ == nullptr) switch_ = nullptr;
  if (is_there()) setenv(kVariable, module.c_str(), 0);
}

std::map<std::string, int> NcclRecord::read() const {
  std::map<std::string, int> ran;
  if (!is_there()) return ran;
  std::istringstream lines(read_());
  int count = 0;
  for (std::string name; lines >> count >> name;) ran[name] = count;
  return ran;
}

}  // namespace bench
