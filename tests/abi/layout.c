/* Compiled once per header: LAYOUT_HEADER is the header, LAYOUT_FUNCTION the name under which its
 * table is found. */
#include "tests/abi/layout.h"

#include LAYOUT_HEADER

#define ROW_STRUCT(s) {#s, "", 0, (long long)sizeof(s)},
#define ROW_MEMBER(s, m) {#s, #m, offsetof(s, m), (long long)sizeof(((s*)0)->m)},
#define ROW_CONSTANT(c) {#c, "", 0, (long long)(c)},

static const struct layout_row kRows[] = {
#include "tests/abi/layout_rows.inc"
};

struct layout_table LAYOUT_FUNCTION(void) {
  struct layout_table table = {kRows, sizeof(kRows) / sizeof(kRows[0])};
  return table;
}
