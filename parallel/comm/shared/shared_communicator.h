#pragma once
// Ranks of one host over memory that they all map. Vectors go through slots that stay in the
// caches, piece by piece: a piece is read and written in the caller's buffers once, as a copy would
// be.

#include <memory>
#include <string_view>
#include <vector>

#include "parallel/comm/over_messages.h"
#include "parallel/comm/shared/meeting.h"
#include "parallel/comm/shared/segment.h"

namespace bench {

class SharedCommunicator final : public OverMessages {
 public:
  // `inner`, which must outlive this, carries single messages and splits. Collective over it.
  // Throws Unsupported on every rank where they cannot map memory together, which different hosts
  // cannot. past_caches_bytes: results of this many bytes and more are stored past the caches, as
  // they would not stay in them: the last-level cache's share.
  SharedCommunicator(Communicator& inner, int64_t past_caches_bytes);

  std::string_view kind() const override { return "shared"; }

  void barrier(Stream) override { meeting_.meet(); }
  void all_reduce(Stream s, const void* send, void* recv, int64_t count, DType, ReduceOp) override;
  void reduce_scatter(Stream s, const void* send, void* recv, int64_t count, DType,
                      ReduceOp) override;
  void all_gather(Stream s, const void* send, void* recv, int64_t count, DType) override;
  void broadcast(Stream s, void* buffer, int64_t count, DType, int root) override;
  // A part of one rank communicates with nobody.
  std::unique_ptr<Communicator> split(int color, int key) override;

 private:
  struct Call;  // one reduction

  SharedCommunicator(std::unique_ptr<Communicator> inner, int64_t past_caches_bytes);
  // Two slots a rank, used in turn: what one step reads is not what the next one writes.
  unsigned char* slot(int rank, uint64_t turn) const;
  void store(void* to, const void* from, size_t bytes, bool past_caches) const;
  void small_all_reduce(const void* send, void* recv, int64_t count, DType, ReduceOp);
  void reduce(const Call& call);
  void probe(const Call& call, uint64_t turn);
  void give_parts(const Call& call, int64_t first, uint64_t turn);
  void reduce_mine(const Call& call, int64_t first, uint64_t turn);
  void take_parts(const Call& call, int64_t first, uint64_t turn);

  int64_t past_caches_bytes_;
  shared::Segment segment_;
  shared::Meeting meeting_;
  std::vector<const void*> operands_;
  uint64_t turn_ = 0;
  bool near_ = true;  // the ranks' cores share a cache, as far as this rank has seen
};

}  // namespace bench
