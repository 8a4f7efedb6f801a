#include <fmt/format.h>

#include "reports/table/grid.h"
#include "reports/table/parts.h"

namespace bench::reports {
namespace {

std::string bytes_text(int64_t bytes) {
  if (bytes % (1 << 20) == 0) return fmt::format("{} MiB", bytes >> 20);
  if (bytes % (1 << 10) == 0) return fmt::format("{} KiB", bytes >> 10);
  return fmt::format("{} B", bytes);
}

std::string network_text(const schema::SimulatedNetwork& n) {
  return fmt::format(
      "SIMULATED, not measured: all-reduces of f32 on {} ranks, {} a host; {:.4g} us and {:.4g} "
      "GB/s "
      "inside a host, {:.4g} us and {:.4g} GB/s between hosts, {:.4g} GB/s reduced; a rank sends "
      "one "
      "message and receives one at a time\n",
      n.ranks, n.ranks_per_host, n.intra_latency_s * 1e6, n.intra_bytes_per_s * 1e-9,
      n.inter_latency_s * 1e6, n.inter_bytes_per_s * 1e-9, n.reduce_bytes_per_s * 1e-9);
}

double best_time(const schema::SimulatedSize& size) {
  for (const schema::SimulatedTime& t : size.times)
    if (t.algorithm == size.best && t.time_s) return *t.time_s;
  return 0;
}

}  // namespace

// Of each algorithm how many times as long as the best it takes.
std::string simulated_block(const schema::Report& report) {
  if (report.simulated.empty() || report.simulated.front().all_reduces.empty()) return "";
  const schema::Simulation& simulation = report.simulated.front();
  std::vector<std::string> headings = {">size", "best", ">its time"};
  for (const schema::SimulatedTime& t : simulation.all_reduces.front().times)
    headings.push_back(">" + t.algorithm);
  Grid grid(std::move(headings));
  for (const schema::SimulatedSize& size : simulation.all_reduces) {
    const double best = best_time(size);
    std::vector<std::string> cells = {bytes_text(size.bytes), size.best, seconds_text(best)};
    for (const schema::SimulatedTime& t : size.times)
      cells.push_back(t.time_s ? best > 0 ? fmt::format("{:.2f} x", *t.time_s / best) : "1.00 x"
                               : "-");
    grid.add(std::move(cells));
  }
  std::string notes;
  for (const schema::SimulatedTime& t : simulation.all_reduces.front().times)
    if (!t.why_not.empty()) notes += fmt::format("  {}: {}\n", t.algorithm, t.why_not);
  return network_text(simulation.network) + grid.text() + notes;
}

}  // namespace bench::reports
