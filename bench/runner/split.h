#pragma once
// Where a training step's time goes, from a few extra, instrumented steps that are never among the
// timed ones.

#include <map>
#include <span>
#include <string>

#include "bench/base/clock.h"
#include "bench/measure/subject.h"
#include "bench/trace/recorder.h"
#include "parallel/comm/counting.h"
#include "reports/schema/report.h"

namespace bench::runner {

// One rank's seconds of a step, from its ranges' own times: arithmetic of the model and of the
// optimizer, and waiting for other ranks along the tensor, data and pipeline axis, or in
// communication outside of all ranges.
struct RankSplit {
  double step = 0, compute = 0, optimizer = 0;
  double tensor = 0, data = 0, pipeline = 0, unnamed = 0;
};

// Values "split.…" in seconds of a step, means over ranks, which add up to split.step: compute,
// exposed_comm (and of it exposed_tensor, exposed_data, exposed_pipeline), bubble, optimizer, skew,
// other; and split.slowest_rank, the one that waited least. Who waits least along an axis waits for
// messages alone: that is exposed; what others wait there beyond it, they wait for slower ranks,
// which is skew. Of a pipeline's waiting the bubble of its schedule is none of both: `bubble_share`
// of the arithmetic, (stages - 1) / (chunks * micro-batches) (Narayanan 2021, section 2.2).
std::map<std::string, schema::Value> combine_splits(std::span<const RankSplit> ranks,
                                                    double bubble_share);

// The same of a few steps of the subject. Collective over comm; the same on every rank.
std::map<std::string, schema::Value> split_step(measure::Subject& subject,
                                                CountingCommunicator& comm,
                                                trace::Recorder& recorder, Clock& clock,
                                                double bubble_share);

}  // namespace bench::runner
