#include "tests/comm/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>

#include "bench/base/status.h"
#include "parallel/comm/agreement.h"
#include "parallel/comm/strings.h"
#include "tests/comm/elements.h"

namespace bench::comm_checks {
namespace {

using ValueOf = double (*)(int rank, int64_t i);

void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

double reduced(const Communicator& comm, ReduceOp op, ValueOf value, int64_t i) {
  double result = value(0, i);
  for (int r = 1; r < comm.size(); ++r) {
    const double next = value(r, i);
    result = op == ReduceOp::sum   ? result + next
             : op == ReduceOp::max ? std::max(result, next)
                                   : std::min(result, next);
  }
  return result;
}

Elements mine_of(const Communicator& comm, DType t, int64_t count, ValueOf value) {
  Elements mine(t, count);
  for (int64_t i = 0; i < count; ++i) mine.set(i, value(comm.rank(), i));
  return mine;
}

// Calls check(type, count, operation, values) for all that make sense.
void for_reductions(
    const std::function<void(DType, int64_t count, ReduceOp, ValueOf value)>& check) {
  for (const int64_t count : kCounts) {
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::max, ReduceOp::min}) {
      for (const DType t : kAllTypes) check(t, count, op, small_value);
      for (const DType t : kSignedTypes) check(t, count, op, signed_value);
    }
  }
}

void all_reduce_is_exact(Communicator& comm) {
  for_reductions([&](DType t, int64_t count, ReduceOp op, ValueOf value) {
    const auto want = [&](int64_t i) { return reduced(comm, op, value, i); };
    Elements mine = mine_of(comm, t, count, value), result(t, count);
    comm.all_reduce(Stream{}, mine.at(0), result.at(0), count, t, op);
    expect_elements("all_reduce", result, want);
    expect_elements("all_reduce's input", mine, [&](int64_t i) { return value(comm.rank(), i); });
    comm.all_reduce(Stream{}, mine.at(0), mine.at(0), count, t, op);
    expect_elements("all_reduce in place", mine, want);
  });
}

void reduce_scatter_is_exact(Communicator& comm) {
  for_reductions([&](DType t, int64_t count, ReduceOp op, ValueOf value) {
    const int64_t first = comm.rank() * count;
    const auto want = [&](int64_t i) { return reduced(comm, op, value, first + i); };
    Elements mine = mine_of(comm, t, count * comm.size(), value), block(t, count);
    comm.reduce_scatter(Stream{}, mine.at(0), block.at(0), count, t, op);
    expect_elements("reduce_scatter", block, want);
    comm.reduce_scatter(Stream{}, mine.at(0), mine.at(0), count, t, op);
    for (int64_t i = 0; i < count; ++i) block.set(i, mine.get(i));
    expect_elements("reduce_scatter in place", block, want);
  });
}

void all_gather_keeps_rank_order(Communicator& comm) {
  for (const DType t : kAllTypes) {
    for (const int64_t count : kCounts) {
      const auto want = [&](int64_t i) {
        return small_value(static_cast<int>(i / count), i % count);
      };
      Elements mine = mine_of(comm, t, count, small_value), all(t, count * comm.size());
      comm.all_gather(Stream{}, mine.at(0), all.at(0), count, t);
      expect_elements("all_gather", all, want);
      Elements again(t, count * comm.size());
      void* own = again.at(comm.rank() * count);
      for (int64_t i = 0; i < count; ++i) again.set(comm.rank() * count + i, mine.get(i));
      comm.all_gather(Stream{}, own, again.at(0), count, t);
      expect_elements("all_gather in place", again, want);
    }
  }
}

void broadcast_from_every_root(Communicator& comm) {
  for (int root = 0; root < comm.size(); ++root) {
    for (const DType t : kAllTypes) {
      for (const int64_t count : kCounts) {
        Elements mine = mine_of(comm, t, count, small_value);
        comm.broadcast(Stream{}, mine.at(0), count, t, root);
        expect_elements("broadcast", mine, [&](int64_t i) { return small_value(root, i); });
      }
    }
  }
}

// Each rank hands what it has to the next one; rank 0 starts, so that no two wait for each other.
void messages_go_round(Communicator& comm) {
  if (comm.size() == 1) return;
  const int next = (comm.rank() + 1) % comm.size();
  const int before = (comm.rank() + comm.size() - 1) % comm.size();
  for (const int64_t count : kCounts) {
    Elements mine = mine_of(comm, DType::f32, count, small_value), theirs(DType::f32, count);
    const auto give = [&] { comm.send(Stream{}, mine.at(0), count, DType::f32, next, 7); };
    if (comm.rank() == 0) give();
    comm.recv(Stream{}, theirs.at(0), count, DType::f32, before, 7);
    if (comm.rank() != 0) give();
    expect_elements("recv", theirs, [&](int64_t i) { return small_value(before, i); });
  }
}

