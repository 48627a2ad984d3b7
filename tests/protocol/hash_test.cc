// Hashes that decide where a record or a group goes: Kafka's own values.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string_view>

#include "protocol/java_hash.h"
#include "protocol/murmur2.h"
#include "protocol/record_batch.h"

namespace sim {
namespace {

TEST_CASE("murmur2 gives what UtilsTest of Kafka expects") {
  struct Row {
    std::string_view key;
    std::int32_t want;
  };
  const Row rows[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"abc", 479470107},
      {"a-little-bit-long-string", -985981536},
  };
  for (const Row& row : rows) {
    CAPTURE(row.key);
    CHECK(murmur2(row.key) == row.want);
  }
}

TEST_CASE("a keyed record goes to the partition that Kafka's clients choose") {
  struct Row {
    std::string_view key;
    std::int32_t hash, of_3, of_6, of_12;
  };
  const Row rows[] = {
      {"", 275646681, 0, 3, 9},        {"a", -1563381124, 1, 4, 4},     {"kafka", -798503068, 1, 4, 4},
      {"user-1", 1404122828, 2, 2, 8}, {"user-2", -324981792, 2, 2, 8}, {"key-0", 29210041, 1, 1, 1},
      {"key-1", 193331640, 0, 0, 0},   {"key-42", -187086521, 0, 3, 3},
  };
  for (const Row& row : rows) {
    CAPTURE(row.key);
    CHECK(murmur2(row.key) == row.hash);
    CHECK(partition_for_key(row.key, 3) == row.of_3);
    CHECK(partition_for_key(row.key, 6) == row.of_6);
    CHECK(partition_for_key(row.key, 12) == row.of_12);
  }
}

TEST_CASE("a group goes to the partition of __consumer_offsets that its Java hash names") {
  struct Row {
    std::string_view group;
    std::int32_t hash, of_50;
  };
  const Row rows[] = {
      {"my-group", -1906497762, 12},       {"group-1", 293427299, 49}, {"orders", -1008770331, 31},
      {"consumer-group-a", 147483068, 18}, {"txn-1", 110810510, 10},   {"test", 3556498, 48},
  };
  for (const Row& row : rows) {
    CAPTURE(row.group);
    CHECK(java_string_hash(row.group) == row.hash);
    CHECK(java_abs(java_string_hash(row.group)) % 50 == row.of_50);
  }
}

TEST_CASE("Java hashes UTF-16 units, and its smallest int has no absolute value") {
  CHECK(java_string_hash("\xC3\xA9") == 0xE9);                          // é
  CHECK(java_string_hash("\xE2\x82\xAC") == 0x20AC);                    // €
  CHECK(java_string_hash("\xF0\x9F\x98\x80") == 0xD83D * 31 + 0xDE00);  // a surrogate pair
  CHECK(java_string_hash("polygenelubricants") == std::numeric_limits<std::int32_t>::min());
  CHECK(java_abs(std::numeric_limits<std::int32_t>::min()) == 0);
  CHECK(java_abs(-5) == 5);
}

TEST_CASE("CRC-32C") {
  const auto crc = [](std::string_view text) { return crc32c(text.data(), text.size()); };
  CHECK(crc("123456789") == 0xE3069283u);
  CHECK(crc("") == 0u);
  CHECK(crc("kafka") == 0x084B20E1u);
}

}  // namespace
}  // namespace sim
