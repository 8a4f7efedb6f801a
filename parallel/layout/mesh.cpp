#include "parallel/layout/mesh.h"

#include <fmt/format.h>

#include "bench/base/status.h"

namespace bench::layout {
namespace {

constexpr std::array<Axis, kAxes> kFastestFirst = {Axis::tensor, Axis::data, Axis::pipeline};

// Ranks that differ only along `axis` share a color.
int color_of(const std::array<int, kAxes>& coordinates, const MeshShape& shape, Axis axis) {
  int color = 0;
  for (int i = kAxes - 1; i >= 0; --i) {
    const Axis other = kFastestFirst[static_cast<size_t>(i)];
    if (other == axis) continue;
    color = color * shape.along(other) + coordinates[static_cast<size_t>(other)];
  }
  return color;
}

}  // namespace

const char* name_of(Axis axis) {
  switch (axis) {
    case Axis::tensor: return "tensor";
    case Axis::data: return "data";
    case Axis::pipeline: return "pipeline";
  }
  return "unknown";
}

int MeshShape::along(Axis axis) const {
  switch (axis) {
    case Axis::tensor: return tensor;
    case Axis::data: return data;
    case Axis::pipeline: return pipeline;
  }
  return 1;
}

std::array<int, kAxes> coordinates_of(int world_rank, const MeshShape& shape) {
  return {world_rank % shape.tensor, world_rank / shape.tensor % shape.data,
          world_rank / (shape.tensor * shape.data)};
}

Mesh::Mesh(Communicator& world, MeshShape shape) : shape_(shape) {
  if (shape.tensor < 1 || shape.data < 1 || shape.pipeline < 1 || shape.ranks() != world.size()) {
    throw UsageError(fmt::format(
        "layout tensor {} x data {} x pipeline {} needs {} ranks, but {} take part: choose sizes "
        "whose product is {}",
        shape.tensor, shape.data, shape.pipeline, shape.ranks(), world.size(), world.size()));
  }
  coordinates_ = coordinates_of(world.rank(), shape);
  for (const Axis axis : kFastestFirst) {
    groups_[static_cast<size_t>(axis)] =
        world.split(color_of(coordinates_, shape, axis), rank(axis));
  }
  if (shape.pipeline > 1) {
    const int stage = rank(Axis::pipeline);
    const bool at_an_end = stage == 0 || stage == shape.pipeline - 1;
    const int pipeline = color_of(coordinates_, shape, Axis::pipeline);
    const int pipelines = shape.tensor * shape.data;
    auto group = world.split(at_an_end ? pipeline : pipelines, stage);
    if (at_an_end) ends_ = std::move(group);
  }
}

}  // namespace bench::layout
