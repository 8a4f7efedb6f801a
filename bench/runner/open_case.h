#pragma once
// A case while it is open on this rank: the plugin's instance and the tables it was given, seen by
// the measuring loop as a Subject.

#include <memory>
#include <string>
#include <vector>

#include "bench/device/owned_stream.h"
#include "bench/measure/subject.h"
#include "bench/runner/case_plan.h"

namespace bench::runner {

class OpenCase final : public measure::Subject {
 public:
  // Throws what the plugin's open means: Unsupported, UsageError or std::runtime_error.
  OpenCase(const PlannedCase& planned, Device& device, Communicator& comm);
  ~OpenCase() override;

  void enqueue(int64_t n) override;
  void synchronize() override;
  Stream stream() const override { return stream_.get(); }
  schema::Verify check() override;
  void reset() override;

  std::map<std::string, schema::Value> values();
  // Model, losses and gradient norms since open or reset. Only for training cases.
  schema::TrainingRun training_run(int64_t capacity);

 private:
  const PlannedCase& planned_;
  Plugin& plugin_;
  Device& device_;
  OwnedStream stream_;
  DeviceTable device_table_;
  CommTable comm_table_;
  void* instance_ = nullptr;
};

}  // namespace bench::runner
