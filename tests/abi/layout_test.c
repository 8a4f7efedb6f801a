/* Members that a released header had lie where they lay; structs may only have grown at their ends.
 */
#include "tests/abi/layout.h"

#include <stdio.h>
#include <string.h>

static int is_struct(const struct layout_row* row) {
  return row->member[0] == '\0' && strncmp(row->of, "BENCH_", 6) != 0;
}

/* Number of rows that break the promise; each is printed. */
static size_t broken_rows(struct layout_table frozen, struct layout_table other) {
  size_t broken = 0;
  for (size_t i = 0; i < frozen.count; ++i) {
    const struct layout_row* was = &frozen.rows[i];
    const struct layout_row* is = &other.rows[i];
    const int kept = was->offset == is->offset &&
                     (is_struct(was) ? was->size <= is->size : was->size == is->size);
    if (!kept) {
      printf("%s.%s: offset %zu, size or value %lld; was %zu, %lld\n", was->of, was->member,
             is->offset, is->size, was->offset, was->size);
      ++broken;
    }
  }
  return broken;
}

/* The rows name every member: between two neighbours, and after the last, there is padding at most.
 */
static size_t unnamed_places(struct layout_table table) {
  size_t places = 0;
  for (size_t i = 0; i < table.count; ++i) {
    if (!is_struct(&table.rows[i])) continue;
    size_t end = 0;
    for (size_t j = i + 1; j < table.count && table.rows[j].member[0] != '\0'; ++j) {
      if (table.rows[j].offset - end >= sizeof(void*)) ++places;
      end = table.rows[j].offset + (size_t)table.rows[j].size;
    }
    if ((size_t)table.rows[i].size - end >= sizeof(void*)) ++places;
  }
  return places;
}

int main(void) {
  const struct layout_table frozen = layout_of_frozen();
  if (frozen.count < 50 || unnamed_places(frozen) != 0) {
    printf("the table of the frozen header is incomplete (%zu rows)\n", frozen.count);
    return 1;
  }
  if (broken_rows(frozen, layout_of_current()) != 0) return 1;
  puts("a planted member, which has to be found:");
  return broken_rows(frozen, layout_of_planted()) != 0 ? 0 : 1;
}
