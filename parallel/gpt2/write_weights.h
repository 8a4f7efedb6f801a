#pragma once
// A model's weights to a safetensors file as Hugging Face's GPT-2 reads it: F32, their names,
// linear weights [in, out], QKV columns [3, heads, d]; what load_weights reads.

#include <fstream>
#include <string>

#include "parallel/gpt2/state.h"

namespace bench::gpt2 {

// A file that has its name from the moment it is complete: until then it is written beside it.
class WeightsFile {
 public:
  // Throws UsageError where it cannot be written.
  explicit WeightsFile(std::string path);
  ~WeightsFile();  // removes what is not complete
  WeightsFile(const WeightsFile&) = delete;

  std::ostream& stream() { return file_; }
  // Throws EnvironmentError where the disk is full, say.
  void complete();

 private:
  std::string path_, partial_;
  std::ofstream file_;
};

// The weights as the optimizer keeps them, and the number of its steps as metadata. Collective over
// all ranks; `file` is where this rank writes them, null on all but one.
template <class T>
void write_weights(StepState<T>& state, WeightsFile* file);

}  // namespace bench::gpt2
