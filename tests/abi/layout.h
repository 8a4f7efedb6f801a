#pragma once

#include <stddef.h>

/* One fact about a header, as the compiler sees it. */
struct layout_row {
  const char* of;     /* struct, or constant */
  const char* member; /* "" = the struct itself, or a constant */
  size_t offset;      /* bytes; 0 for a struct */
  long long size;     /* bytes; a constant's value */
};

struct layout_table {
  const struct layout_row* rows;
  size_t count;
};

/* Names the frozen header knows, measured in three headers. */
struct layout_table layout_of_frozen(void);
struct layout_table layout_of_current(void);
struct layout_table layout_of_planted(void);
