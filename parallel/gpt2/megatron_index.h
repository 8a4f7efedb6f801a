#pragma once
// Megatron-LM's indexed data set: FILE.bin holds the tokens, FILE.idx says where each sequence
// lies: "MMIDIDX\0\0", uint64 version = 1, uint8 dtype code, uint64 sequences, uint64 documents,
// int32 length[sequences], int64 byte offset[sequences], int64 document bounds[documents].

#include <memory>
#include <string>

#include "parallel/gpt2/tokens.h"

namespace bench::gpt2 {

// The tokens of all sequences, in the index's order. Throws UsageError as open_tokens() says.
std::unique_ptr<TokenSource> open_megatron_tokens(const std::string& bin, const std::string& idx,
                                                  int64_t vocab);

}  // namespace bench::gpt2
