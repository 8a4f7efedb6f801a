#pragma once
// What NCCL really ran: which algorithm and protocol it took for a collective, as NCCL itself tells
// a profiler plugin. That plugin is a module of its own (bench_nccl_record.so), which NCCL opens
// by NCCL_PROFILER_PLUGIN, and in which this process reads.

#include <filesystem>
#include <map>
#include <string>

namespace bench {

// The module's functions beside those that NCCL calls.
inline constexpr const char* kNcclRecordSwitch = "bench_nccl_record_switch";
inline constexpr const char* kNcclRecordRead = "bench_nccl_record_read";
// Whether NCCL is to tell, from now on. Off at the start: telling takes time.
using NcclRecordSwitch = void (*)(int on);
// What it told since the last reading, a line "count name" for each kind; valid until the next one.
using NcclRecordRead = const char* (*)();

class NcclRecord {
 public:
  // Has NCCL open the module beside this one with the first communicator. Does nothing where the
  // user has named a plugin, or where the module is not there.
  explicit NcclRecord(const std::filesystem::path& module);

  bool is_there() const { return switch_ != nullptr; }
  void turn(bool on) const {
    if (is_there()) switch_(on ? 1 : 0);
  }
  // "AllReduce.RING.LL128": how often.
  std::map<std::string, int> read() const;

 private:
  NcclRecordSwitch switch_ = nullptr;
  NcclRecordRead read_ = nullptr;
};

}  // namespace bench
