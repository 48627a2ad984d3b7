// A result appears as a whole or not at all, and nothing that is not ours is overwritten.
#include "report/output_files.h"

#include <doctest/doctest.h>

#include "app/temporary_folder.h"

namespace sim::report {
namespace {

namespace fs = std::filesystem;
using test::read_text;
using test::write_text;

const RunIdentity kRun{"checkout", 7};

std::string manifest_of(const std::string& scenario, int seed, const std::string& files = "{}") {
  return R"({"schema": "kraftsim-manifest/1", "scenario": {"name": ")" + scenario + R"("}, "seed": )" +
         std::to_string(seed) + R"(, "files": )" + files + "}";
}

void publish(const fs::path& out, const std::string& text, bool force = false) {
  auto folder = OutputFolder::create(out, kRun, force);
  REQUIRE(folder.ok());
  (*folder)->write("summary.txt", text);
  (*folder)->write("hist/e2e.hgrm", "hist");
  REQUIRE((*folder)->seal().ok());
  (*folder)->write("manifest.json",
                   manifest_of("checkout", 7, R"({"summary.txt": {}, "hist/e2e.hgrm": {}})"));
  REQUIRE((*folder)->seal().ok());
  CHECK_FALSE((*folder)->publish().has_value());
}

std::string refusal(const fs::path& out) {
  const auto folder = OutputFolder::create(out, kRun, false);
  REQUIRE_FALSE(folder.ok());
  return folder.problems()[0].message;
}

TEST_CASE("nothing stands in its place before it is published, and nothing is left aside afterwards") {
  test::TemporaryFolder tmp;
  const fs::path out = tmp.path() / "runs" / "checkout" / "7";
  {
    auto folder = OutputFolder::create(out, kRun, false);
    REQUIRE(folder.ok());
    (*folder)->write("summary.txt", "half");
    CHECK_FALSE(fs::exists(out));
  }
  CHECK(fs::is_empty(tmp.path()));
  publish(out, "whole");
  CHECK(read_text(out / "summary.txt") == "whole");
  CHECK(std::distance(fs::directory_iterator(out.parent_path()), {}) == 1);
}

TEST_CASE("sums are those of the bytes written") {
  test::TemporaryFolder tmp;
  auto folder = OutputFolder::create(tmp.path() / "run", kRun, false);
  (*folder)->write("abc", "abc");
  const auto files = (*folder)->seal();
  REQUIRE(files.ok());
  CHECK(files->at("abc").bytes == 3);
  CHECK(files->at("abc").sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("an earlier result of the same scenario and seed is replaced, what the user keeps there stays") {
  test::TemporaryFolder tmp;
  const fs::path out = tmp.path() / "7";
  publish(out, "first");
  write_text(out / "notes.txt", "mine");
  write_text(out / "charts" / "lag.png", "of the first run");
  publish(out, "second");
  CHECK(read_text(out / "summary.txt") == "second");
  CHECK(read_text(out / "notes.txt") == "mine");
  CHECK_FALSE(fs::exists(out / "charts"));
}

TEST_CASE(
    "only what was written is replaced: a user's own file stays, wherever it lies, whatever it is called") {
  test::TemporaryFolder tmp;
  const fs::path out = tmp.path() / "7";
  publish(out, "first");
  write_text(out / "charts" / "lag.png", "of the first run");
  write_text(out / "charts" / "for-the-report.png", "mine");
  write_text(out / "hist" / "notes", "mine too");
  write_text(out / "mine" / "deep" / "note", "and this");
  fs::create_directories(out / "empty");
  auto folder = OutputFolder::create(out, kRun, false);
  REQUIRE(folder.ok());
  (*folder)->write("summary.txt", "second");
  (*folder)->write("mine/deep/note", "the run's");
  REQUIRE((*folder)->seal().ok());
  (*folder)->write("manifest.json", manifest_of("checkout", 7));
  REQUIRE((*folder)->seal().ok());
  CHECK_FALSE((*folder)->publish().has_value());
  CHECK(read_text(out / "summary.txt") == "second");
  CHECK(read_text(out / "charts" / "for-the-report.png") == "mine");
  CHECK_FALSE(fs::exists(out / "charts" / "lag.png"));
  CHECK(read_text(out / "hist" / "notes") == "mine too");
  CHECK_FALSE(fs::exists(out / "hist" / "e2e.hgrm"));
  CHECK(read_text(out / "mine" / "deep" / "note") == "the run's");
  CHECK(read_text(out / "mine" / "deep" / "note.kept") == "and this");
  CHECK(fs::is_directory(out / "empty"));
  CHECK(std::distance(fs::directory_iterator(tmp.path()), {}) == 1);
}

TEST_CASE("what a run that was killed left aside goes with the next, and what it had set aside comes back") {
  test::TemporaryFolder tmp;
  const fs::path out = tmp.path() / "7";
  constexpr const char* kDead = "4711";
  const fs::path part = tmp.path() / (std::string(".7.part-") + kDead);
  write_text(part / "orders.csv", "half");
  write_text(tmp.path() / ".7.part-1" / "orders.csv", "of one that goes on");
  const HeldLock goes_on(tmp.path() / ".7.part-1", HeldLock::Wait::no);
  REQUIRE(goes_on.is_held());
  write_text(tmp.path() / (std::string(".8.part-") + kDead) / "orders.csv", "of another place");
  SUBCASE("there was no earlier result") {}
  SUBCASE("killed before its own was in place") {
    write_text(fs::path(part.string() + ".earlier") / "manifest.json", manifest_of("checkout", 7));
    write_text(fs::path(part.string() + ".earlier") / "notes.txt", "mine");
  }
  SUBCASE("killed after it") {
    publish(out, "its");
    write_text(part / "orders.csv", "half");
    write_text(fs::path(part.string() + ".earlier") / "manifest.json", manifest_of("checkout", 7));
    write_text(fs::path(part.string() + ".earlier") / "notes.txt", "mine");
  }
  const bool has_notes = fs::exists(part.string() + ".earlier");
  publish(out, "next");
  CHECK(read_text(out / "summary.txt") == "next");
  CHECK(fs::exists(out / "notes.txt") == has_notes);
  CHECK_FALSE(fs::exists(part));
  CHECK_FALSE(fs::exists(part.string() + ".earlier"));
  CHECK(fs::exists(tmp.path() / ".7.part-1"));
  CHECK(fs::exists(tmp.path() / (std::string(".8.part-") + kDead)));
}

TEST_CASE("of two first runs to one place the first to end wins, and the other says so") {
  test::TemporaryFolder tmp;
  const fs::path out = tmp.path() / "runs" / "7";
  auto late = OutputFolder::create(out, kRun, false);
  REQUIRE(late.ok());
  (*late)->write("summary.txt", "late");
  REQUIRE((*late)->seal().ok());
  write_text(out / "summary.txt", "early");
  write_text(out / "manifest.json", manifest_of("checkout", 7));
  const auto problem = (*late)->publish();
  REQUIRE(problem.has_value());
  CHECK(problem->message == "another run has put its result there meanwhile, and this one's is thrown away");
  late->reset();
  CHECK(read_text(out / "summary.txt") == "early");
  CHECK(std::distance(fs::directory_iterator(out.parent_path()), {}) == 1);
}

TEST_CASE("what is not ours is refused, and --force leaves the rest alone") {
  test::TemporaryFolder tmp;
  const fs::path out = tmp.path() / "out";
  SUBCASE("a folder with other files") {
    write_text(out / "thesis.tex", "years of work");
    CHECK(refusal(out) == "holds files that are not a result of kraftsim");
    publish(out, "forced", true);
    CHECK(read_text(out / "thesis.tex") == "years of work");
    CHECK(read_text(out / "summary.txt") == "forced");
    CHECK(read_text(out / "hist" / "e2e.hgrm") == "hist");
  }
  SUBCASE("the result of another scenario") {
    write_text(out / "manifest.json", manifest_of("other", 7));
    CHECK(refusal(out) == "holds the result of scenario other, seed 7");
  }
  SUBCASE("the result of another seed") {
    write_text(out / "manifest.json", manifest_of("checkout", 8));
    CHECK(refusal(out) == "holds the result of scenario checkout, seed 8");
  }
  SUBCASE("a manifest that is broken") {
    write_text(out / "manifest.json", "{");
    CHECK(refusal(out) == "holds files that are not a result of kraftsim");
  }
  SUBCASE("a file") {
    write_text(out, "a file");
    CHECK(refusal(out) == "is a file, not a folder");
  }
  SUBCASE("a place below a file") {
    write_text(out, "a file");
    CHECK(refusal(out / "run") == "cannot be created: Not a directory");
  }
  SUBCASE("an empty folder is fine") {
    fs::create_directories(out);
    publish(out, "there");
    CHECK(read_text(out / "summary.txt") == "there");
  }
}

TEST_CASE("a disk that is full leaves the earlier result as it was") {
  if (!fs::exists("/dev/full")) return;
  test::TemporaryFolder tmp;
  const fs::path out = tmp.path() / "7";
  publish(out, "first");
  auto folder = OutputFolder::create(out, kRun, false);
  REQUIRE(folder.ok());
  for (const auto& entry : fs::directory_iterator(tmp.path())) {
    if (entry.path().filename() != "7") fs::create_symlink("/dev/full", entry.path() / "orders.csv");
  }
  (*folder)->write("orders.csv", std::string(100'000, 'x'));
  const auto files = (*folder)->seal();
  REQUIRE_FALSE(files.ok());
  CHECK(files.problems()[0].message == "cannot be written: No space left on device");
  folder->reset();
  CHECK(read_text(out / "summary.txt") == "first");
  CHECK(std::distance(fs::directory_iterator(tmp.path()), {}) == 1);
}

TEST_CASE("the link points to the last run, and a folder of its name is left alone") {
  test::TemporaryFolder tmp;
  const fs::path runs = tmp.path() / "runs";
  publish(runs / "checkout" / "7", "seven");
  publish(runs / "checkout" / "8", "eight");
  CHECK(point_link(runs / "latest", runs / "checkout" / "7"));
  CHECK(point_link(runs / "latest", runs / "checkout" / "8"));
  CHECK(fs::read_symlink(runs / "latest") == fs::path("checkout") / "8");
  CHECK(read_text(runs / "latest" / "summary.txt") == "eight");
  fs::remove(runs / "latest");
  write_text(runs / "latest" / "x", "x");
  CHECK_FALSE(point_link(runs / "latest", runs / "checkout" / "7"));
}

}  // namespace
}  // namespace sim::report
