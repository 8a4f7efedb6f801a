#pragma once
// Lines for people, on stderr. Results never go through here.

#include <string_view>

namespace bench {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Where log lines go. Shown as "bench[rank 1]: warning: …".
class Log {
 public:
  explicit Log(int rank = 0, LogLevel least = LogLevel::kInfo) : rank_(rank), least_(least) {}
  void write(LogLevel level,
             std::string_view text) const;  // one write(2), so lines of ranks stay whole
  void info(std::string_view text) const { write(LogLevel::kInfo, text); }
  void warning(std::string_view text) const { write(LogLevel::kWarning, text); }
  void error(std::string_view text) const { write(LogLevel::kError, text); }

 private:
  int rank_;
  LogLevel least_;
};

}  // namespace bench