// NCCL knows no tags.
void tags_choose_the_message(Communicator& comm) {
  if (comm.size() == 1 || comm.rank() > 1 || comm.kind() == "nccl") return;
  const int other = 1 - comm.rank();
  if (comm.rank() == 0) {
    for (const int32_t tag : {1, 2}) comm.send(Stream{}, &tag, 1, DType::i32, other, tag);
    return;
  }
  for (const int32_t tag : {2, 1}) {
    int32_t got = 0;
    comm.recv(Stream{}, &got, 1, DType::i32, other, tag);
    expect(got == tag, fmt::format("recv with tag {} gave the message with tag {}", tag, got));
  }
}

// A message for each ordered pair: of another length each, some of none.
int64_t length_between(int from, int to) { return (from * 31 + to * 17) % 5 * 700; }

void all_exchange_at_once(Communicator& comm) {
  std::vector<Elements> given, got;
  std::vector<Outgoing> sends;
  std::vector<Incoming> receives;
  for (int r = 0; r < comm.size(); ++r) {
    given.push_back(mine_of(comm, DType::bf16, length_between(comm.rank(), r), small_value));
    got.emplace_back(DType::bf16, length_between(r, comm.rank()));
  }
  for (int r = 0; r < comm.size(); ++r) {
    if (r == comm.rank()) continue;
    Elements &to = given[static_cast<size_t>(r)], &from = got[static_cast<size_t>(r)];
    sends.push_back({.buffer = to.at(0), .count = to.count(), .to = r});
    receives.push_back({.buffer = from.at(0), .count = from.count(), .from = r});
  }
  comm.exchange(Stream{}, sends, receives, DType::bf16, 3);
  for (const Incoming& m : receives)
    expect_elements("exchange", got[static_cast<size_t>(m.from)],
                    [&](int64_t i) { return small_value(m.from, i); });
}

// Two messages to the next rank on a ring, of unlike lengths.
void exchanges_keep_the_order_of_messages(Communicator& comm) {
  constexpr int64_t kLong = 5003, kShort = 7;
  if (comm.size() == 1) return;
  const int next = (comm.rank() + 1) % comm.size();
  const int before = (comm.rank() + comm.size() - 1) % comm.size();
  Elements mine = mine_of(comm, DType::f32, kLong, small_value);
  std::vector<Elements> got;
  std::vector<Outgoing> sends;
  std::vector<Incoming> receives;
  for (const int64_t count : {kShort, kLong}) got.emplace_back(DType::f32, count);
  for (Elements& place : got) {
    sends.push_back({.buffer = mine.at(0), .count = place.count(), .to = next});
    receives.push_back({.buffer = place.at(0), .count = place.count(), .from = before});
  }
  comm.exchange(Stream{}, sends, receives, DType::f32, 4);
  for (const Elements& place : got)
    expect_elements("exchange of several messages", place,
                    [&](int64_t i) { return small_value(before, i); });
}

// All send to the first rank, which alone has many partners.
void exchanges_may_be_uneven(Communicator& comm) {
  constexpr int64_t kCount = 3001;
  Elements mine = mine_of(comm, DType::f32, kCount, small_value);
  if (comm.rank() > 0) {
    const Outgoing send{.buffer = mine.at(0), .count = kCount, .to = 0};
    return comm.exchange(Stream{}, {&send, 1}, {}, DType::f32, 0);
  }
  std::vector<Elements> got;
  std::vector<Incoming> receives;
  for (int r = 1; r < comm.size(); ++r) got.emplace_back(DType::f32, kCount);
  for (int r = 1; r < comm.size(); ++r)
    receives.push_back(
        {.buffer = got[static_cast<size_t>(r - 1)].at(0), .count = kCount, .from = r});
  comm.exchange(Stream{}, {}, receives, DType::f32, 0);
  for (int r = 1; r < comm.size(); ++r)
    expect_elements("uneven exchange", got[static_cast<size_t>(r - 1)],
                    [&](int64_t i) { return small_value(r, i); });
}

void started_all_reduces_overlap(Communicator& comm) {
  constexpr int64_t kCount = 4099;
  Elements a = mine_of(comm, DType::f32, kCount, small_value);
  Elements b = mine_of(comm, DType::bf16, kCount, small_value);
  Elements result(DType::f32, kCount);
  const auto first =
      comm.all_reduce_start(Stream{}, a.at(0), result.at(0), kCount, DType::f32, ReduceOp::sum);
  const auto second =
      comm.all_reduce_start(Stream{}, b.at(0), b.at(0), kCount, DType::bf16, ReduceOp::max);
  comm.wait(Stream{}, second);
  comm.wait(Stream{}, first);
  comm.wait(Stream{}, 0);
  expect_elements("all_reduce_start", result,
                  [&](int64_t i) { return reduced(comm, ReduceOp::sum, small_value, i); });
  expect_elements("all_reduce_start in place", b,
                  [&](int64_t i) { return reduced(comm, ReduceOp::max, small_value, i); });
}

