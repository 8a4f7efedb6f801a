#include "reports/derive/rates.h"

namespace bench::reports {

schema::Rates derive_rates(const schema::CaseResult& result) {
  schema::Rates rates;
  if (!result.time_s || !(result.time_s->median > 0)) return rates;
  const double s = result.time_s->median;
  const auto per_second = [s](const schema::Number& amount, double unit) {
    return amount && *amount > 0 ? schema::Number(*amount / s / unit) : schema::Number();
  };
  rates.tflops_per_rank = per_second(result.work.flops, 1e12);
  rates.gbytes_per_s = per_second(result.work.bytes, 1e9);
  rates.tokens_per_s = per_second(result.work.tokens, 1);
  rates.algbw_gbytes_per_s = per_second(result.message_bytes, 1e9);
  if (rates.algbw_gbytes_per_s)
    rates.busbw_gbytes_per_s = *rates.algbw_gbytes_per_s * result.bus_factor;
  return rates;
}

}  // namespace bench::reports
