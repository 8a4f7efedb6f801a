#include "bench/world/world.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "bench/base/status.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

std::string words_of_opening(const fs::path& folder) {
  try {
    open_mpi_world(folder);
  } catch (const EnvironmentError& e) {
    return e.what();
  }
  return {};
}

TEST(SingleWorld, IsOneRankWithoutMpi) {
  const auto world = make_single_world();
  EXPECT_EQ(world->rank(), 0);
  EXPECT_EQ(world->size(), 1);
  EXPECT_EQ(world->local_size(), 1);
  EXPECT_EQ(world->library(), "");
  EXPECT_EQ(world->comm().size(), 1);
  ASSERT_NE(world->group(1), nullptr);
  EXPECT_EQ(world->group(1)->size(), 1);
}

TEST(OpenMpiWorld, SaysWhatIsMissingAndWhatToDo) {
  const std::string words = words_of_opening("nowhere");
  EXPECT_NE(words.find("nowhere/bench_world_mpi.so"), std::string::npos) << words;
  EXPECT_NE(words.find("--mpi off"), std::string::npos) << words;
}

TEST(OpenMpiWorld, RefusesAFileThatIsNoModule) {
  const fs::path folder = fs::path(testing::TempDir()) / "bench_world_test";
  fs::create_directories(folder);
  std::ofstream(folder / "bench_world_mpi.so") << "no library";
  const std::string words = words_of_opening(folder);
  fs::remove_all(folder);
  EXPECT_NE(words.find("cannot be opened"), std::string::npos) << words;
}

}  // namespace
}  // namespace bench
