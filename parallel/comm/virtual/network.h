#pragma once
// What a message costs between simulated ranks, by tier: inside a host and between hosts.

#include <cstdint>

namespace bench::simulated {

struct Link {
  double alpha_s = 0;  // of a message
  double beta_s_per_byte = 0;
};

// A rank sends one message and receives one at a time. A message starts when both its ends are
// ready for it and takes alpha + bytes * beta; reducing takes gamma a byte, after the receive.
struct Network {
  int ranks_per_host = 1;  // consecutive ranks
  Link intra, inter;
  double gamma_s_per_byte = 0;

  bool one_host(int a, int b) const { return a / ranks_per_host == b / ranks_per_host; }
  double message_s(int from, int to, int64_t bytes) const {
    const Link& link = one_host(from, to) ? intra : inter;
    return link.alpha_s + static_cast<double>(bytes) * link.beta_s_per_byte;
  }
};

}  // namespace bench::simulated
