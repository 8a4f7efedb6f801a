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

void Recorder::push(Stream s, const char* name, int64_t payload) {
  const Open range{.named = &named(name), .recorded = recording_};
  ranges_.push(range.named->handle, payload);
  if (range.recorded) mark(s, range.named);
  open_.push_back(range);
  innermost_.store(range.named->text.c_str(), std::memory_order_release);
}

void Recorder::pop(Stream s) {
  if (open_.empty()) return;
  const Open range = open_.back();
  open_.pop_back();
  if (range.recorded && recording_) mark(s, nullptr);
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

void Recorder::mark(Stream s, const Named* begun) {
  if (device_ != nullptr) device_->stamp(s);
  marks_.push_back({.begun = begun, .ns = device_ != nullptr ? 0 : clock_.now_ns()});
}

void Recorder::record(bool on) {
  if (on) {
    marks_.clear();
    for (Open& range : open_) range.recorded = false;
  } else if (recording_ && device_ != nullptr) {
    const std::vector<int64_t> passed_ns = device_->read_stamps();
    for (size_t i = 0; i < marks_.size(); ++i) marks_[i].ns = passed_ns.at(i);
  }
  recording_ = on;
}

// Goes through the marks as if each was made at its time. Ranges without an end do not count.
std::map<const Recorder::Named*, Recorder::Sums> Recorder::add_up() const {
  struct Running {
    const Named* named;
    int64_t start_ns, inside_ns;  // inside: ranges directly within
  };
  std::vector<Running> running;
  std::map<const Named*, Sums> sums;
  for (const Mark& mark : marks_) {
    if (mark.begun != nullptr) {
      running.push_back({.named = mark.begun, .start_ns = mark.ns, .inside_ns = 0});
      ++sums[mark.begun].open;
      continue;
    }
    const Running range = running.back();
    running.pop_back();
    const int64_t took_ns = mark.ns - range.start_ns;
    Sums& own = sums[range.named];
    own.exclusive_ns += took_ns - range.inside_ns;
    ++own.count;
    if (--own.open == 0) own.total_ns += took_ns;
    if (!running.empty()) running.back().inside_ns += took_ns;
  }
  std::erase_if(sums, [](const auto& sum) { return sum.second.count == 0; });
  return sums;
}

std::map<std::string, double> Recorder::totals_s() const {
  std::map<std::string, double> totals;
  for (const auto& [named, sum] : add_up())
    totals[named->text] = static_cast<double>(sum.total_ns) * 1e-9;
  return totals;
}

std::map<std::string, double> Recorder::exclusive_s() const {
  std::map<std::string, double> totals;
  for (const auto& [named, sum] : add_up())
    totals[named->text] = static_cast<double>(sum.exclusive_ns) * 1e-9;
  return totals;
}

}  // namespace bench::trace
