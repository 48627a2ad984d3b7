// Hashes and fingerprints: the same everywhere, and different for what differs.
#include "base/hash.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace sim {
namespace {

std::uint64_t of_words(std::initializer_list<std::uint64_t> words) {
  Fingerprint fingerprint;
  for (const std::uint64_t word : words) fingerprint.add(word);
  return fingerprint.value();
}

std::uint64_t of_texts(std::initializer_list<std::string_view> texts) {
  Fingerprint fingerprint;
  for (const std::string_view text : texts) fingerprint.add_bytes(text);
  return fingerprint.value();
}

TEST_CASE("the same hashes on every machine and compiler") {
  static_assert(mix64(0) == 0);
  static_assert(hash_string("") == mix64(0xCBF29CE484222325ull));
  CHECK(mix64(1) == 6238072747940578789ull);
  CHECK(hash_string("orders") == 5014895673036534313ull);
  CHECK(hash_string("\xff\x80") == 14863956340116293656ull);
  CHECK(of_words({1, 2, 3}) == 7658629289213652361ull);
  CHECK(of_texts({"orders-0", "a"}) == 12453773853224172630ull);
  Fingerprint record;
  record.add(1, 2, 3, 4, 5);
  CHECK(record.value() == 189049178894016034ull);
}

TEST_CASE("mix64 spreads each bit of its input over half of its output") {
  for (int bit = 0; bit < 64; ++bit) {
    int changed = 0;
    for (std::uint64_t x = 1; x <= 200; ++x)
      changed += std::popcount(mix64(x) ^ mix64(x ^ std::uint64_t{1} << bit));
    CHECK(changed > 200 * 28);
    CHECK(changed < 200 * 36);
  }
}

TEST_CASE("a fingerprint tells order, number and borders apart") {
  const std::set<std::uint64_t> words = {of_words({}),  of_words({0}),    of_words({0, 0}), of_words({1}),
                                         of_words({3}), of_words({1, 2}), of_words({2, 1})};
  CHECK(words.size() == 7);
  const std::set<std::uint64_t> texts = {
      of_texts({}),
      of_texts({""}),
      of_texts({"", ""}),
      of_texts({std::string_view("\0", 1)}),
      of_texts({std::string_view("\0\0", 2)}),
      of_texts({"abc"}),
      of_texts({"abc", ""}),
      of_texts({"ab", "c"}),
      of_texts({"a", "bc"}),
      of_texts({"12345678"}),
      of_texts({"123456789"}),
      of_texts({"12345678", "9"}),
  };
  CHECK(texts.size() == 12);
}

TEST_CASE("a single word that differs is never made up for") {
  Fingerprint a;
  Fingerprint b;
  a.add(1);
  b.add(2);
  CHECK_FALSE(a == b);
  for (std::uint64_t i = 0; i < 10'000; ++i) {  // whatever both see from then on
    a.add(i);
    b.add(i);
    REQUIRE_FALSE(a == b);
  }
}

TEST_CASE("every word of a record counts, and where it stands") {
  const auto of = [](std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d, std::uint64_t e) {
    Fingerprint fingerprint;
    fingerprint.add(a, b, c, d, e);
    return fingerprint.value();
  };
  std::set<std::uint64_t> all;
  std::size_t records = 0;
  for (std::uint64_t bits = 0; bits < 1024; ++bits) {  // all records of words 0..3
    all.insert(of(bits & 3, bits >> 2 & 3, bits >> 4 & 3, bits >> 6 & 3, bits >> 8 & 3));
    ++records;
  }
  for (int bit = 2; bit < 64; ++bit) {  // and each single bit further up, in each word
    const std::uint64_t x = std::uint64_t{1} << bit;
    all.insert(
        {of(x, 0, 0, 0, 0), of(0, x, 0, 0, 0), of(0, 0, x, 0, 0), of(0, 0, 0, x, 0), of(0, 0, 0, 0, x)});
    records += 5;
  }
  CHECK(all.size() == records);
}

TEST_CASE("texts that are alike hash apart") {
  std::set<std::uint64_t> all;
  std::set<std::uint64_t> high_bytes;
  for (int i = 0; i < 20'000; ++i) {
    all.insert(hash_string("orders-" + std::to_string(i)));
    high_bytes.insert(hash_string("orders-" + std::to_string(i)) >> 56);
  }
  CHECK(all.size() == 20'000);
  CHECK(high_bytes.size() == 256);
}

}  // namespace
}  // namespace sim
