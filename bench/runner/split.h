#pragma once
// Where a training step's time goes, from a few extra, instrumented steps that are never among the
// timed ones.

#include <map>
#include <string>

#include "bench/base/clock.h"
#include "bench/measure/subject.h"
#include "bench/trace/recorder.h"
#include "parallel/comm/counting.h"
#include "reports/schema/report.h"

namespace bench::runner {

// Values split.compute, split.exposed_comm, split.bubble, split.optimizer, split.skew, split.other
// (seconds of a step; they add up to split.step) and split.overhead (instrumented step / step - 1
// is formed by the reader from split.step). Means over ranks; exposed_comm is the time in
// collectives of the rank that waited least, what the others spent there beyond that is skew.
// Collective over comm; the same on every rank.
std::map<std::string, schema::Value> split_step(measure::Subject& subject,
                                                CountingCommunicator& comm,
                                                trace::Recorder& recorder, Clock& clock);

}  // namespace bench::runner