void started_reduce_scatters_overlap(Communicator& comm) {
  constexpr int64_t kCount = 1021;
  const int64_t all = comm.size() * kCount;
  Elements a = mine_of(comm, DType::f32, all, small_value);
  Elements b = mine_of(comm, DType::bf16, all, small_value);
  Elements result(DType::f32, kCount);
  const auto first =
      comm.reduce_scatter_start(Stream{}, a.at(0), result.at(0), kCount, DType::f32, ReduceOp::sum);
  const auto second =
      comm.reduce_scatter_start(Stream{}, b.at(0), b.at(0), kCount, DType::bf16, ReduceOp::max);
  comm.wait(Stream{}, second);
  comm.wait(Stream{}, first);
  const int64_t mine = comm.rank() * kCount;
  expect_elements("reduce_scatter_start", result,
                  [&](int64_t i) { return reduced(comm, ReduceOp::sum, small_value, mine + i); });
  Elements front(DType::bf16, kCount);
  for (int64_t i = 0; i < kCount; ++i) front.set(i, b.get(i));
  expect_elements("reduce_scatter_start in place", front,
                  [&](int64_t i) { return reduced(comm, ReduceOp::max, small_value, mine + i); });
}

// World ranks of a communicator, in its order.
std::vector<int32_t> members_of(Communicator& part, int32_t world_rank) {
  std::vector<int32_t> members(static_cast<size_t>(part.size()));
  part.all_gather(Stream{}, &world_rank, members.data(), 1, DType::i32);
  return members;
}

void split_orders_by_key(Communicator& comm) {
  const int color = comm.rank() % 2;
  const auto part = comm.split(color, -comm.rank());
  std::vector<int32_t> want;
  for (int r = comm.size() - 1; r >= 0; --r)
    if (r % 2 == color) want.push_back(r);
  expect(members_of(*part, comm.rank()) == want, "split: wrong members or order");
  expect(want[static_cast<size_t>(part->rank())] == comm.rank(), "split: wrong rank");
  part->barrier(Stream{});
}

void splits_nest(Communicator& comm) {
  const auto half = comm.split(comm.rank() * 2 / comm.size(), 0);
  const auto alone = half->split(half->rank(), 0);
  expect(alone->size() == 1 && alone->rank() == 0, "split of a split: should be one rank alone");
  int32_t sum = 1;
  half->all_reduce(&sum, 1, ReduceOp::sum);
  expect(sum == half->size(), "all_reduce in a split left out or added ranks");
  const auto whole = comm.split(3, 0);
  expect(whole->size() == comm.size() && whole->rank() == comm.rank(),
         "split of all with equal keys: should keep the ranks");
}

void strings_reach_everybody(Communicator& comm) {
  const auto text_of = [](int rank) {
    return std::string(static_cast<size_t>(3 * rank), 'a') +
           (rank == 1 ? std::string("\0x", 2) : "");
  };
  const std::vector<std::string> all = gather_strings(comm, text_of(comm.rank()));
  expect(all.size() == static_cast<size_t>(comm.size()), "gather_strings: not one a rank");
  for (int root = 0; root < comm.size(); ++root) {
    expect(all[static_cast<size_t>(root)] == text_of(root), "gather_strings: a text changed");
    expect(broadcast_string(comm, text_of(comm.rank()), root) == text_of(root),
           "broadcast_string: a text changed");
  }
}

void disagreement_names_the_rank(Communicator& comm) {
  agree(comm, "the answer", 42);
  if (comm.size() == 1) return;
  const int odd = comm.size() - 1;
  try {
    agree(comm, "the answer", comm.rank() == odd ? 43 : 42);
  } catch (const AgreedError& e) {
    const std::string words = e.what();
    expect(e.code() == ExitCode::kEnvironment, "agree: wrong exit code");
    expect(words.find("the answer") != std::string::npos, "agree: does not say what: " + words);
    expect(words.find(fmt::format("rank {} differs", odd)) != std::string::npos,
           "agree: does not name the rank: " + words);
    return;
  }
  throw std::runtime_error("agree: the ranks disagree and nobody said so");
}

constexpr std::array kChecks = {
    Check{"all_reduce_is_exact", all_reduce_is_exact},
    Check{"reduce_scatter_is_exact", reduce_scatter_is_exact},
    Check{"all_gather_keeps_rank_order", all_gather_keeps_rank_order},
    Check{"broadcast_from_every_root", broadcast_from_every_root},
    Check{"messages_go_round", messages_go_round},
    Check{"tags_choose_the_message", tags_choose_the_message},
    Check{"all_exchange_at_once", all_exchange_at_once},
    Check{"exchanges_may_be_uneven", exchanges_may_be_uneven},
    Check{"exchanges_keep_the_order_of_messages", exchanges_keep_the_order_of_messages},
    Check{"started_reduce_scatters_overlap", started_reduce_scatters_overlap},
    Check{"started_all_reduces_overlap", started_all_reduces_overlap},
    Check{"split_orders_by_key", split_orders_by_key},
    Check{"splits_nest", splits_nest},
    Check{"strings_reach_everybody", strings_reach_everybody},
    Check{"disagreement_names_the_rank", disagreement_names_the_rank}};

}  // namespace

std::span<const Check> all_checks() { return kChecks; }

}  // namespace bench::comm_checks
