// Numbers as people read them.
#include "base/human.h"

#include <doctest/doctest.h>

#include "report/sha256.h"

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
      {120'000'000'000, "120 s"},
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

// FIPS 180-4's examples (NIST CAVP).
TEST_CASE("SHA-256") {
  CHECK(Sha256::of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256::of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 sha;
  for (int i = 0; i < 1'000; ++i) sha.update(std::string(1'000, 'a'));
  CHECK(sha.finish() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace sim
