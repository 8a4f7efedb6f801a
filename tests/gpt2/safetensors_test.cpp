#include "parallel/gpt2/safetensors.h"

#include <gtest/gtest.h>

#include <map>

#include "parallel/gpt2/hf_weights.h"
#include "tests/gpt2/files.h"

namespace bench::gpt2 {
namespace {

using test::expect_usage_error;
using test::Folder;
using test::raw;

std::string file_of(const std::string& header, const std::string& data) {
  return raw(uint64_t{header.size()}) + header + data;
}

TEST(Safetensors, ReadsTheThreeFloatTypes) {
  const Folder f;
  const Safetensors file(f.write(
      "a.safetensors",
      file_of(R"({"__metadata__":{"format":"pt"},
                  "a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},
                  "b":{"dtype":"F16","shape":[5],"data_offsets":[8,18]},
                  "c":{"dtype":"BF16","shape":[2],"data_offsets":[18,22]},
                  "n":{"dtype":"I64","shape":[],"data_offsets":[22,30]}})",
              raw<float>({1.5F, -2.0F}) + raw<uint16_t>({0x3c00, 0xc000, 0x3555, 0x0001, 0x7bff}) +
                  raw<uint16_t>({0x3f80, 0xc040}) + raw(int64_t{1}))));
  EXPECT_EQ(file.entries().size(), 4U);
  EXPECT_EQ(file.find("a")->shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(file.read("a"), (std::vector<float>{1.5F, -2.0F}));
  EXPECT_EQ(file.read("b"), (std::vector<float>{1.0F, -2.0F, 0.333251953125F, 0x1p-24F, 65504.0F}));
  EXPECT_EQ(file.read("c"), (std::vector<float>{1.0F, -3.0F}));
  EXPECT_EQ(file.find("d"), nullptr);
  expect_usage_error([&] { file.read("d"); }, {"tensor d is missing"});
  expect_usage_error([&] { file.read("n"); }, {"tensor n has dtype I64"});
}

TEST(Safetensors, SaysWhatIsWrongWithAFile) {
  const Folder f;
  const auto open = [&](const std::string& bytes) {
    return [path = f.write("w.safetensors", bytes)] { Safetensors{path}; };
  };
  const auto entry = [&](const std::string& fields, size_t data) {
    return open(file_of("{\"a\":" + fields + "}", std::string(data, 'x')));
  };
  expect_usage_error([&] { Safetensors{f.at("none")}; }, {"none", "No such file"});
  expect_usage_error(open(""), {"w.safetensors", "is empty"});
  expect_usage_error(open("1234"), {"truncated", "4 bytes"});
  expect_usage_error(open(raw(uint64_t{1000}) + "{}"), {"header of 1000 bytes", "has 10"});
  expect_usage_error(open(std::string(16, '\xff')), {"no safetensors file"});
  expect_usage_error(open(file_of("{\"a\":", "")), {"no JSON object"});
  expect_usage_error(open(file_of("[1]", "")), {"no JSON object"});
  expect_usage_error(entry("3", 0), {"tensor a", "dtype, shape"});
  expect_usage_error(entry(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", 4),
                     {"tensor a"});
  expect_usage_error(entry(R"({"dtype":"F32","shape":[1],"data_offsets":[0]})", 4), {"tensor a"});
  expect_usage_error(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 7),
                     {"tensor a", "not inside the file", "truncated"});
  expect_usage_error(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})", 8), {"tensor a"});
  expect_usage_error(entry(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", 8),
                     {"tensor a", "8 bytes", "F32", "[3]"});
  expect_usage_error(
      entry(R"({"dtype":"F32","shape":[100000000000000,100000000000000],"data_offsets":[0,8]})", 8),
      {"tensor a"});
}

StepConfig tiny() {
  return {.model = {.name = "tiny", .layers = 1, .hidden = 4, .heads = 2, .seq = 3, .vocab = 5}};
}

using Shapes = std::map<std::string, std::vector<int64_t>>;

Shapes tiny_shapes() {
  return {{"wte.weight", {5, 4}},
          {"wpe.weight", {3, 4}},
          {"h.0.ln_1.weight", {4}},
          {"h.0.ln_1.bias", {4}},
          {"h.0.attn.c_attn.weight", {4, 12}},
          {"h.0.attn.c_attn.bias", {12}},
          {"h.0.attn.c_proj.weight", {4, 4}},
          {"h.0.attn.c_proj.bias", {4}},
          {"h.0.ln_2.weight", {4}},
          {"h.0.ln_2.bias", {4}},
          {"h.0.mlp.c_fc.weight", {4, 16}},
          {"h.0.mlp.c_fc.bias", {16}},
          {"h.0.mlp.c_proj.weight", {16, 4}},
          {"h.0.mlp.c_proj.bias", {4}},
          {"ln_f.weight", {4}},
          {"ln_f.bias", {4}}};
}

// Element i of every tensor is i.
std::string file_with(const Shapes& shapes, const std::string& prefix = "") {
  std::string header, data;
  for (const auto& [name, shape] : shapes) {
    int64_t count = 1;
    std::string dims;
    for (const int64_t d : shape) {
      count *= d;
      dims += (dims.empty() ? "" : ",") + std::to_string(d);
    }
    header += (header.empty() ? "{\"" : ",\"") + prefix + name + R"(":{"dtype":"F32","shape":[)" +
              dims + R"(],"data_offsets":[)" + std::to_string(data.size()) + "," +
              std::to_string(data.size() + static_cast<size_t>(count) * 4) + "]}";
    for (int64_t i = 0; i < count; ++i) data += raw(static_cast<float>(i));
  }
  return file_of(header + "}", data);
}

TEST(HfWeights, TransposesAndOrdersQkvPerHead) {
  const Folder f;
  const StepConfig c = tiny();
  const ParameterTable table(c, 0);
  for (const char* prefix : {"", "transformer."}) {
    const Safetensors file(f.write("w.safetensors", file_with(tiny_shapes(), prefix)));
    const HfWeights weights(file, c.model, table);
    // Theirs [in 4, out 12] holds in * 12 + out; ours [out, in].
    const std::vector<float> qkv = weights.read(table.find("h.0.attn.c_attn.weight"));
    const int64_t head = 1, which = 2, i = 0, in = 3, d = 2;
    EXPECT_EQ(qkv[static_cast<size_t>(((head * 3 + which) * d + i) * 4 + in)],
              static_cast<float>(in * 12 + which * 4 + head * d + i));
    EXPECT_EQ(weights.read(table.find("h.0.attn.c_attn.bias")),
              (std::vector<float>{0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11}));
    EXPECT_EQ(weights.read(table.find("h.0.mlp.c_proj.weight"))[1], 4);
    EXPECT_EQ(weights.read(table.find("wte.weight"))[1], 1);
  }
}

TEST(HfWeights, CutsALongerPositionTable) {
  const Folder f;
  Shapes shapes = tiny_shapes();
  shapes["wpe.weight"] = {9, 4};
  const StepConfig c = tiny();
  const ParameterTable table(c, 0);
  const Safetensors file(f.write("w.safetensors", file_with(shapes)));
  EXPECT_EQ(HfWeights(file, c.model, table).read(table.find("wpe.weight")).size(), 12U);
}

TEST(HfWeights, NamesTheFirstTensorThatDiffers) {
  const Folder f;
  const auto with = [&](auto change) {
    Shapes shapes = tiny_shapes();
    change(shapes);
    return [path = f.write("w.safetensors", file_with(shapes))] {
      const StepConfig c = tiny();
      const Safetensors file(path);
      HfWeights(file, c.model, ParameterTable(c, 0));
    };
  };
  expect_usage_error(with([](Shapes& s) { s.erase("h.0.mlp.c_fc.bias"); }),
                     {"w.safetensors", "h.0.mlp.c_fc.bias is missing", "tiny"});
  expect_usage_error(with([](Shapes& s) {
                       s["wte.weight"] = {6, 4};
                     }),
                     {"wte.weight has shape [6, 4]", "[5, 4]"});
  expect_usage_error(with([](Shapes& s) {
                       s["wpe.weight"] = {2, 4};
                     }),
                     {"wpe.weight has shape [2, 4]"});
  expect_usage_error(with([](Shapes& s) {
                       s["h.0.attn.c_attn.weight"] = {12, 4};
                       s["ln_f.bias"] = {5};
                     }),
                     {"h.0.attn.c_attn.weight has shape [12, 4]", "[4, 12]"});
  expect_usage_error(with([](Shapes& s) { s["h.1.ln_1.weight"] = {4}; }),
                     {"h.1.ln_1.weight", "1 layers"});
}

}  // namespace
}  // namespace bench::gpt2
