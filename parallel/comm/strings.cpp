#include "parallel/comm/strings.h"

#include <algorithm>

namespace bench {

std::vector<std::string> gather_strings(Communicator& comm, const std::string& mine) {
  const auto ranks = static_cast<size_t>(comm.size());
  const auto length = static_cast<int64_t>(mine.size());
  std::vector<int64_t> lengths(ranks);
  comm.all_gather(Stream{}, &length, lengths.data(), 1, DType::i64);
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  std::vector<std::string> all(ranks);
  if (longest == 0) return all;
  std::string padded = mine;
  padded.resize(static_cast<size_t>(longest));
  std::string joined(ranks * static_cast<size_t>(longest), '\0');
  comm.all_gather(Stream{}, padded.data(), joined.data(), longest, DType::u8);
  for (size_t r = 0; r < ranks; ++r)
    all[r] = joined.substr(r * static_cast<size_t>(longest), static_cast<size_t>(lengths[r]));
  return all;
}

std::string broadcast_string(Communicator& comm, const std::string& text, int root) {
  auto length = static_cast<int64_t>(text.size());
  comm.broadcast(Stream{}, &length, 1, DType::i64, root);
  std::string result = text;
  result.resize(static_cast<size_t>(length));
  comm.broadcast(Stream{}, result.data(), length, DType::u8, root);
  return result;
}

}  // namespace bench
