#include "parallel/comm/nccl/connect.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "bench/base/status.h"
#include "parallel/comm/strings.h"

namespace bench::nccl {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPollPause{1};
// A split is waited for only where the environment made NCCL's calls asynchronous.
constexpr double kSplitSeconds = 60;

// What rank 0 tells the others: the name of the new communicator, or why there is none.
constexpr char kId = '+', kWhyNot = '-';

ncclUniqueId agreed_id(Communicator& host) {
  ncclUniqueId id = {};
  std::string told;
  if (host.rank() == 0) {
    const ncclResult_t result = ncclGetUniqueId(&id);
    told = result == ncclSuccess ? kId + std::string(id.internal, sizeof id.internal)
                                 : kWhyNot + words_of(result, "ncclGetUniqueId");
  }
  told = broadcast_string(host, told, 0);
  if (told[0] != kId) throw EnvironmentError(told.substr(1));
  std::memcpy(id.internal, told.data() + 1, sizeof id.internal);
  return id;
}

ncclConfig_t config(bool blocking) {
  ncclConfig_t c = NCCL_CONFIG_INITIALIZER;
  c.blocking = blocking ? 1 : 0;
  c.splitShare = 0;  // a part must be able to outlive the whole
  return c;
}

// A communicator in the making. Given up unless it was finished.
class Link {
 public:
  Link() = default;
  ~Link() {
    if (comm != nullptr) ncclCommAbort(comm);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Waits for what was started; a call may report success although it only began.
  void finish(ncclResult_t begun, const std::string& doing, Clock::time_point end) const {
    ncclResult_t result = begun;
    if (result == ncclSuccess || result == ncclInProgress)
      result = settled(comm, std::chrono::duration<double>(end - Clock::now()).count());
    if (result == ncclInProgress)
      throw EnvironmentError(
          doing +
          ": not finished before the deadline: a rank did not come, or the hosts cannot reach each "
          "other over the network that NCCL chose (NCCL_SOCKET_IFNAME chooses another)");
    if (result != ncclSuccess) throw EnvironmentError(words_of(result, doing));
  }

  ncclComm_t comm = nullptr;
};

}  // namespace

std::string words_of(ncclResult_t result, const std::string& doing) {
  std::string words = doing + ": " + ncclGetErrorString(result);
  const char* last = ncclGetLastError(nullptr);
  if (last != nullptr && *last != '\0') words += fmt::format(" ({})", last);
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words;
}

ncclResult_t settled(ncclComm_t comm, double seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    ncclResult_t state = ncclSuccess;
    const ncclResult_t result = ncclCommGetAsyncError(comm, &state);
    if (result != ncclSuccess) return result;
    if (state != ncclInProgress || Clock::now() >= end) return state;
    std::this_thread::sleep_for(kPollPause);
  }
}

// Only a non-blocking communicator can be waited for with a deadline, but each of its calls starts
// a thread, which would be in every time that is measured. So the ranks meet in one of that kind,
// and what they keep is a blocking one split from it; blocking is only the handing over of work.
ncclComm_t connect(Communicator& host, double deadline_s) {
  const ncclUniqueId id = agreed_id(host);
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(deadline_s));
  ncclConfig_t meeting = config(/*blocking=*/false), working = config(/*blocking=*/true);
  ncclComm_t made = nullptr;  // written by a thread of NCCL's, which ends before the link does
  Link link;
  link.finish(ncclCommInitRankConfig(&link.comm, host.size(), id, host.rank(), &meeting),
              "ncclCommInitRankConfig", end);
  link.finish(ncclCommSplit(link.comm, 0, host.rank(), &made, &working), "ncclCommSplit", end);
  if (ncclCommDestroy(link.comm) == ncclSuccess) link.comm = nullptr;
  return made;
}

ncclResult_t split(ncclComm_t comm, int color, int key, ncclComm_t* made) {
  ncclConfig_t working = config(/*blocking=*/true);
  const ncclResult_t result = ncclCommSplit(comm, color, key, made, &working);
  return result == ncclSuccess ? settled(comm, kSplitSeconds) : result;
}

}  // namespace bench::nccl
