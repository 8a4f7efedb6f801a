#pragma once
// The ranks of a job as a mesh of named axes, one communicator along each axis. World rank =
// (pipeline * data_size + data) * tensor_size + tensor: the tensor axis is the fastest, so that the
// ranks that talk most are neighbours (Shoeybi 2019, section 5; Narayanan 2021, section 3).

#include <array>
#include <memory>

#include "parallel/comm/communicator.h"

namespace bench::layout {

enum class Axis { tensor = 0, data = 1, pipeline = 2 };
constexpr int kAxes = 3;

const char* name_of(Axis axis);

struct MeshShape {
  int tensor = 1;
  int data = 1;
  int pipeline = 1;

  int ranks() const { return tensor * data * pipeline; }
  int along(Axis axis) const;
};

// Where a world rank stands along each axis.
std::array<int, kAxes> coordinates_of(int world_rank, const MeshShape& shape);

class Mesh {
 public:
  // Collective over world; the axes are communicators of their own. Throws
  // UsageError when the shape does not have exactly the world's ranks.
  Mesh(Communicator& world, MeshShape shape);

  const MeshShape& shape() const { return shape_; }
  int size(Axis axis) const { return shape_.along(axis); }
  int rank(Axis axis) const { return coordinates_[static_cast<size_t>(axis)]; }
  Communicator& along(Axis axis) { return *groups_[static_cast<size_t>(axis)]; }
  // The first and the last pipeline stage of this rank's place on the other axes, where they are
  // two and this is one of them; otherwise null.
  Communicator* ends() { return ends_.get(); }

 private:
  MeshShape shape_;
  std::array<int, kAxes> coordinates_;
  std::array<std::unique_ptr<Communicator>, kAxes> groups_;
  std::unique_ptr<Communicator> ends_;
};

}  // namespace bench::layout
