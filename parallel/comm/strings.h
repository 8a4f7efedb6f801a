#pragma once
// Texts between ranks: for set-up and errors, never inside a timed region.

#include <string>
#include <vector>

#include "parallel/comm/communicator.h"

namespace bench {

// Every rank gets the text of every rank, by rank. Collective.
std::vector<std::string> gather_strings(Communicator& comm, const std::string& mine);

// Every rank gets root's text. Collective.
std::string broadcast_string(Communicator& comm, const std::string& text, int root);

}  // namespace bench
