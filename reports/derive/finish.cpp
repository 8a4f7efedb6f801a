#include "reports/derive/finish.h"

#include "reports/derive/ceilings.h"
#include "reports/derive/closure.h"
#include "reports/derive/comparisons.h"
#include "reports/derive/expected.h"
#include "reports/derive/pairs.h"
#include "reports/derive/rates.h"
#include "reports/derive/roofline.h"
#include "reports/derive/scaling.h"
#include "reports/reference/references.h"

namespace bench::reports {

void finish(schema::Report& report, std::span<const schema::ScalingPlan> plans) {
  for (schema::CaseResult& c : report.cases) c.rates = derive_rates(c);
  report.ceilings = derive_ceilings(report);
  derive_of_ceiling(report);
  derive_roofline(report);
  report.comparisons = derive_comparisons(report);
  report.closure = derive_closure(report);
  report.pairs = derive_pairs(report);
  report.expected = derive_expected(report);
  report.scaling.reset();
  report.scaling_more.clear();
  for (const schema::ScalingPlan& plan : plans) {
    schema::Scaling curve = derive_scaling(plan, report);
    if (plan.kind == "weak" && !report.scaling)
      report.scaling = std::move(curve);
    else
      report.scaling_more.push_back(std::move(curve));
  }
  report.references = make_references(report);
}

}  // namespace bench::reports
