#include "bench/base/log.h"

#include <unistd.h>

#include <string>

namespace bench {

void Log::write(LogLevel level, std::string_view text) const {
  if (level < least_) return;
  std::string line = "bench[rank " + std::to_string(rank_) + "]: ";
  if (level == LogLevel::kWarning) line += "warning: ";
  if (level == LogLevel::kError) line += "error: ";
  line.append(text);
  line += '\n';
  // A log line that cannot be written has nowhere else to go.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace bench
