#include "tests/console/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace bench::test {

void expect_golden(const std::string& text, const std::string& file) {
  const std::string path = std::string(BENCH_GOLDEN_DIR) + "/" + file;
  if (std::getenv("BENCH_UPDATE_GOLDEN") != nullptr) {
    std::ofstream out(path);
    out << text;
    ASSERT_TRUE(out.flush()) << "cannot write " << path;
    return;
  }
  std::ifstream in(path);
  ASSERT_TRUE(in) << "there is no " << path << "; BENCH_UPDATE_GOLDEN=1 writes it";
  std::ostringstream expected;
  expected << in.rdbuf();
  EXPECT_EQ(text, expected.str()) << "differs from " << path;
}

}  // namespace bench::test
