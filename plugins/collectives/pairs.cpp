#include "plugins/collectives/pairs.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/device/cpu/host_facts.h"
#include "parallel/comm/reduce.h"
#include "plugins/collectives/exact_data.h"

namespace bench::collectives {
namespace {

class PairExchange final : public sdk::Instance {
 public:
  PairExchange(int partner, int64_t bytes, const sdk::Place& place)
      : context_(place.context),
        comm_(place.comm),
        partner_(partner),
        count_(bytes / static_cast<int64_t>(sizeof(float))),
        send_(context_.device, count_),
        recv_(context_.device, count_) {
    if (partner_ >= 0) {
      sends_ = {{.buffer = send_.data(), .count = count_, .to = partner_}};
      receives_ = {{.buffer = recv_.data(), .count = count_, .from = partner_}};
    }
    reset();
  }

  void enqueue(int64_t n) override {
    for (int64_t k = 0; k < n; ++k)
      comm_.exchange(context_.stream, sends_, receives_, DType::f32, 0);
  }

  sdk::Check check() override {
    if (partner_ < 0) return {.passed = true, .error = 0, .tolerance = 0, .detail = {}};
    double error = 0;
    const std::string words = first_wrong(
        context_, DType::f32, recv_.data(), count_,
        [&](int64_t i) { return contribution(DType::f32, partner_, i); },
        fmt::format("rank {} on {}", comm_.rank(), host_name()), error);
    return {.passed = words.empty(), .error = error, .tolerance = 0, .detail = words};
  }

  void reset() override {
    write(context_, DType::f32, send_.data(), count_,
          [&](int64_t i) { return contribution(DType::f32, comm_.rank(), i); });
    write(context_, DType::f32, recv_.data(), count_, [](int64_t) { return -1e9; });
  }

 private:
  const Context& context_;
  Communicator& comm_;
  int partner_;  // -1: sits out
  int64_t count_;
  Buffer<float> send_, recv_;
  std::vector<Outgoing> sends_;
  std::vector<Incoming> receives_;
};

// Contributions of the first rank, to which nothing (zero) is added again and again: the sum stays.
class LocalReduce final : public sdk::Instance {
 public:
  LocalReduce(int64_t bytes, const sdk::Place& place)
      : context_(place.context),
        count_(bytes / static_cast<int64_t>(sizeof(float))),
        sum_(context_.device, count_),
        nothing_(context_.device, count_) {
    if (context_.device.info().kind != DeviceKind::cpu)
      throw Unsupported("it adds in the host's memory");
    reset();
  }
  void enqueue(int64_t n) override {
    for (int64_t k = 0; k < n; ++k)
      reduce_into(sum_.data(), nothing_.data(), count_, DType::f32, ReduceOp::sum);
  }
  sdk::Check check() override {
    double error = 0;
    const std::string words = first_wrong(
        context_, DType::f32, sum_.data(), count_,
        [](int64_t i) { return contribution(DType::f32, 0, i); }, "local sum", error);
    return {.passed = words.empty(), .error = error, .tolerance = 0, .detail = words};
  }
  void reset() override {
    write(context_, DType::f32, sum_.data(), count_,
          [](int64_t i) { return contribution(DType::f32, 0, i); });
    write(context_, DType::f32, nothing_.data(), count_, [](int64_t) { return 0.0; });
  }

 private:
  const Context& context_;
  int64_t count_;
  Buffer<float> sum_, nothing_;
};

int partner_in(const std::vector<std::pair<int, int>>& pairs, int rank) {
  for (const auto& [a, b] : pairs)
    if (a == rank || b == rank) return a == rank ? b : a;
  return -1;
}

}  // namespace

std::vector<std::vector<std::pair<int, int>>> tournament(int ranks) {
  if (ranks < 2) return {};
  const int places = ranks + ranks % 2;  // an odd rank out plays against nobody
  std::vector<std::vector<std::pair<int, int>>> rounds;
  for (int round = 0; round < places - 1; ++round) {
    std::vector<std::pair<int, int>> pairs;
    for (int k = 0; k < places / 2; ++k) {
      const int turning = places - 1;
      const int a = k == 0 ? turning : (round + k) % turning;
      const int b = (round + turning - k) % turning;
      if (std::max(a, b) < ranks) pairs.emplace_back(std::min(a, b), std::max(a, b));
    }
    rounds.push_back(std::move(pairs));
  }
  return rounds;
}

sdk::Case pairs_case(const std::vector<std::pair<int, int>>& pairs, int round, int64_t bytes) {
  std::string names;
  for (const auto& [a, b] : pairs) names += fmt::format("{}{}-{}", names.empty() ? "" : " ", a, b);
  sdk::Case made;
  made.name = fmt::format("collectives.pairs.{}.round{}", bytes, round);
  made.text_params = {{"operation", "exchange"}, {"pairs", names}};
  made.number_params = {{"bytes", static_cast<double>(bytes)}};
  made.message_bytes = static_cast<double>(bytes);
  made.bus_factor = 1;
  made.memory_bytes = 2 * made.message_bytes;
  made.collective = true;
  made.host_comm = std::string_view(sdk::Plugin::kDevice) == "cpu";
  if (pairs.empty()) made.unavailable = "one rank alone has nobody to exchange with";
  made.open = [=](const sdk::Place& place) {
    return std::make_unique<PairExchange>(partner_in(pairs, place.comm.rank()), bytes, place);
  };
  return made;
}

sdk::Case reduce_case(int64_t bytes) {
  sdk::Case made;
  made.name = fmt::format("collectives.local_reduce.{}", bytes);
  made.text_params = {{"operation", "local_reduce"}};
  made.number_params = {{"bytes", static_cast<double>(bytes)}};
  made.bytes = 3 * static_cast<double>(bytes);
  made.memory_bytes = 2 * static_cast<double>(bytes);
  made.open = [=](const sdk::Place& place) { return std::make_unique<LocalReduce>(bytes, place); };
  return made;
}

}  // namespace bench::collectives
