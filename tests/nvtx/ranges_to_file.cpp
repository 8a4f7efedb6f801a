// A tool for NVTX_INJECTION64_PATH: writes what a program shows to NVTX, a line an event, to the
// file named by NVTX_RANGES_FILE ("%p" in it becomes the process id).
//   push<TAB>thread<TAB>domain<TAB>name<TAB>payload        payload is "-" where there is none
//   pop<TAB>thread<TAB>domain
// Follows the NVTX 3 headers: the injected library is given the program's table of callbacks and
// fills it in.

#include <nvtx3/nvToolsExt.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>

namespace {

// Handles that a program gets back are pointers to these; a program makes few and they live as long
// as it.
struct Text {
  std::string text;
};

Text* keep(const char* text) {
  static std::mutex mutex;
  static auto* texts = new std::deque<Text>;
  const std::lock_guard lock(mutex);
  return &texts->emplace_back(Text{text});
}

class Output {
 public:
  static Output& get() {
    static Output* output = new Output;  // events may come after static destruction began
    return *output;
  }
  template <class... Args>
  void line(const char* format, Args... args) {
    const std::lock_guard lock(mutex_);
    if (file_ == nullptr) return;
    std::fprintf(file_, format, args...);
    std::fflush(file_);
  }
  bool usable() const { return file_ != nullptr; }

 private:
  Output() {
    const char* named = std::getenv("NVTX_RANGES_FILE");
    if (named == nullptr) return;
    std::string path = named;
    if (const size_t at = path.find("%p"); at != std::string::npos)
      path.replace(at, 2, std::to_string(getpid()));
    file_ = std::fopen(path.c_str(), "w");
  }
  std::mutex mutex_;
  std::FILE* file_ = nullptr;
};

long thread_id() { return syscall(SYS_gettid); }

const char* text_of(const void* handle) {
  return handle == nullptr ? "" : static_cast<const Text*>(handle)->text.c_str();
}

std::string name_of(const nvtxEventAttributes_t* event) {
  switch (event->messageType) {
    case NVTX_MESSAGE_TYPE_ASCII: return event->message.ascii;
    case NVTX_MESSAGE_TYPE_REGISTERED: return text_of(event->message.registered);
    default: return "";
  }
}

std::string payload_of(const nvtxEventAttributes_t* event) {
  switch (event->payloadType) {
    case NVTX_PAYLOAD_TYPE_INT64: return std::to_string(event->payload.llValue);
    case NVTX_PAYLOAD_TYPE_UNSIGNED_INT64: return std::to_string(event->payload.ullValue);
    default: return "-";
  }
}

nvtxDomainHandle_t domain_create(const char* name) {
  return reinterpret_cast<nvtxDomainHandle_t>(keep(name));
}

nvtxStringHandle_t register_string(nvtxDomainHandle_t, const char* text) {
  return reinterpret_cast<nvtxStringHandle_t>(keep(text));
}

int push(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* event) {
  Output::get().line("push\t%ld\t%s\t%s\t%s\n", thread_id(), text_of(domain),
                     name_of(event).c_str(), payload_of(event).c_str());
  return 0;
}

int pop(nvtxDomainHandle_t domain) {
  Output::get().line("pop\t%ld\t%s\n", thread_id(), text_of(domain));
  return 0;
}

template <class F>
void set(NvtxFunctionTable table, unsigned int size, NvtxCallbackIdCore2 id, F* callback) {
  if (static_cast<unsigned int>(id) < size)
    *table[id] = reinterpret_cast<NvtxFunctionPointer>(callback);
}

}  // namespace

// Called by the program's NVTX on its first event. 1: attached.
extern "C" __attribute__((visibility("default"))) int InitializeInjectionNvtx2(
    NvtxGetExportTableFunc_t get_table) {
  const auto* callbacks =
      static_cast<const NvtxExportTableCallbacks*>(get_table(NVTX_ETID_CALLBACKS));
  if (callbacks == nullptr || callbacks->struct_size < sizeof(NvtxExportTableCallbacks)) return 0;
  NvtxFunctionTable table = nullptr;
  unsigned int size = 0;
  if (callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size) == 0) return 0;
  if (!Output::get().usable()) return 0;
  set(table, size, NVTX_CBID_CORE2_DomainCreateA, domain_create);
  set(table, size, NVTX_CBID_CORE2_DomainRegisterStringA, register_string);
  set(table, size, NVTX_CBID_CORE2_DomainRangePushEx, push);
  set(table, size, NVTX_CBID_CORE2_DomainRangePop, pop);
  return 1;
}
