#include "bench/app/simulate.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>
#include <vector>

#include "bench/base/status.h"
#include "bench/runner/option_lists.h"
#include "parallel/comm/virtual/all_reduce.h"

namespace bench::app {
namespace {

constexpr int64_t kElementBytes = 4;  // f32
constexpr int64_t kMostRanks = 4096;
constexpr int64_t kSmallest = 8, kLargest = 64 << 20;

constexpr const char* kKeys =
    "ranks, per-host, intra-us, intra-gbs, inter-us, inter-gbs, reduce-gbs";

// Where nothing else is said: a host with a fast fabric inside, a 100 Gbit/s network outside.
std::map<std::string, double, std::less<>> defaults() {
  return {{"ranks", 0},    {"per-host", 1},     {"intra-us", 1},    {"intra-gbs", 200},
          {"inter-us", 5}, {"inter-gbs", 12.5}, {"reduce-gbs", 200}};
}

[[noreturn]] void refuse(const std::string& why) {
  throw UsageError(
      fmt::format("--simulate: {}; keys are {}, all but ranks with defaults", why, kKeys));
}

std::map<std::string, double, std::less<>> parse(const std::string& text) {
  auto values = defaults();
  for (size_t from = 0; from <= text.size();) {
    const size_t to = std::min(text.find(',', from), text.size());
    const std::string item = text.substr(from, to - from);
    from = to + 1;
    const size_t equals = item.find('=');
    const auto known = values.find(item.substr(0, equals));
    if (equals == std::string::npos || known == values.end())
      refuse(fmt::format("'{}' is no key=number it knows", item));
    const char* end = item.data() + item.size();
    const auto parsed = std::from_chars(item.data() + equals + 1, end, known->second);
    const bool good = parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(known->second);
    const bool may_be_zero = known->first.ends_with("-us");
    if (!good || known->second < 0 || (known->second == 0 && !may_be_zero))
      refuse(fmt::format("'{}' wants a number above zero", item));
  }
  return values;
}

int64_t whole(const std::map<std::string, double, std::less<>>& values, const char* key) {
  const double value = values.at(key);
  if (value < 1 || value > kMostRanks || value != std::floor(value))
    refuse(fmt::format("{} is a whole number from 1 to {}", key, kMostRanks));
  return static_cast<int64_t>(value);
}

schema::SimulatedNetwork network_of(const std::string& text) {
  const auto values = parse(text);
  return {.ranks = whole(values, "ranks"),
          .ranks_per_host = whole(values, "per-host"),
          .intra_latency_s = values.at("intra-us") * 1e-6,
          .intra_bytes_per_s = values.at("intra-gbs") * 1e9,
          .inter_latency_s = values.at("inter-us") * 1e-6,
          .inter_bytes_per_s = values.at("inter-gbs") * 1e9,
          .reduce_bytes_per_s = values.at("reduce-gbs") * 1e9};
}

simulated::Cluster cluster_of(const schema::SimulatedNetwork& n) {
  return {.ranks = static_cast<int>(n.ranks),
          .network = {
              .ranks_per_host = static_cast<int>(n.ranks_per_host),
              .intra = {.alpha_s = n.intra_latency_s, .beta_s_per_byte = 1 / n.intra_bytes_per_s},
              .inter = {.alpha_s = n.inter_latency_s, .beta_s_per_byte = 1 / n.inter_bytes_per_s},
              .gamma_s_per_byte = 1 / n.reduce_bytes_per_s}};
}

std::vector<int64_t> sizes_of(const runner::OptionSet& options) {
  std::vector<int64_t> sizes;
  for (const runner::KeyedList& list : runner::keyed_lists(options, "axis"))
    for (const std::string& value : list.values)
      if (list.key == "bytes") sizes.push_back(std::stoll(value));
  if (!sizes.empty()) return sizes;
  for (int64_t bytes = kSmallest; bytes <= kLargest; bytes *= 2) sizes.push_back(bytes);
  return sizes;
}

schema::SimulatedSize simulate(const simulated::Cluster& cluster, int64_t bytes) {
  const int64_t count = std::max<int64_t>(1, bytes / kElementBytes);
  schema::SimulatedSize size{.bytes = count * kElementBytes, .best = {}, .times = {}};
  double best = INFINITY;
  for (const algorithms::AllReduce& algorithm : algorithms::all_reduces()) {
    schema::SimulatedTime time{
        .algorithm = std::string(algorithm.name), .time_s = {}, .why_not = {}};
    time.why_not = simulated::why_not(cluster, algorithm);
    if (time.why_not.empty()) {
      const double seconds = simulated::all_reduce_s(cluster, algorithm, count, kElementBytes);
      time.time_s = seconds;
      if (seconds < best) size.best = time.algorithm;
      best = std::min(best, seconds);
    }
    size.times.push_back(std::move(time));
  }
  return size;
}

}  // namespace

schema::Simulation simulate_all_reduces(const runner::OptionSet& options) {
  schema::Simulation result{.network = network_of(options.text("simulate", "")), .all_reduces = {}};
  const simulated::Cluster cluster = cluster_of(result.network);
  for (const int64_t bytes : sizes_of(options))
    result.all_reduces.push_back(simulate(cluster, bytes));
  return result;
}

}  // namespace bench::app
