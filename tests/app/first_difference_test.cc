// The first event that differs, for people: its node and the field that is not the same.
#include "app/first_difference.h"

#include <doctest/doctest.h>

#include <string>

namespace sim::app {
namespace first_difference_test {

bool says(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

TEST_CASE("node, instant and the first field that differs are named, and both lines shown") {
  const std::string a =
      R"({"t":32000000000,"seq":918,"node":"broker-2","ev":"LogTruncated","cause":911,"to":7})";
  const std::string b =
      R"({"t":32000000000,"seq":918,"node":"broker-2","ev":"LogTruncated","cause":911,"to":8})";
  const std::string text = difference_text("recorded", a, "replayed", b, {"{one}", "{two}"});
  CHECK(says(text, "LogTruncated of broker-2 at 32.000000 s, event 918"));
  CHECK(says(text, "its to is 7 (recorded) and 8 (replayed)"));
  CHECK(says(text, "the 2 before it, the same on both sides\n  {one}\n  {two}\n"));
  CHECK(says(text, ("recorded  " + a).c_str()));
  CHECK(says(text, ("replayed  " + b).c_str()));
}

TEST_CASE("a field that one side lacks, a side that has ended and a line that is no JSON") {
  CHECK(says(difference_text("recorded", R"({"ev":"X","isr":[1]})", "replayed", R"({"ev":"X"})", {}),
             "its isr is [1] (recorded) and nothing (replayed)"));
  CHECK(says(difference_text("recorded", "", "replayed", R"({"ev":"X","node":"broker-1"})", {}),
             "only replayed has it"));
  CHECK(says(difference_text("recorded", "", "replayed", R"({"ev":"X"})", {}), "(nothing more)"));
  CHECK(says(difference_text("recorded", "garbage", "replayed", "rubbish", {}), "no JSON"));
}

}  // namespace first_difference_test
}  // namespace sim::app
