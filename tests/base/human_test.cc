// Numbers as people read them.
#include "base/human.h"

#include <doctest/doctest.h>

namespace sim {
namespace {

TEST_CASE("durations have three digits and a unit that suits") {
  struct Row {
    std::int64_t ns;
    const char* want;
  };
  const Row rows[] = {
      {0, "0 ns"},
      {999, "999 ns"},
      {1'000, "1 us"},
      {1'234, "1.23 us"},
      {999'499, "999 us"},
      {999'500, "1 ms"},
      {12'100'000, "12.1 ms"},
      {9'996'000, "10 ms"},
      {99'960'000, "100 ms"},
      {999'500'000, "1 s"},
      {5'660'000'000, "5.66 s"},
      {60'000'000'000, "60 s"},
      {120'000'000'000, "2 min"},
      {125'000'000'000, "2 min 5 s"},
      {3'600'000'000'000, "60 min"},
      {-5'000'000, "-5 ms"},
  };
  for (const Row& row : rows) CHECK(human_duration(row.ns) == row.want);
}

TEST_CASE("counts, rates, sizes, decimals") {
  CHECK(human_count(999) == "999");
  CHECK(human_count(1'000) == "1 000");
  CHECK(human_count(12'345'678) == "12 345 678");
  CHECK(human_rate(500) == "0.5 /s");
  CHECK(human_rate(498'400) == "498 /s");
  CHECK(human_rate(1'840'000) == "1 840 /s");
  CHECK(human_bytes(900) == "900 B");
  CHECK(human_bytes(19'084'083) == "18.2 MiB");
  CHECK(fixed(12'345, 3) == "12.345");
  CHECK(fixed(5, 3) == "0.005");
  CHECK(fixed(-1'500, 3) == "-1.500");
  CHECK(fixed(7, 0) == "7");
  CHECK(padded_right("a·b", 5) == "a·b  ");
}

}  // namespace
}  // namespace sim
