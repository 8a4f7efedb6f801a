#pragma once
// Which CPUs a rank may use. Launchers bind one or two ranks to one CPU each; here every rank of a
// host gets an equal share of the CPUs, unless the user asked the launcher for something else.

#include <string>
#include <string_view>
#include <vector>

#include "bench/world/launcher.h"

namespace bench {

enum class BindMode { automatic, launcher, none };
BindMode parse_bind_mode(std::string_view text);  // "auto", "launcher", "none"

struct Binding {
  std::string launcher_mask, final_mask;  // CPU lists like "0-3,8"
  int threads = 1;                        // CPUs in the final mask, or this rank's share of them
  bool oversubscribed = false;            // more ranks than CPUs on this host
};

// Re-binds this process. Must be called before any thread exists: threads inherit the mask.
// `near_gpus`: of each GPU the CPUs near it (near_gpu.h), where ranks are to be near theirs; empty
// where they use none.
Binding bind_process(BindMode mode, const Launch& launch,
                     const std::vector<std::vector<int>>& near_gpus = {});

// The share of local rank r of n: contiguous and as equal as can be; with more ranks than CPUs one
// CPU each, in turn.
std::vector<int> share_of_cpus(const std::vector<int>& cpus, int local_rank, int local_size);

// How many threads a rank should run on a mask of so many CPUs that the launcher gave it: fewer
// than the mask has where the masks of the host's ranks must overlap (bound to sockets, or not at
// all).
int threads_on(int mask_size, int allowed_size, int local_size);

std::string cpu_list(const std::vector<int>& cpus);      // {0,1,2,5} -> "0-2,5"
std::vector<int> parse_cpu_list(std::string_view text);  // the reverse

}  // namespace bench
