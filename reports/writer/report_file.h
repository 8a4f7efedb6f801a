#pragma once
// Where a report goes. An existing report is never half overwritten; a pipe or a device is written
// directly. Holds no lock and no buffer, so that a signal thread may write while the main thread is
// stuck.

#include <string>
#include <string_view>

namespace bench::reports {

class ReportFile {
 public:
  // Tries that the target can be written, before anything runs. A regular (or new) file gets a
  // temporary name beside it; anything else is opened as it is. Throws EnvironmentError with the
  // system's words.
  static ReportFile open_target(const std::string& path);

  ReportFile(ReportFile&& other) noexcept;
  ReportFile& operator=(ReportFile&& other) noexcept;
  ReportFile(const ReportFile&) = delete;
  ReportFile& operator=(const ReportFile&) = delete;
  ~ReportFile();

  // The whole report: to the temporary name, synced, renamed over the target. May be called again;
  // the last one stays. Throws EnvironmentError (no space, …) and leaves an existing report as it
  // was.
  void write(std::string_view text);

  const std::string& path() const { return path_; }
  bool regular() const { return regular_; }
  // X.jsonl beside X.json; "" for a target that is no regular file.
  std::string journal_path() const;

 private:
  ReportFile() = default;
  std::string path_, target_;
  int fd_ = -1;  // of a target that is no regular file
  bool regular_ = false;
};

// One line at a time, in the file's order, on its way to the disk when append returns.
class JournalFile {
 public:
  // An empty path makes a journal that takes lines and keeps nothing. Throws EnvironmentError.
  explicit JournalFile(const std::string& path);
  JournalFile(JournalFile&& other) noexcept;
  JournalFile& operator=(JournalFile&& other) noexcept;
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;
  ~JournalFile();

  void append(std::string_view line);  // throws EnvironmentError

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace bench::reports
