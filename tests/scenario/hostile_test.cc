#include <doctest/doctest.h>

#include <string>

#include "base/rng.h"
#include "scenario/loading.h"
#include "scenario/scenario.h"
#include "scenario/tree.h"

// Files nobody would write on purpose.
namespace sim::scenario::test {

namespace {

std::string only_message(const Result<Scenario>& result) {
  REQUIRE_FALSE(result.ok());
  REQUIRE(result.problems().size() == 1);
  return result.problems().front().message;
}

}  // namespace

TEST_CASE("one clear error each for what is no scenario file at all") {
  const Folder folder;
  CHECK(only_message(load(folder.path("nowhere.yaml"), {})) == "does not exist");
  CHECK(only_message(load(folder.path(), {})) == "is a folder, not a file");
  CHECK(only_message(load_text(std::string("schema: \0kraftsim", 17))) ==
        "is not a UTF-8 text: byte 9 is 0x00");
  CHECK(only_message(load_text("about: caf\xE9\n")) == "is not a UTF-8 text: byte 11 is 0xe9");
  CHECK(only_message(load_text(std::string(kMaxFileBytes + 1, '#'))) == "is larger than 1 MiB");
}

TEST_CASE("depth is limited, in flow and in block style") {
  std::string block;
  for (int i = 0; i < 1000; ++i) block += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK(only_message(load_text(block)) == "nested more than 32 levels deep");
  CHECK(only_message(load_text("a: " + std::string(1000, '[') + std::string(1000, ']'))) ==
        "nested more than 32 levels deep");
  CHECK(only_message(load_text("a: " + std::string(100'000, '['))).size() > 0);
  CHECK(only_message(load_text("a: " + std::string(100'000, '{'))).size() > 0);
  CHECK(only_message(load_text(std::string(100'000, '-') + " a")).size() > 0);
}

TEST_CASE("aliases do not multiply without end") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + ", " + last + ", " + last +
            ", " + last + ", " + last + "]\n";
  }
  CHECK(only_message(load_text(text)) == "the scenario holds more than 50000 values (aliases copied in)");
}

TEST_CASE("very many mistakes are counted, and the first thousand shown") {
  std::string text = "schema: kraftsim/v1\nduration: 60s\ncluster:\n  brokers: 3\n  config: |\n";
  for (int i = 0; i < 20'000; ++i) text += "    num.io.thread." + std::to_string(i) + "=8\n";
  const Result<Scenario> result = load_text(text);
  REQUIRE(result.problems().size() == kMaxProblems + 1);
  CHECK(result.problems().back().message == "and 19000 more problems");
}

TEST_CASE("whatever is done to a scenario, it loads or says why not") {
  const std::string whole = read("scenarios/order-flow.yaml") + "# " + std::string(20, 'x') + "\n";
  const std::string scraps[] = {
      "{",    "}",     "[",   "]", ":",  ": ", "- ", "\n", "\n  ", "\t",       "&a ",
      "*a",   "!",     "|",   ">", "\"", "'",  "#",  "0",  "-1",   "ms",       "~",
      "null", "---\n", "...", "?", "<<", ",",  "%",  "@",  "\\",   "\xC2\xB5", "999999999999999999999"};
  Rng rng(1, "fuzz");
  int loaded = 0;
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    CAPTURE(round);
    std::string text = whole;
    const std::uint64_t edits = 1 + rng.below(4);
    for (std::uint64_t i = 0; i < edits; ++i) {
      const std::size_t at = rng.below(text.size());
      const std::size_t length = rng.below(12);
      const std::uint64_t kind = rng.below(5);
      const std::string& scrap = scraps[rng.below(std::size(scraps))];
      const std::size_t from = rng.below(text.size());
      if (kind == 0) text.erase(at, length);
      if (kind == 1) text.insert(at, scrap);
      if (kind == 2) text.replace(at, length, scrap);
      if (kind == 3) text.insert(at, text.substr(from, 4 * length));
      if (kind == 4 && rng.below(8) == 0) text.resize(at + 1);
    }
    const Result<Scenario> result = load_text(text);
    (result.ok() ? loaded : refused) += 1;
    if (!result.ok()) CHECK(has_error(result.problems()));
    for (const Problem& problem : result.problems()) {
      CHECK_FALSE(problem.message.empty());
      CHECK(problem.column + problem.caret_length <= static_cast<int>(problem.source_line.size()) + 1);
    }
  }
  CHECK(loaded > 100);  // harmless edits
  CHECK(refused > 500);
}

}  // namespace sim::scenario::test
