#pragma once
// What communicators have in common that make collectives of their own and leave single messages to
// another one.

#include <memory>

#include "parallel/comm/communicator.h"

namespace bench {

class OverMessages : public Communicator {
 public:
  int rank() const final { return inner_.rank(); }
  int size() const final { return inner_.size(); }
  void send(Stream s, const void* buffer, int64_t count, DType t, int to, int tag) final {
    inner_.send(s, buffer, count, t, to, tag);
  }
  void recv(Stream s, void* buffer, int64_t count, DType t, int from, int tag) final {
    inner_.recv(s, buffer, count, t, from, tag);
  }
  void exchange(Stream s, std::span<const Outgoing> sends, std::span<const Incoming> receives,
                DType t, int tag) final {
    inner_.exchange(s, sends, receives, t, tag);
  }

 protected:
  // `inner` outlives this, or is kept by it.
  explicit OverMessages(Communicator& inner) : inner_(inner) {}
  void keep(std::unique_ptr<Communicator> inner) { owned_ = std::move(inner); }
  Communicator& inner() { return inner_; }

 private:
  std::unique_ptr<Communicator> owned_;
  Communicator& inner_;
};

}  // namespace bench
