#pragma once
// Options that ask for several values at once, op=a,b and key=1,64:256:*2, and the requests they
// come to: a plugin only ever sees one value for each.

#include <string>
#include <string_view>
#include <vector>

#include "bench/runner/options.h"

namespace bench::runner {

// What stands in front of the equals sign, and what was listed behind it.
struct KeyedList {
  std::string key;
  std::vector<std::string> values;
};

// op=name[,name…]. Throws UsageError that names the text; `where` as in OptionSet::set.
KeyedList parse_names(std::string_view option, const std::string& text, std::string_view where);

// key=LIST: whole numbers from 1, and ranges lo:hi:step or lo:hi:*factor (hi included where it is
// met), separated by commas. Throws UsageError that names the text.
KeyedList parse_numbers(std::string_view option, const std::string& text, std::string_view where);

// The lists of an option by key, in the order given, each value once: what is given several times
// for a key adds up.
std::vector<KeyedList> keyed_lists(const OptionSet& options, std::string_view option);

// Every combination of one name an op (--variant) and one number a key (--axis). Throws UsageError
// where they are too many to be meant.
std::vector<OptionSet> expand(const OptionSet& options);

}  // namespace bench::runner
