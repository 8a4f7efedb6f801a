#include "bench/world/binding.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include "bench/base/status.h"
#include "bench/world/near_gpu.h"

namespace bench {
namespace {

constexpr int kMostCpus = 4096;

std::vector<int> mask_of(pid_t process) {
  cpu_set_t* set = CPU_ALLOC(kMostCpus);
  const size_t bytes = CPU_ALLOC_SIZE(kMostCpus);
  std::vector<int> cpus;
  if (sched_getaffinity(process, bytes, set) == 0)
    for (int c = 0; c < kMostCpus; ++c)
      if (CPU_ISSET_S(c, bytes, set)) cpus.push_back(c);
  CPU_FREE(set);
  return cpus;
}

bool set_mask(const std::vector<int>& cpus) {
  cpu_set_t* set = CPU_ALLOC(kMostCpus);
  const size_t bytes = CPU_ALLOC_SIZE(kMostCpus);
  CPU_ZERO_S(bytes, set);
  for (const int c : cpus) CPU_SET_S(c, bytes, set);
  const bool done = sched_setaffinity(0, bytes, set) == 0;
  CPU_FREE(set);
  return done;
}

// What this host lets us use: the launcher's daemon, our parent, was not bound to one rank's CPUs.
std::vector<int> allowed_cpus(const Launch& launch) {
  std::vector<int> own = mask_of(0);
  if (!launch.present) return own;
  const std::vector<int> parents = mask_of(getppid());
  return parents.size() > own.size() ? parents : own;
}

}  // namespace

BindMode parse_bind_mode(std::string_view text) {
  if (text == "auto") return BindMode::automatic;
  if (text == "launcher") return BindMode::launcher;
  if (text == "none") return BindMode::none;
  throw UsageError("--bind is one of auto, launcher, none, not '" + std::string(text) + "'");
}

std::vector<int> share_of_cpus(const std::vector<int>& cpus, int local_rank, int local_size) {
  const auto n = static_cast<int>(cpus.size());
  // More ranks than CPUs, or a launcher that miscounts: in turn.
  if (local_size >= n || local_rank >= local_size)
    return {cpus[static_cast<size_t>(local_rank % n)]};
  const int first = local_rank * n / local_size, last = (local_rank + 1) * n / local_size;
  return {cpus.begin() + first, cpus.begin() + last};
}

int threads_on(int mask_size, int allowed_size, int local_size) {
  if (mask_size * local_size <= allowed_size) return std::max(1, mask_size);
  return std::clamp(allowed_size / local_size, 1, std::max(1, mask_size));
}

std::string cpu_list(const std::vector<int>& cpus) {
  std::string text;
  for (size_t i = 0; i < cpus.size();) {
    size_t j = i;
    while (j + 1 < cpus.size() && cpus[j + 1] == cpus[j] + 1) ++j;
    text += (text.empty() ? "" : ",") + std::to_string(cpus[i]);
    if (j > i) text += "-" + std::to_string(cpus[j]);
    i = j + 1;
  }
  return text;
}

std::vector<int> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    int first = 0, last = 0;
    auto parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc()) break;
    last = first;
    if (parsed.ptr < end && *parsed.ptr == '-') parsed = std::from_chars(parsed.ptr + 1, end, last);
    for (int c = first; c <= last; ++c) cpus.push_back(c);
    at = parsed.ptr + 1;  // past the comma
  }
  return cpus;
}

Binding bind_process(BindMode mode, const Launch& launch,
                     const std::vector<std::vector<int>>& near_gpus) {
  const std::vector<int> own = mask_of(0);
  const std::vector<int> allowed = allowed_cpus(launch);
  Binding binding;
  binding.launcher_mask = cpu_list(own);
  binding.oversubscribed = launch.local_size > static_cast<int>(allowed.size());
  const bool ours = mode == BindMode::automatic && !launch.user_bound;
  if (ours && !allowed.empty()) {
    const std::vector<int> near =
        share_near_gpu(allowed, near_gpus, launch.local_rank, launch.local_size);
    set_mask(near.empty() ? share_of_cpus(allowed, launch.local_rank, launch.local_size) : near);
  }
  if (mode == BindMode::none && !allowed.empty()) set_mask(allowed);
  // Read back: what was asked for is not always what was given.
  const std::vector<int> final_mask = mask_of(0);
  binding.final_mask = cpu_list(final_mask);
  const auto cpus = static_cast<int>(final_mask.size());
  binding.threads =
      ours ? std::max(1, cpus)
           : threads_on(cpus, static_cast<int>(allowed.size()), std::max(1, launch.local_size));
  return binding;
}

}  // namespace bench
