// The CUDA flavour of the kernels plugin says what it has, on any machine.
#include <gtest/gtest.h>

#include <set>

#include "parallel/comm/self/self_communicator.h"
#include "tests/plugins/opened.h"

namespace bench::plugins::test {
namespace {

std::vector<CaseCopy> cases_of(const std::string& device, const Request& request) {
  SelfCommunicator self;
  Host host(self);
  return Plugin("kernels", host, device).cases(request);
}

using Name = std::pair<std::string, bench_mode>;

std::set<Name> names(const std::vector<CaseCopy>& cases) {
  std::set<Name> found;
  for (const CaseCopy& c : cases) found.insert({c.name, c.fields.mode});
  return found;
}

TEST(CudaCases, HaveTheNamesOfTheCpus) {
  for (const char* dtype : {"f32", "bf16"}) {
    for (const char* set : {"", "smoke"}) {
      const Request request{.set = set, .options = {}, .ranks = 1, .dtype = dtype};
      EXPECT_EQ(names(cases_of("cuda", request)), names(cases_of("cpu", request))) << set << dtype;
    }
  }
}

TEST(CudaCases, AreThereForEveryOp) {
  for (const char* dtype : {"f32", "bf16"}) {
    const Request request{.set = "", .options = {}, .ranks = 1, .dtype = dtype};
    for (const CaseCopy& c : cases_of("cuda", request)) {
      EXPECT_TRUE(c.available) << c.name << " " << dtype;
      EXPECT_FALSE(c.params.at("variant").empty()) << c.name << " " << dtype;
    }
  }
}

TEST(CudaCases, OfCeilingsAreThoseThatFlankTheOthers) {
  const auto ceilings = names(cases_of("cuda", {.set = "ceilings", .options = {}}));
  for (const char* flank : {"copy", "copy_nt", "triad_nt", "read", "r2w1"}) {
    EXPECT_TRUE(ceilings.contains({std::string("ceiling.stream.") + flank, BENCH_MODE_HOT}))
        << flank;
  }
}

}  // namespace
}  // namespace bench::plugins::test
