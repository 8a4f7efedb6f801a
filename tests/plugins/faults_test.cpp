// A check that cannot fail checks nothing: what a host spoils must be found.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "parallel/comm/self/self_communicator.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "tests/plugins/opened.h"

namespace bench::plugins::test {
namespace {

// Zeroes one of the case's buffers after the last iteration, one after the other. Some of them hold
// the result, so one of the checks has to fail.
bool zeroing_is_found(Plugin& plugin, Host& host, const Request& request, const std::string& name) {
  size_t buffers = 1;
  for (size_t k = 0; k < buffers; ++k) {
    Instance open(plugin, request, name);
    open.enqueue(2);
    buffers = host.held().size();
    const Host::Block spoilt = host.held()[k];
    std::memset(spoilt.memory, 0, spoilt.bytes);
    if (!open.check().passed) return true;
  }
  return false;
}

void expect_zeroing_found(const char* id, const Request& request) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin(id, host);
  for (const CaseCopy& c : plugin.cases(request)) {
    if (c.fields.memory_bytes >= 16e6 || c.fields.flops >= 1e9) continue;
    EXPECT_TRUE(zeroing_is_found(plugin, host, request, c.name)) << c.name;
  }
}

TEST(Faults, InAnOpsResultAreFound) {
  for (const char* dtype : {"f32", "bf16"})
    expect_zeroing_found(
        "kernels",
        {.set = "", .options = {kTinyModel, {"micro-batch", "2"}}, .ranks = 1, .dtype = dtype});
}

// What adds up over the iterations is rounded each time: that alone must not be taken for a fault.
TEST(Faults, AreNotSeenInTheRoundingOfManyIterations) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin("kernels", host);
  const Request request{.set = "", .options = {kTinyModel}};
  for (const CaseCopy& c : plugin.cases(request)) {
    Instance open(plugin, request, c.name);
    for (const int64_t more : {100, 1900}) {
      open.enqueue(more);
      const auto found = open.check();
      EXPECT_TRUE(found.passed) << c.name << ": " << found.error << ", " << found.detail;
    }
  }
}

TEST(Faults, InTheTemplatesResultAreFound) {
  expect_zeroing_found("template", {.set = "", .options = {}});
}

TEST(Faults, InACollectivesResultAreFound) {
  expect_zeroing_found("collectives", {.set = "", .options = {}});
}

// What goes wrong on rank 1, in vectors of at least 64 elements, and the first element it shows in.
struct Fault {
  const char* name;
  void (*plant)(float* result, uint64_t count);
  int64_t (*first_wrong)(int64_t count);
};

class PlantedFaults : public testing::TestWithParam<Fault> {};

INSTANTIATE_TEST_SUITE_P(
    Faults, PlantedFaults,
    testing::Values(Fault{"HalfInTheLastElement",
                          [](float* result, uint64_t count) { result[count - 1] += 0.5F; },
                          [](int64_t count) { return count - 1; }},
                    Fault{"TwoSwappedBlocks",
                          [](float* result, uint64_t count) {
                            std::swap_ranges(result, result + count / 4, result + count / 2);
                          },
                          [](int64_t) { return int64_t{0}; }},
                    // As by a rank that sends again what the element before was.
                    Fault{"StaleData",
                          [](float* result, uint64_t count) {
                            std::copy_backward(result + 2, result + count - 1, result + count);
                          },
                          [](int64_t) { return int64_t{3}; }}),
    [](const auto& fault) { return std::string(fault.param.name); });

// The words say on which rank, at which element, what was there and what should have been.
TEST_P(PlantedFaults, AreFoundWhereTheyAre) {
  const Request request{.set = "smoke", .options = {}, .ranks = 3};
  run_ranks(3, [&](Communicator& comm) {
    Host host(comm);
    Plugin plugin("collectives", host);
    if (comm.rank() == 1) host.after_all_reduce = GetParam().plant;
    for (const CaseCopy& c : plugin.cases(request)) {
      const int64_t count = std::stoll(c.params.at("bytes")) / 4;
      if (count < 64) continue;
      Instance open(plugin, request, c.name);
      open.enqueue(1);
      const auto found = open.check();
      EXPECT_EQ(found.passed, comm.rank() != 1) << c.name;
      if (comm.rank() != 1) continue;
      const auto place = fmt::format(": element {} is ", GetParam().first_wrong(count));
      EXPECT_NE(found.detail.find(place), std::string::npos) << found.detail;
    }
  });
}

TEST(Faults, OfOneElementOnOneRankAreFoundThereWithItsPlace) {
  const Request request{.set = "smoke", .options = {}, .ranks = 3};
  run_ranks(3, [&](Communicator& comm) {
    Host host(comm);
    Plugin plugin("collectives", host);
    if (comm.rank() == 1)
      host.after_all_reduce = [](float* result, uint64_t count) { result[count - 1] += 1; };
    for (const CaseCopy& c : plugin.cases(request)) {
      Instance open(plugin, request, c.name);
      open.enqueue(1);
      const auto found = open.check();
      EXPECT_EQ(found.passed, comm.rank() != 1) << c.name;
      if (comm.rank() != 1) continue;
      EXPECT_EQ(found.error, 1.0) << c.name;
      const auto last = std::to_string(std::stoll(c.params.at("bytes")) / 4 - 1);
      EXPECT_NE(found.detail.find(": element " + last + " is "), std::string::npos) << found.detail;
      EXPECT_TRUE(found.detail.starts_with("rank 1 on ")) << found.detail;
      EXPECT_NE(found.detail.find("expected"), std::string::npos) << found.detail;
    }
  });
}

}  // namespace
}  // namespace bench::plugins::test
