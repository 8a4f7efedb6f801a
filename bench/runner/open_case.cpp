#include "bench/runner/open_case.h"

#include <cmath>

namespace bench::runner {
namespace {

void take_value(void* ctx, const char* tag, double value, const char* unit) {
  (*static_cast<std::map<std::string, schema::Value>*>(ctx))[tag] = {
      .value = value, .unit = unit != nullptr ? unit : ""};
}

}  // namespace

OpenCase::OpenCase(const PlannedCase& planned, Device& device, Communicator& comm)
    : planned_(planned),
      plugin_(*planned.plugin),
      device_(device),
      stream_(device),
      device_table_(device, plugin_.host()),
      comm_table_(comm, plugin_.host()) {
  const Request::View view = planned.request.view();
  const bench_open_args args{.size = sizeof(bench_open_args),
                             .request = &view.request,
                             .name = planned.spec.name.c_str(),
                             .device = device_table_.table(),
                             .comm = comm_table_.table(),
                             .stream = stream_.get().native,
                             .mode = planned.spec.mode};
  plugin_.check(plugin_.table().open(plugin_.state(), &args, &instance_),
                "opening " + planned.spec.name);
}

// Where an iteration has failed, some of it may still be running on memory that is about to go.
OpenCase::~OpenCase() {
  try {
    synchronize();
  } catch (const std::exception&) {
    // The failure that led here has been told.
  }
  plugin_.table().close(instance_);
}

void OpenCase::enqueue(int64_t n) {
  // No string is made on the way that works: this call is timed.
  const bench_status status = plugin_.table().enqueue(instance_, n);
  if (status != BENCH_OK) plugin_.check(status, "running " + planned_.spec.name);
}

void OpenCase::synchronize() { device_.synchronize(stream_.get()); }

schema::Verify OpenCase::check() {
  bench_check found{
      .size = sizeof(bench_check), .passed = 0, .error = NAN, .tolerance = NAN, .detail = nullptr};
  plugin_.check(plugin_.table().check(instance_, &found), "checking " + planned_.spec.name);
  schema::Verify verify;
  verify.status = planned_.spec.no_check ? "unverified" : found.passed != 0 ? "passed" : "wrong";
  if (std::isfinite(found.error)) verify.error = found.error;
  if (std::isfinite(found.tolerance)) verify.tolerance = found.tolerance;
  verify.detail = found.detail != nullptr ? found.detail : "";
  return verify;
}

void OpenCase::reset() {
  if (plugin_.table().reset != nullptr)
    plugin_.check(plugin_.table().reset(instance_), "resetting " + planned_.spec.name);
}

std::map<std::string, schema::Value> OpenCase::values() {
  std::map<std::string, schema::Value> values;
  if (plugin_.table().values != nullptr)
    plugin_.check(plugin_.table().values(instance_, take_value, &values),
                  "reading values of " + planned_.spec.name);
  return values;
}

schema::TrainingRun OpenCase::training_run(int64_t capacity) {
  const bench_training* training = plugin_.training();
  schema::TrainingRun run{.case_name = planned_.spec.name,
                          .ranks = planned_.ranks,
                          .model_name = {},
                          .model = {},
                          .parameters = 0,
                          .tokens_per_step = planned_.spec.tokens,
                          .losses = {},
                          .grad_norms = {},
                          .scaling_point = planned_.scaling_point};
  if (training == nullptr) return run;
  std::map<std::string, schema::Value> facts;
  const char* name = nullptr;
  plugin_.check(training->describe(instance_, take_value, &facts, &name),
                "describing " + planned_.spec.name);
  run.model_name = name != nullptr ? name : "";
  for (const auto& [key, value] : facts) run.model[key] = value.value;
  run.parameters = static_cast<int64_t>(run.model["parameters"]);
  run.losses.resize(capacity);
  run.grad_norms.resize(capacity);
  int64_t count = 0;
  plugin_.check(
      training->trajectory(instance_, run.losses.data(), run.grad_norms.data(), capacity, &count),
      "reading losses");
  count = std::min(count, capacity);
  run.losses.resize(count);
  run.grad_norms.resize(count);
  return run;
}

}  // namespace bench::runner
