// The table that a plugin's one symbol returns.
#include <gtest/gtest.h>

#include "parallel/comm/self/self_communicator.h"
#include "tests/plugins/opened.h"

namespace bench::plugins::test {
namespace {

class Table : public testing::TestWithParam<const char*> {};

TEST_P(Table, SaysWhoItIsAndLeavesNoFunctionOut) {
  const bench_plugin* t = table_of(GetParam());
  ASSERT_NE(t, nullptr);
  EXPECT_EQ(t->size, sizeof(bench_plugin));
  EXPECT_EQ(t->abi_major, static_cast<uint32_t>(BENCH_ABI_MAJOR));
  EXPECT_EQ(t->abi_minor, static_cast<uint32_t>(BENCH_ABI_MINOR));
  EXPECT_STREQ(t->id, GetParam());
  EXPECT_STREQ(t->device, "cpu");
  EXPECT_STRNE(t->version, "");
  EXPECT_STRNE(t->description, "");
  EXPECT_TRUE(t->create && t->destroy && t->cases && t->open && t->enqueue && t->check && t->close);
}

TEST_P(Table, IsTheSameForAHostOfAnyMajorVersion) {
  EXPECT_EQ(table_of(GetParam(), BENCH_ABI_MAJOR + 1), table_of(GetParam(), BENCH_ABI_MAJOR));
}

TEST_P(Table, HasNoInterfaceThatItDoesNotKnow) {
  SelfCommunicator self;
  Host host(self);
  Plugin plugin(GetParam(), host);
  EXPECT_EQ(plugin.table().interface_by_name(nullptr, "nobody/1"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Plugins, Table,
                         testing::Values("template", "kernels", "collectives", "train"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace bench::plugins::test
