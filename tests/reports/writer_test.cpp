#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "bench/base/status.h"
#include "reports/writer/report_file.h"

namespace bench {
namespace {

namespace fs = std::filesystem;
using reports::JournalFile;
using reports::ReportFile;

class Writer : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "bench-writer-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string at(const char* leaf) const { return (folder_ / leaf).string(); }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  size_t files() const { return std::distance(fs::directory_iterator(folder_), {}); }

  fs::path folder_;
};

std::string words_of(const std::string& path) {
  try {
    ReportFile::open_target(path).write("x");
  } catch (const EnvironmentError& e) {
    return e.what();
  }
  return "no error";
}

TEST_F(Writer, WritesAFileAndLeavesNothingBeside) {
  ReportFile file = ReportFile::open_target(at("a.json"));
  EXPECT_EQ(files(), 0u);
  file.write("one");
  file.write("two");
  EXPECT_EQ(content(at("a.json")), "two");
  EXPECT_EQ(files(), 1u);
}

TEST_F(Writer, KeepsTheOldReportUntilTheNewOneIsWhole) {
  std::ofstream(at("a.json")) << "old";
  ReportFile file = ReportFile::open_target(at("a.json"));
  EXPECT_EQ(content(at("a.json")), "old");
  file.write("new");
  EXPECT_EQ(content(at("a.json")), "new");
}

TEST_F(Writer, ReplacesWhatALinkPointsAt) {
  std::ofstream(at("real.json")) << "old";
  fs::create_symlink("real.json", at("link.json"));
  ReportFile::open_target(at("link.json")).write("new");
  EXPECT_TRUE(fs::is_symlink(at("link.json")));
  EXPECT_EQ(content(at("real.json")), "new");
}

TEST_F(Writer, NamesTheFolderThatIsMissing) {
  const std::string words = words_of(at("none/a.json"));
  EXPECT_NE(words.find(at("none")), words.npos) << words;
  EXPECT_NE(words.find("No such file"), words.npos) << words;
}

TEST_F(Writer, RefusesAFolderAndAnEmptyName) {
  EXPECT_NE(words_of(folder_.string()).find("Is a directory"), std::string::npos);
  EXPECT_THROW(ReportFile::open_target(""), UsageError);
}

TEST_F(Writer, RefusesAFileBelowAFile) {
  std::ofstream(at("a")) << "x";
  EXPECT_NE(words_of(at("a") + "/b.json").find("Not a directory"), std::string::npos);
}

TEST_F(Writer, AFullDeviceIsAnErrorAndIsNotReplaced) {
  if (!fs::is_character_file("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  EXPECT_NE(words_of("/dev/full").find("No space left"), std::string::npos);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(Writer, WritesIntoAPipeWithoutAJournal) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = content(at("pipe")); });
  {
    ReportFile file = ReportFile::open_target(at("pipe"));
    EXPECT_FALSE(file.regular());
    EXPECT_EQ(file.journal_path(), "");
    file.write("text");
  }
  reader.join();
  EXPECT_EQ(read, "text");
  EXPECT_TRUE(fs::is_fifo(at("pipe")));
}

TEST_F(Writer, DevNullTakesAReport) {
  ReportFile file = ReportFile::open_target("/dev/null");
  file.write("text");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(Writer, TwoThreadsLeaveOneWholeReport) {
  ReportFile file = ReportFile::open_target(at("a.json"));
  const std::string a(1 << 20, 'a'), b(1 << 20, 'b');
  std::thread other([&] { file.write(a); });
  file.write(b);
  other.join();
  const std::string found = content(at("a.json"));
  EXPECT_TRUE(found == a || found == b);
  EXPECT_EQ(files(), 1u);
}

TEST_F(Writer, TheJournalStandsBesideTheReport) {
  EXPECT_EQ(ReportFile::open_target(at("a.json")).journal_path(), at("a.jsonl"));
  EXPECT_EQ(ReportFile::open_target(at("a")).journal_path(), at("a.jsonl"));
}

TEST_F(Writer, TheJournalGrowsLineByLine) {
  JournalFile journal(at("a.jsonl"));
  journal.append("1\n");
  EXPECT_EQ(content(at("a.jsonl")), "1\n");
  journal.append("2\n");
  EXPECT_EQ(content(at("a.jsonl")), "1\n2\n");
  JournalFile nowhere("");
  nowhere.append("lost\n");
  EXPECT_EQ(files(), 1u);
}

}  // namespace
}  // namespace bench
