#include "bench/measure/agreed_check.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "bench/measure/guard.h"
#include "parallel/comm/strings.h"

namespace bench::measure {
namespace {

constexpr std::array<const char*, 3> kStatus = {"passed", "unverified", "wrong"};

int severity_of(const schema::Verify& v) {
  if (v.status == "wrong") return 2;
  return v.status == "passed" ? 0 : 1;
}

double error_in_tolerances(const schema::Verify& v) {
  if (!v.error) return severity_of(v) == 2 ? std::numeric_limits<double>::infinity() : 0;
  if (!std::isfinite(*v.error)) return std::numeric_limits<double>::infinity();
  return *v.error / v.tolerance.value_or(1);
}

bool is_worse(const schema::Verify& b, const schema::Verify& a) {
  if (severity_of(a) != severity_of(b)) return severity_of(b) > severity_of(a);
  return error_in_tolerances(b) > error_in_tolerances(a);
}

// What travels: an empty number as NaN, so that it comes back empty.
struct Row {
  double severity, error, tolerance, code;
};
constexpr int64_t kRowDoubles = sizeof(Row) / sizeof(double);

Row row_of(const schema::Verify& v, const Guard& guard) {
  constexpr double kEmpty = std::numeric_limits<double>::quiet_NaN();
  return {.severity = static_cast<double>(severity_of(v)),
          .error = v.error.value_or(kEmpty),
          .tolerance = v.tolerance.value_or(kEmpty),
          .code = guard.code()};
}

schema::Verify verify_of(const Row& row) {
  const auto number = [](double v) { return std::isnan(v) ? schema::Number{} : schema::Number{v}; };
  return {.status = kStatus.at(static_cast<size_t>(row.severity)),
          .error = number(row.error),
          .tolerance = number(row.tolerance),
          .detail = {}};
}

}  // namespace

const schema::Verify& worse_of(const schema::Verify& a, const schema::Verify& b) {
  return is_worse(b, a) ? b : a;
}

schema::Verify check_on_all(Subject& subject, Communicator& comm) {
  Guard guard;
  schema::Verify own;
  guard.run([&] { own = subject.check(); });
  const Row row = row_of(own, guard);
  std::vector<Row> rows(static_cast<size_t>(comm.size()));
  comm.all_gather(Stream{}, &row, rows.data(), kRowDoubles, DType::f64);
  int worst_rank = 0;
  schema::Verify worst = verify_of(rows[0]);
  for (int r = 0; r < comm.size(); ++r) {
    const Row& of_rank = rows[static_cast<size_t>(r)];
    if (of_rank.code != 0) guard.throw_on_all(comm, r);
    if (is_worse(verify_of(of_rank), worst)) worst = verify_of(of_rank), worst_rank = r;
  }
  worst.detail = broadcast_string(comm, own.detail, worst_rank);
  if (worst.status == "wrong" && comm.size() > 1)
    worst.detail = fmt::format("rank {}: {}", worst_rank, worst.detail);
  return worst;
}

}  // namespace bench::measure
