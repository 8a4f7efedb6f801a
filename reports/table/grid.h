#pragma once
// Rows of text in columns, and numbers short enough for them. Private to this folder.

#include <string>
#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

class Grid {
 public:
  // A heading that starts with '>' makes a column flush right.
  explicit Grid(std::vector<std::string> headings);
  void add(std::vector<std::string> cells);
  // A column whose cells are all "" or "-" is not printed.
  void hide_idle_columns();
  bool empty() const { return rows_.size() == 1; }
  std::string text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;  // the first: headings
};

std::string seconds_text(double seconds);  // "12.34 ms"
std::string number_text(const schema::Number& x,
                        int digits = 4);  // significant digits; "-" without a value
std::string percent_text(const schema::Number& fraction);  // "83.1 %"
std::string rate_text(double per_second,
                      const std::string& unit);  // "1.234 TFLOP/s" for 1.234e12 and "FLOP/s"

}  // namespace bench::reports
