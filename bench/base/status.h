#pragma once
// Errors as types, one per exit code of the contract. Libraries throw; only main turns them into an
// exit.

#include <stdexcept>
#include <string>

namespace bench {

// Exit codes other programs rely on.
enum class ExitCode : int {
  kDone = 0,
  kFailedVerdict = 1,  // judged and failed: regression, below a required figure, wrong result
  kNoVerdict = 2,      // incomplete, timed out, interrupted, too noisy to say
  kUsage = 3,          // unknown or impossible input
  kEnvironment = 4,    // device, plugin, library or output missing or unusable; ranks disagree
};

// Carries what was wrong, where, and what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& what) : std::runtime_error(what), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// The user asked for something that does not exist or makes no sense.
struct UsageError : Error {
  explicit UsageError(const std::string& what) : Error(ExitCode::kUsage, what) {}
};

// The machine, the allocation or a file system does not give what was asked for.
struct EnvironmentError : Error {
  explicit EnvironmentError(const std::string& what) : Error(ExitCode::kEnvironment, what) {}
};

// Every rank throws the same one: only rank 0 has to say it.
struct AgreedError : Error {
  using Error::Error;
};

// This case cannot run here, and nobody did anything wrong: it is skipped with these words.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace bench
