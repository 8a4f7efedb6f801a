#include "bench/trace/recorder.h"

namespace bench::trace {
namespace {

constexpr const char* kOutside = "";
constexpr size_t kUsualDepth = 32;

}  // namespace

Recorder::Recorder(Clock& clock) : clock_(clock), innermost_(kOutside) {
  open_.reserve(kUsualDepth);
}

Recorder::~Recorder() {
  while (!open_.empty()) pop(Stream{});
}

void Recorder::push(Stream, const char* name, int64_t payload) {
  Open range{.named = &named(name)};
  ranges_.push(range.named->handle, payload);
  if (recording_) start(range);
  open_.push_back(range);
  innermost_.store(range.named->text.c_str(), std::memory_order_release);
}

void Recorder::pop(Stream) {
  if (open_.empty()) return;
  const Open range = open_.back();
  open_.pop_back();
  if (range.recorded) finish(range);
  ranges_.pop();
  innermost_.store(open_.empty() ? kOutside : open_.back().named->text.c_str(),
                   std::memory_order_release);
}

// The address alone does not name a text: a plugin may reuse a buffer.
Recorder::Named& Recorder::named(const char* name) {
  Named*& cached = by_address_[name];
  if (cached != nullptr && cached->text == name) return *cached;
  const auto found = by_text_.find(name);
  if (found != by_text_.end()) return *(cached = found->second);
  auto made = std::make_unique<Named>();
  made->text = name;
  made->handle = ranges_.register_name(made->text.c_str());
  cached = made.get();
  by_text_.emplace(made->text, made.get());
  names_.push_back(std::move(made));
  return *cached;
}

void Recorder::start(Open& range) {
  range.recorded = true;
  ++range.named->open;
  range.start_ns = clock_.now_ns();
}

void Recorder::finish(const Open& range) {
  const int64_t took_ns = clock_.now_ns() - range.start_ns;
  Named& named = *range.named;
  --named.open;
  if (!recording_) return;
  ++named.count;
  named.exclusive_ns += took_ns - range.inside_ns;
  if (named.open == 0) named.total_ns += took_ns;
  if (!open_.empty()) open_.back().inside_ns += took_ns;
}

void Recorder::record(bool on) {
  if (on) {
    for (const auto& named : names_)
      named->open = 0, named->count = 0, named->total_ns = 0, named->exclusive_ns = 0;
    for (Open& range : open_) range.recorded = false;
  }
  recording_ = on;
}

std::map<std::string, double> Recorder::totals_s() const {
  std::map<std::string, double> totals;
  for (const auto& named : names_) {
    if (named->count > 0) totals[named->text] = static_cast<double>(named->total_ns) * 1e-9;
  }
  return totals;
}

std::map<std::string, double> Recorder::exclusive_s() const {
  std::map<std::string, double> totals;
  for (const auto& named : names_) {
    if (named->count > 0) totals[named->text] = static_cast<double>(named->exclusive_ns) * 1e-9;
  }
  return totals;
}

}  // namespace bench::trace
