#pragma once
// The operations that are timed, their names and what they move.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bench::collectives {

enum class Operation { all_reduce, reduce_scatter, all_gather, broadcast, all_to_all, send_recv };
constexpr Operation kOperations[] = {Operation::all_reduce, Operation::reduce_scatter,
                                     Operation::all_gather, Operation::broadcast,
                                     Operation::all_to_all, Operation::send_recv};

const char* name_of(Operation op);
std::optional<Operation> operation_named(std::string_view name);

// busbw / algbw over n ranks, as nccl-tests defines it.
double bus_factor(Operation op, int n);

// Whether the vector is cut into a part for each rank.
bool is_cut(Operation op);

}  // namespace bench::collectives
