#pragma once
// Which CPUs are near which GPU. Read from the system's files, because ranks are bound before any
// thread exists, and asking CUDA makes threads.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// Of each GPU that CUDA will show this process, in its order (that of their PCI addresses), the
// CPUs of its NUMA node. Empty where NVIDIA's driver is not there, where the node of any of them is
// not known, or where `visible` (CUDA_VISIBLE_DEVICES) names GPUs by other than their numbers.
// `root` is "/", but for tests.
std::vector<std::vector<int>> cpus_near_gpus(const std::filesystem::path& root,
                                             const std::optional<std::string>& visible);

// The share of local rank r of n, which uses GPU r modulo their number: of the allowed CPUs that
// are near its GPU, divided among the ranks of GPUs of the same node. Empty where there are fewer
// such CPUs than ranks: then `near` is no guide.
std::vector<int> share_near_gpu(const std::vector<int>& allowed,
                                const std::vector<std::vector<int>>& near, int local_rank,
                                int local_size);

}  // namespace bench
