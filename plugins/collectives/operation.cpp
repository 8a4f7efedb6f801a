#include "plugins/collectives/operation.h"

namespace bench::collectives {

const char* name_of(Operation op) {
  switch (op) {
    case Operation::all_reduce: return "all_reduce";
    case Operation::reduce_scatter: return "reduce_scatter";
    case Operation::all_gather: return "all_gather";
    case Operation::broadcast: return "broadcast";
    case Operation::all_to_all: return "all_to_all";
    case Operation::send_recv: return "send_recv";
  }
  return "";
}

std::optional<Operation> operation_named(std::string_view name) {
  for (const Operation op : kOperations)
    if (name == name_of(op)) return op;
  return {};
}

double bus_factor(Operation op, int n) {
  const double others = n - 1;
  switch (op) {
    case Operation::all_reduce: return 2 * others / n;
    case Operation::reduce_scatter:
    case Operation::all_gather:
    case Operation::all_to_all: return others / n;
    case Operation::broadcast:
    case Operation::send_recv: return n > 1 ? 1 : 0;
  }
  return 1;
}

bool is_cut(Operation op) {
  return op == Operation::reduce_scatter || op == Operation::all_gather ||
         op == Operation::all_to_all;
}

}  // namespace bench::collectives
