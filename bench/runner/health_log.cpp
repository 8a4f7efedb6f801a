#include "bench/runner/health_log.h"

#include <algorithm>
#include <array>
#include <limits>

namespace bench::runner {
namespace {

constexpr double kUnknown = -std::numeric_limits<double>::infinity();

struct Reason {
  GpuThrottle bit;
  const char* flag;
};
constexpr std::array kReasons = {Reason{kThrottlePowerCap, "throttled_by_power_cap"},
                                 Reason{kThrottleThermal, "throttled_by_temperature"},
                                 Reason{kThrottlePowerBrake, "throttled_by_power_brake"},
                                 Reason{kThrottleSyncBoost, "throttled_by_sync_boost"},
                                 Reason{kThrottleHardware, "throttled_by_hardware"}};

void keep_lower(std::optional<double>& kept, std::optional<double> value) {
  if (value) kept = std::min(*value, kept.value_or(*value));
}
void keep_higher(std::optional<double>& kept, std::optional<double> value) {
  if (value) kept = std::max(*value, kept.value_or(*value));
}

std::optional<double> known(double value) {
  return value == kUnknown ? std::nullopt : std::optional(value);
}

void set_value(schema::CaseResult& result, const char* tag, std::optional<double> value,
               const char* unit) {
  if (value) result.values[tag] = {.value = *value, .unit = unit};
}

}  // namespace

void HealthLog::add(const GpuHealth& reading) {
  keep_lower(worst_.sm_clock_mhz, reading.sm_clock_mhz);
  keep_lower(worst_.memory_clock_mhz, reading.memory_clock_mhz);
  keep_higher(worst_.power_w, reading.power_w);
  keep_higher(worst_.temperature_c, reading.temperature_c);
  worst_.throttled_by |= reading.throttled_by;
}

// One reduction to the maximum: clocks travel with the other sign, reasons one by one.
void HealthLog::merge(Communicator& comm) {
  const auto lowest = [](std::optional<double> v) { return v ? -*v : kUnknown; };
  std::array<double, 4 + kReasons.size()> row = {
      lowest(worst_.sm_clock_mhz), lowest(worst_.memory_clock_mhz),
      worst_.power_w.value_or(kUnknown), worst_.temperature_c.value_or(kUnknown)};
  for (size_t i = 0; i < kReasons.size(); ++i)
    row[4 + i] = (worst_.throttled_by & kReasons[i].bit) != 0 ? 1 : 0;
  comm.all_reduce(row.data(), static_cast<int64_t>(row.size()), ReduceOp::max);
  worst_ = {.sm_clock_mhz = row[0] == kUnknown ? std::nullopt : std::optional(-row[0]),
            .memory_clock_mhz = row[1] == kUnknown ? std::nullopt : std::optional(-row[1]),
            .power_w = known(row[2]),
            .temperature_c = known(row[3]),
            .throttled_by = 0};
  for (size_t i = 0; i < kReasons.size(); ++i)
    if (row[4 + i] != 0) worst_.throttled_by |= kReasons[i].bit;
}

void HealthLog::tell(schema::CaseResult& result) const {
  set_value(result, "gpu.sm_clock.min", worst_.sm_clock_mhz, "MHz");
  set_value(result, "gpu.memory_clock.min", worst_.memory_clock_mhz, "MHz");
  set_value(result, "gpu.power.max", worst_.power_w, "W");
  set_value(result, "gpu.temperature.max", worst_.temperature_c, "C");
  if (worst_.throttled_by == 0) return;
  result.flags.emplace_back("throttled");
  for (const Reason& reason : kReasons)
    if ((worst_.throttled_by & reason.bit) != 0) result.flags.emplace_back(reason.flag);
}

}  // namespace bench::runner
