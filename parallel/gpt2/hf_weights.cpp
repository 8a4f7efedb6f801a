#include "parallel/gpt2/hf_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "bench/base/status.h"

namespace bench::gpt2 {
namespace {

bool is_embedding(const Parameter& p) { return p.name == "wte.weight" || p.name == "wpe.weight"; }
bool is_linear(const Parameter& p) { return p.dims == 2 && !is_embedding(p); }
bool is_qkv(const Parameter& p) { return p.name.find("attn.c_attn.") != std::string::npos; }

bool fits(const Parameter& p, const std::vector<int64_t>& shape) {
  if (p.name == "wpe.weight" && shape.size() == 2) {
    return shape[0] >= p.full_rows && shape[1] == p.full_cols;
  }
  return shape == hf_shape(p);
}

// Row r of ours, [heads, 3, d], is row (or column) qkv_source(r) of theirs, [3, heads, d].
int64_t qkv_source(int64_t r, int64_t heads, int64_t d) {
  const int64_t head = r / (3 * d), which = r / d % 3, i = r % d;
  return (which * heads + head) * d + i;
}

bool is_laid_out_otherwise(const Parameter& p) { return is_linear(p) || is_qkv(p); }

// Calls f(place in ours, place in theirs) for every element.
template <class F>
void each_element(const Parameter& p, const model::ModelConfig& model, F f) {
  const int64_t rows = p.full_rows, cols = p.full_cols;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t source = is_qkv(p) ? qkv_source(r, model.heads, model.hidden / model.heads) : r;
    for (int64_t c = 0; c < cols; ++c)
      f(static_cast<size_t>(r * cols + c), static_cast<size_t>(c * rows + source));
  }
}

}  // namespace

std::vector<int64_t> hf_shape(const Parameter& p) {
  if (p.dims == 1) return {p.full_rows};
  if (is_linear(p)) return {p.full_cols, p.full_rows};
  return {p.full_rows, p.full_cols};
}

std::vector<float> to_hf(const Parameter& p, const model::ModelConfig& model,
                         std::vector<float> ours) {
  if (!is_laid_out_otherwise(p)) return ours;
  std::vector<float> theirs(ours.size());
  each_element(p, model, [&](size_t here, size_t there) { theirs[there] = ours[here]; });
  return theirs;
}

HfWeights::HfWeights(const Safetensors& file, const model::ModelConfig& model,
                     const ParameterTable& table)
    : file_(file), model_(model) {
  if (file.find("transformer.wte.weight") != nullptr) prefix_ = "transformer.";
  for (const Parameter& p : table.all()) check(p);
  refuse_further_layers();
}

void HfWeights::check(const Parameter& p) const {
  const std::string name = prefix_ + p.name;
  const Safetensors::Entry* entry = file_.find(name);
  if (entry == nullptr) {
    throw UsageError(
        fmt::format("weights {}: tensor {} is missing, which model {} needs: choose the "
                    "--model that the file was made for",
                    file_.path(), name, model_.name));
  }
  if (!fits(p, entry->shape)) {
    throw UsageError(
        fmt::format("weights {}: tensor {} has shape [{}], but model {} needs [{}]: "
                    "choose the --model that the file was made for",
                    file_.path(), name, fmt::join(entry->shape, ", "), model_.name,
                    fmt::join(hf_shape(p), ", ")));
  }
}

void HfWeights::refuse_further_layers() const {
  const std::string start = prefix_ + "h.";
  for (const auto& [name, entry] : file_.entries()) {
    if (!name.starts_with(start)) continue;
    int64_t layer = -1;
    std::from_chars(name.data() + start.size(), name.data() + name.size(), layer);
    if (layer >= model_.layers) {
      throw UsageError(
          fmt::format("weights {}: tensor {} belongs to a layer that model {} with {} "
                      "layers does not have: choose the --model that the file was made "
                      "for",
                      file_.path(), name, model_.name, model_.layers));
    }
  }
}

std::vector<float> HfWeights::read(const Parameter& p) const {
  std::vector<float> theirs = file_.read(prefix_ + p.name);
  if (!is_laid_out_otherwise(p)) {
    theirs.resize(static_cast<size_t>(p.full_size()));  // a longer position table
    return theirs;
  }
  std::vector<float> ours(theirs.size());
  each_element(p, model_, [&](size_t here, size_t there) { ours[here] = theirs[there]; });
  return ours;
}

}  // namespace bench::gpt2
