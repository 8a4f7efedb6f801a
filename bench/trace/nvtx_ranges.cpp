#include <nvtx3/nvToolsExt.h>

#include "bench/trace/ranges.h"

namespace bench::trace {

Ranges::Ranges() : domain_(nvtxDomainCreateA("bench")) {}

Ranges::~Ranges() { nvtxDomainDestroy(static_cast<nvtxDomainHandle_t>(domain_)); }

Ranges::Name Ranges::register_name(const char* name) {
  return nvtxDomainRegisterStringA(static_cast<nvtxDomainHandle_t>(domain_), name);
}

void Ranges::push(Name name, int64_t payload) {
  nvtxEventAttributes_t event = {};
  event.version = NVTX_VERSION;
  event.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  event.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
  event.message.registered = static_cast<nvtxStringHandle_t>(name);
  event.payloadType = NVTX_PAYLOAD_TYPE_INT64;
  event.payload.llValue = payload;
  nvtxDomainRangePushEx(static_cast<nvtxDomainHandle_t>(domain_), &event);
}

void Ranges::pop() { nvtxDomainRangePop(static_cast<nvtxDomainHandle_t>(domain_)); }

bool Ranges::visible_to_tools() { return true; }

}  // namespace bench::trace
