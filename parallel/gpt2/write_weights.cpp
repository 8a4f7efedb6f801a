#include "parallel/gpt2/write_weights.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "bench/base/status.h"
#include "parallel/gpt2/hf_weights.h"
#include "parallel/gpt2/state_access.h"

namespace bench::gpt2 {
namespace {

// Names, shapes and places of the tensors that follow it.
std::string header_of(const std::vector<Parameter>& parameters, int64_t updates) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}, {"optimizer_steps", std::to_string(updates)}};
  int64_t at = 0;
  for (const Parameter& p : parameters) {
    const int64_t end = at + p.full_size() * static_cast<int64_t>(sizeof(float));
    header[p.name] = {{"dtype", "F32"}, {"shape", hf_shape(p)}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors start at multiples of 8 bytes
  return text;
}

void write_bytes(std::ostream& to, const void* from, size_t bytes) {
  to.write(static_cast<const char*>(from), static_cast<std::streamsize>(bytes));
}

}  // namespace

WeightsFile::WeightsFile(std::string path)
    : path_(std::move(path)), partial_(path_ + ".partial"), file_(partial_, std::ios::binary) {
  if (!file_)
    throw UsageError(fmt::format("weights {}: cannot be written; choose another file", path_));
}

WeightsFile::~WeightsFile() {
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
}

void WeightsFile::complete() {
  file_.close();
  std::error_code error;
  if (file_) std::filesystem::rename(partial_, path_, error);
  if (!file_ || error)
    throw EnvironmentError(fmt::format("weights {}: not all of them could be written{}", path_,
                                       error ? ": " + error.message() : ""));
}

template <class T>
void write_weights(StepState<T>& st, WeightsFile* file) {
  const std::vector<Parameter> parameters =
      whole_table(st.config, st.mesh.rank(layout::Axis::tensor)).all();
  if (file != nullptr) {
    const std::string header = header_of(parameters, st.updates);
    const uint64_t length = header.size();
    write_bytes(file->stream(), &length, sizeof length);
    write_bytes(file->stream(), header.data(), header.size());
  }
  for (const Parameter& p : parameters) {
    const auto full = gather_full(st, p.name, Held::weight);
    if (file == nullptr) continue;
    const std::vector<float> theirs =
        to_hf(p, st.config.model, std::vector<float>(full.begin(), full.end()));
    write_bytes(file->stream(), theirs.data(), theirs.size() * sizeof(float));
  }
  if (file != nullptr) file->complete();
}

template void write_weights(StepState<float>&, WeightsFile*);
template void write_weights(StepState<double>&, WeightsFile*);
template void write_weights(StepState<bfloat16>&, WeightsFile*);

}  // namespace bench::gpt2
