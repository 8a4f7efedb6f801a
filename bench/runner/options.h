#pragma once
// The options of a run as one table: the command line, suite files and `bench --help` all read it,
// so a name means the same everywhere. Values stay text until somebody asks for a type; they are
// checked when set.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bench::runner {

// names and numbers are lists, too, of op=name,… and key=1,2,… (option_lists.h).
enum class OptionKind { text, integer, real, flag, choice, list, names, numbers };

inline bool may_repeat(OptionKind kind) { return kind >= OptionKind::list; }

struct OptionSpec {
  std::string_view name;  // without dashes, as in a suite file
  OptionKind kind;
  std::string_view help;
  std::string_view choices = {};  // "a|b|c" for choice
  double least = 0;               // for integer and real
  bool for_plugins = false;       // handed to plugins in bench_request.options
};

std::span<const OptionSpec> option_table();
const OptionSpec* find_option(std::string_view name);

// Values by option name; a list option has several.
class OptionSet {
 public:
  // Throws UsageError that names the option, the text and what would be accepted. `where` says who
  // asked: "command line", "suite file x.json".
  void set(std::string_view name, const std::string& text, std::string_view where);
  void remove(std::string_view name);
  // Takes what `defaults` has and this does not.
  void fill_from(const OptionSet& defaults);

  bool has(std::string_view name) const { return values_.contains(std::string(name)); }
  std::string text(std::string_view name, std::string_view otherwise) const;
  int64_t integer(std::string_view name, int64_t otherwise) const;
  double real(std::string_view name, double otherwise) const;
  bool flag(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;
  const std::map<std::string, std::vector<std::string>, std::less<>>& all() const {
    return values_;
  }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

enum class Command { run, list, doctor, plan, flops, validate, help, version };

struct CommandLine {
  Command command = Command::run;
  OptionSet options;      // of a run, of list, of plan
  bool json = false;      // list, doctor, plan, flops
  std::string file;       // validate
  std::string help_text;  // help
  struct Plan {
    int ranks = 0;
    int ranks_per_host = 0;     // 0: all on one
    uint64_t memory_bytes = 0;  // of a rank; 0: its share of this machine's
  } plan;
  struct Flops {
    std::string model, baseline_model;
    int64_t batch = 0, gpus = 0, baseline_batch = 0, baseline_gpus = 0;
    double step_seconds = 0, baseline_step_seconds = 0;
    bool has_baseline = false;
  } flops;
};

// Throws UsageError for anything unknown, ill-typed or missing.
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace bench::runner
