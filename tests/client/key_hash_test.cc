#include "client/key_hash.h"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

#include "client/partitioner.h"

namespace sim::client {
namespace {

TEST_CASE("the check values of CRC-32 and FNV-1a") {
  CHECK(crc32("123456789") == 0xCBF43926u);
  CHECK(crc32("") == 0u);
  CHECK(fnv1a("") == 0x7EE3623Bu);        // the absolute value of 0x811C9DC5
  CHECK(fnv1a("foobar") == 0x40630698u);  // of 0xBF9CF968
  CHECK(hash_of_key(KeyHash::murmur2, "21") == (murmur2("21") & 0x7fffffff));
  CHECK(hash_of_key(KeyHash::crc32, "123456789") == 0xCBF43926);
}

TEST_CASE("with a linger time, time ends the turn of a partition, and bytes do not") {
  const std::vector<std::int32_t> leaders{0, 1, 2, 3, 4, 5, 6, 7};
  const StickyPartitioner::Choices choices{8, leaders};
  Rng rng{7, "client"};
  StickyPartitioner sticky(100, from_millis(10));
  const auto at = [&](std::int64_t ms) {
    sticky.begin_record(LocalTime{from_millis(ms)});
    const std::int32_t partition = sticky.current(choices, rng);
    CHECK_FALSE(sticky.appended(1'000, true, choices, rng));
    return partition;
  };
  const std::int32_t first = at(5);
  for (const std::int64_t ms : {6, 10, 14}) CHECK(at(ms) == first);
  bool moved = false;
  for (std::int64_t ms = 15; ms < 200; ms += 10) moved |= at(ms) != first;
  CHECK(moved);
}

}  // namespace
}  // namespace sim::client
