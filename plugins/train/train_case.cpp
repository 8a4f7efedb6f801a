#include "plugins/train/train_case.h"

#include <fmt/format.h>

#include <filesystem>

#include "kernels/ops.h"
#include "kernels/registry.h"
#include "parallel/gpt2/memory.h"
#include "parallel/gpt2/work.h"

namespace bench::train {
namespace {

constexpr const char* kDefaultModel = "megatron-mini-mp1";
constexpr int64_t kDefaultMicroBatch = 8;

// tp and dp from what was said and the number of ranks; what was not said follows from the rest.
void choose_layout(const sdk::Request& request, gpt2::StepConfig& config) {
  const bool has_tp = request.has("tp"), has_dp = request.has("dp");
  config.pp = static_cast<int>(request.integer("pp", 1));
  config.virtual_stages = static_cast<int>(request.integer("virtual-stages", 1));
  if (config.pp < 1 || request.ranks % config.pp != 0)
    throw UsageError(
        fmt::format("{} ranks do not divide into --pp {} pipeline stages; choose a divisor",
                    request.ranks, config.pp));
  const int of_a_stage = request.ranks / config.pp;
  config.tp = static_cast<int>(request.integer("tp", 1));
  const char* const where = config.pp > 1 ? " of each pipeline stage" : "";
  if (!has_tp && has_dp) {
    const auto dp = static_cast<int>(request.integer("dp", 1));
    if (dp < 1 || of_a_stage % dp != 0)
      throw UsageError(
          fmt::format("{} ranks{} do not divide over --dp {} data-parallel ranks; choose a divisor",
                      of_a_stage, where, dp));
    config.tp = of_a_stage / dp;
  }
  if (config.tp < 1 || of_a_stage % config.tp != 0)
    throw UsageError(fmt::format(
        "{} ranks{} do not divide into tensor-parallel groups of --tp {}; choose a divisor",
        of_a_stage, where, config.tp));
  config.dp = static_cast<int>(request.integer("dp", of_a_stage / config.tp));
  if (config.tp * config.dp * config.pp != request.ranks)
    throw UsageError(fmt::format("--tp {} x --pp {} x --dp {} is {} ranks, but {} run", config.tp,
                                 config.pp, config.dp, config.tp * config.pp * config.dp,
                                 request.ranks));
}

// Without being told, a pipeline gets as many micro-batches as it has stages.
void choose_batch(const sdk::Request& request, gpt2::StepConfig& config) {
  if (request.has("global-batch") && !request.has("micro-batch")) {
    config.global_batch = request.integer("global-batch", 0);
    config.micro_batch = std::max<int64_t>(1, config.global_batch / (config.dp * config.pp));
  } else {
    config.micro_batch = request.integer("micro-batch", kDefaultMicroBatch);
    config.global_batch =
        request.integer("global-batch", config.micro_batch * config.dp * config.pp);
  }
}

DType read_dtype(const std::string& name) {
  for (const DType known : {DType::f32, DType::bf16})
    if (name == name_of(known)) return known;
  throw UsageError(fmt::format("--dtype {}: training steps run in f32 or bf16", name));
}

template <class T>
gpt2::StepMemory memory_as(const TrainCase& train) {
  return gpt2::step_memory(train.config, kernels::ops_for<T>(kDevice, train.variants));
}

// A GPU's memory does not hold what is kept on the host.
gpt2::StepMemory memory_of(const TrainCase& train) {
  gpt2::StepMemory memory =
      train.dtype == DType::bf16 ? memory_as<bfloat16>(train) : memory_as<float>(train);
  if (kDevice != DeviceKind::cpu) memory.saved = 0;
  return memory;
}

// A part of the model must not be taken for all of it.
void slice_layers(const sdk::Request& request, model::ModelConfig& model) {
  if (!request.has("layers-slice")) return;
  const int64_t kept = request.integer("layers-slice", 0);
  if (kept > model.layers)
    throw UsageError(
        fmt::format("--layers-slice {}: {} has {} layers", kept, model.name, model.layers));
  if (request.has("weights"))
    throw UsageError("--layers-slice with --weights: a file's weights are of the whole model");
  model.name = fmt::format("{}-slice{}of{}", model.name, kept, model.layers);
  model.layers = kept;
}

// Why the chosen attention cannot be the step's, or empty.
template <class T>
std::string why_no_attention(const TrainCase& train) {
  const gpt2::RankShape s = gpt2::rank_shape(train.config, 0);
  const auto named = train.variants.find("attention");
  const std::string variant = named == train.variants.end() ? "" : named->second;  // or the default
  const kernels::OpShape shape{
      .n = s.n, .h = s.h, .batch = s.micro_batch, .seq = s.seq, .heads = s.heads, .d = s.d};
  if (kernels::variant_supports<T>(kDevice, "attention", variant, shape)) return {};
  return fmt::format(
      "{} attention does not take heads of size {} over {} tokens; --variant attention= chooses "
      "another",
      variant.empty() ? "the default" : variant, s.d, s.seq);
}

Graphs read_graphs(const sdk::Request& request) {
  const bool has_graphs = kDevice == DeviceKind::cuda;
  if (!request.is_on("graph", has_graphs)) return Graphs::never;
  if (!has_graphs)
    throw UsageError("--graph on: only GPUs replay recorded work; leave the option out");
  return request.has("graph") ? Graphs::always : Graphs::where_possible;
}

// "flash", or with several choices "attention=flash linear=packed".
std::string variant_text(const kernels::VariantChoice& choice) {
  if (choice.size() == 1) return choice.begin()->second;
  std::string text;
  for (const auto& [op, name] : choice)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", op, name);
  return text;
}

// "tp2.dp1", with what else shapes the layout: "tp2.pp4.v2.dp2.sp.zero1".
std::string layout_text(const gpt2::StepConfig& c) {
  std::string text = fmt::format("tp{}", c.tp);
  if (c.pp > 1) text += fmt::format(".pp{}", c.pp);
  if (c.virtual_stages > 1) text += fmt::format(".v{}", c.virtual_stages);
  return text + fmt::format(".dp{}{}{}", c.dp, c.sequence_parallel ? ".sp" : "",
                            c.zero == 1 ? ".zero1" : "");
}

void add_schedule(const gpt2::LearningRateSchedule& schedule, sdk::Case& made) {
  if (schedule.warmup_steps > 0)
    made.number_params.emplace_back("lr_warmup_steps", static_cast<double>(schedule.warmup_steps));
  if (schedule.decay == gpt2::LearningRateDecay::constant) return;
  made.text_params.emplace_back("lr_decay_style", name_of(schedule.decay));
  made.number_params.emplace_back("lr_decay_steps", static_cast<double>(schedule.decay_steps));
  made.number_params.emplace_back("min_lr", schedule.lowest);
}

void add_memory_parts(const gpt2::StepMemory& m, sdk::Case& made) {
  const auto add = [&](const char* part, int64_t bytes) {
    made.number_params.emplace_back(fmt::format("memory.{}", part), static_cast<double>(bytes));
  };
  add("parameters", m.weights + m.prepared);
  add("gradients", m.gradients);
  add("optimizer", m.optimizer);
  add("activations", m.workspace);
  add("buffers", m.batch + m.saved);
}

}  // namespace

TrainCase read_train_case(const sdk::Request& request) {
  TrainCase train;
  train.with_memory = request.set == "plan";
  train.dtype = read_dtype(request.dtype);
  gpt2::StepConfig& config = train.config;
  config.model = model::parse_model(request.text("model", kDefaultModel));
  slice_layers(request, config.model);
  choose_layout(request, config);
  choose_batch(request, config);
  config.lr = request.real("lr", config.lr);
  config.schedule = {
      .decay = gpt2::parse_decay(request.text("lr-decay-style", name_of(config.schedule.decay))),
      .warmup_steps = request.integer("lr-warmup-steps", 0),
      .decay_steps = request.integer("lr-decay-steps", 0),
      .lowest = request.real("min-lr", 0)};
  // One tensor rank has all rows anyway.
  config.sequence_parallel = request.flag("sequence-parallel") && config.tp > 1;
  config.recompute = gpt2::parse_recompute(request.text("recompute", name_of(config.recompute)));
  config.zero = static_cast<int>(request.integer("zero", 0));
  config.overlap_gradients = request.is_on("overlap-grad-reduce", config.overlap_gradients);
  config.dropout = request.real("dropout", 0);
  config.seed = train.seed = request.seed;
  config.validate();
  train.variants = kernels::parse_choice(request.list("variant"));
  train.data = request.text("data", "");
  train.weights = request.text("weights", "");
  train.save_weights = request.text("save-weights", "");
  train.stride = request.integer("stride", config.model.seq);
  train.graphs = read_graphs(request);
  train.deterministic = request.is_on("deterministic", true);
  return train;
}

sdk::Case describe_case(const TrainCase& train) {
  const gpt2::StepConfig& c = train.config;
  sdk::Case made;
  made.name = fmt::format("gpt2.train.{}.{}", c.model.name, layout_text(c));
  const auto base_name = [](const std::string& file) {
    return std::filesystem::path(file).filename().string();
  };
  made.dtype = train.dtype;
  made.text_params = {{"model", c.model.name},
                      {"data", train.data.empty() ? "zipf" : base_name(train.data)},
                      {"weights", train.weights.empty() ? "seeded" : base_name(train.weights)},
                      {"recompute", name_of(c.recompute)},
                      {"mode", "step"}};
  if (kDevice == DeviceKind::cuda) {
    made.text_params.emplace_back("graph", train.graphs == Graphs::never ? "off" : "on");
    made.text_params.emplace_back("deterministic", train.deterministic ? "on" : "off");
  }
  if (!train.variants.empty())
    made.text_params.emplace_back("variant", variant_text(train.variants));
  made.number_params = {{"layers", static_cast<double>(c.model.layers)},
                        {"hidden", static_cast<double>(c.model.hidden)},
                        {"heads", static_cast<double>(c.model.heads)},
                        {"seq", static_cast<double>(c.model.seq)},
                        {"vocab", static_cast<double>(c.model.vocab)},
                        {"micro_batch", static_cast<double>(c.micro_batch)},
                        {"global_batch", static_cast<double>(c.global_batch)},
                        {"lr", c.lr}};
  add_schedule(c.schedule, made);
  if (c.pp > 1)
    made.number_params.emplace_back("virtual_stages", static_cast<double>(c.virtual_stages));
  if (c.dp > 1) {
    made.number_params.emplace_back("zero", static_cast<double>(c.zero));
    made.text_params.emplace_back("overlap_grad_reduce", c.overlap_gradients ? "on" : "off");
  }
  made.flops = gpt2::executed_flops(c);
  made.tokens = static_cast<double>(c.tokens_per_step());
  made.tensor_parallel = c.tp;
  made.pipeline_parallel = c.pp;
  made.data_parallel = c.dp;
  made.sequence_parallel = c.sequence_parallel;
  made.collective = c.mesh().ranks() > 1;
  made.training = true;
  const gpt2::StepMemory memory = memory_of(train);
  made.memory_bytes = static_cast<double>(memory.total());
  if (train.with_memory) add_memory_parts(memory, made);
  made.unavailable = train.dtype == DType::bf16 ? why_no_attention<bfloat16>(train)
                                                : why_no_attention<float>(train);
  return made;
}

}  // namespace bench::train
