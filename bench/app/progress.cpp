#include "bench/app/progress.h"

#include <fmt/format.h>
#include <unistd.h>

namespace bench::app {

ProgressMode progress_mode(const std::string& option, bool quiet, bool is_terminal) {
  if (quiet || option == "never") return ProgressMode::off;
  if (is_terminal) return ProgressMode::rewriting;
  return option == "always" ? ProgressMode::lines : ProgressMode::off;
}

std::string human_seconds(double s) {
  if (s < 1e-6) return fmt::format("{:.1f} ns", s * 1e9);
  if (s < 1e-3) return fmt::format("{:.2f} us", s * 1e6);
  if (s < 1) return fmt::format("{:.3f} ms", s * 1e3);
  return fmt::format("{:.3f} s", s);
}

void Progress::begin(int round, int rounds, size_t place, size_t cases, const std::string& name,
                     int ranks) {
  if (mode_ == ProgressMode::off) return;
  if (started_ns_ == 0) started_ns_ = clock_->now_ns();
  const size_t begun = static_cast<size_t>(round) * cases + place;
  const size_t total = static_cast<size_t>(rounds) * cases;
  fraction_ = static_cast<double>(begun - 1) / static_cast<double>(total);
  head_ = fmt::format("[{}/{}] {} ({} rank{})", begun, total, name, ranks, ranks == 1 ? "" : "s");
  if (mode_ == ProgressMode::rewriting) show(head_ + eta(), false);
}

void Progress::sampling(int64_t n, double median_s, double half_width_s) {
  if (mode_ != ProgressMode::rewriting) return;
  show(fmt::format("{}  {} ± {}  n={}{}", head_, human_seconds(median_s),
                   human_seconds(half_width_s), n, eta()),
       false);
}

void Progress::done(const schema::CaseResult& result, bool last) {
  if (mode_ == ProgressMode::off) return;
  if (result.time_s) {
    const schema::TimeSummary& t = *result.time_s;
    show(fmt::format("{}  {} ± {}  n={}  {}{}", head_, human_seconds(t.median),
                     human_seconds((t.ci95.high - t.ci95.low) / 2), t.n, t.stop_reason, eta()),
         true);
  } else if (last) {
    show(fmt::format("{}  not measured: {}", head_, result.reason), true);
  }
}

void Progress::clear() {
  if (mode_ == ProgressMode::rewriting) fmt::print(stderr, "\r\033[K");
}

std::string Progress::eta() const {
  if (fraction_ < 0.05) return "";
  const double elapsed = static_cast<double>(clock_->now_ns() - started_ns_) * 1e-9;
  return fmt::format("  ETA {:.0f} s", elapsed * (1 - fraction_) / fraction_);
}

void Progress::show(const std::string& text, bool final) {
  if (mode_ == ProgressMode::lines) {
    fmt::print(stderr, "{}\n", text);
  } else {
    fmt::print(stderr, "\r\033[K{}{}", text, final ? "\n" : "");
  }
  std::fflush(stderr);
}

}  // namespace bench::app
