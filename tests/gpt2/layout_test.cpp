#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "bench/base/status.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "parallel/layout/mesh.h"
#include "parallel/layout/shard.h"

namespace bench::layout {
namespace {

TEST(Mesh, TensorIsTheFastestAxisThenDataThenPipeline) {
  const MeshShape shape{.tensor = 2, .data = 3, .pipeline = 2};
  EXPECT_EQ(coordinates_of(0, shape), (std::array{0, 0, 0}));
  EXPECT_EQ(coordinates_of(1, shape), (std::array{1, 0, 0}));
  EXPECT_EQ(coordinates_of(2, shape), (std::array{0, 1, 0}));
  EXPECT_EQ(coordinates_of(6, shape), (std::array{0, 0, 1}));
  EXPECT_EQ(coordinates_of(11, shape), (std::array{1, 2, 1}));
}

TEST(Mesh, EachAxisJoinsTheRanksThatDifferAlongItAlone) {
  const MeshShape shape{.tensor = 2, .data = 3, .pipeline = 1};
  std::atomic<int> checked = 0;
  run_ranks(shape.ranks(), [&](Communicator& world) {
    Mesh mesh(world, shape);
    for (const Axis axis : {Axis::tensor, Axis::data, Axis::pipeline}) {
      Communicator& group = mesh.along(axis);
      ASSERT_EQ(group.size(), mesh.size(axis));
      ASSERT_EQ(group.rank(), mesh.rank(axis));
      // Every member learns the world ranks of its group.
      std::vector<int32_t> members(static_cast<size_t>(group.size()));
      const int32_t me = world.rank();
      group.all_gather({}, &me, members.data(), 1, DType::i32);
      auto place = coordinates_of(world.rank(), shape);
      for (int i = 0; i < group.size(); ++i) {
        place[static_cast<size_t>(axis)] = i;
        EXPECT_EQ(coordinates_of(members[static_cast<size_t>(i)], shape), place);
      }
      ++checked;
    }
  });
  EXPECT_EQ(checked, 3 * shape.ranks());
}

TEST(Mesh, RefusesAShapeThatIsNotTheWorld) {
  run_ranks(3, [](Communicator& world) {
    EXPECT_THROW(Mesh(world, {.tensor = 2, .data = 2}), UsageError);
    EXPECT_THROW(Mesh(world, {.tensor = 3, .data = 0}), UsageError);
  });
}

TEST(Shard, EvenPartsTileTheWhole) {
  EXPECT_EQ(even_part("rows", 12, 3, 2).begin, 8);
  EXPECT_EQ(even_part("rows", 12, 3, 2).end(), 12);
  EXPECT_THROW(even_part("rows", 13, 3, 0), UsageError);
}

TEST(Shard, VocabularyIsPaddedAndTiled) {
  for (const int64_t vocab : {1, 131, 384, 50257}) {
    for (int parts = 1; parts <= 5; ++parts) {
      int64_t next = 0, true_rows = 0;
      for (int rank = 0; rank < parts; ++rank) {
        const VocabPart part = vocab_part(vocab, parts, rank);
        EXPECT_EQ(part.first, next);
        EXPECT_EQ(part.rows % 128, 0);
        next += part.rows;
        true_rows += part.true_rows;
      }
      EXPECT_GE(next, vocab);
      EXPECT_EQ(true_rows, vocab);
    }
  }
  EXPECT_EQ(vocab_part(131, 4, 3).true_rows, 0);
}

TEST(BatchPlan, DealsConsecutiveRowsToDataRanks) {
  const BatchPlan plan{.global_batch = 12, .micro_batch = 2, .data_size = 3};
  plan.validate();
  EXPECT_EQ(plan.accumulation(), 2);
  EXPECT_EQ(plan.rows_per_rank(), 4);
  EXPECT_EQ(plan.rows_of_rank(2).begin, 8);
  EXPECT_EQ(plan.rows_of_rank(2).size, 4);
}

TEST(BatchPlan, RefusesBatchesThatDoNotDivide) {
  EXPECT_THROW((BatchPlan{.global_batch = 10, .micro_batch = 2, .data_size = 3}).validate(),
               UsageError);
  EXPECT_THROW((BatchPlan{.global_batch = 0, .micro_batch = 1, .data_size = 1}).validate(),
               UsageError);
}

}  // namespace
}  // namespace bench::layout
