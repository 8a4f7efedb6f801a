#pragma once
// Token files without an index. All throw UsageError as open_tokens() says.

#include <memory>
#include <string>

#include "parallel/gpt2/tokens.h"

namespace bench::gpt2 {

// A byte a token.
std::unique_ptr<TokenSource> open_text_tokens(const std::string& path, int64_t vocab);

// Little-endian uint16, after llm.c's header of 256 int32 (magic 20240520, version 1, count) where
// there is one.
std::unique_ptr<TokenSource> open_uint16_tokens(const std::string& path, int64_t vocab);

}  // namespace bench::gpt2
