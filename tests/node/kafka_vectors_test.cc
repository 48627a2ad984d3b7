// Back-offs against the answers of Kafka's own class (tests/vectors).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "node/backoff.h"
#include "vectors/vector_table.h"

namespace sim::node {
namespace kafka_vectors_test {

using vectors::VectorRow;

// Both drew 2 000 times: where one's extremes lie among the other's is left to chance by at most this much.
std::int64_t chance_ms(const Duration term) {
  return 1 + millis(term) / 200;
}

TEST_CASE("ExponentialBackoff waits as Kafka's does") {
  const auto kafkas = [](const VectorRow& row) {
    return "without jitter " + row.text("kafka_without_jitter_ms");
  };
  vectors::check_vectors("backoff", kafkas, [](const VectorRow& row) {
    const Duration initial = from_millis(row.number("initial_ms"));
    const Duration max = from_millis(row.number("max_ms"));
    const auto failures = static_cast<std::int32_t>(row.number("failures"));
    Duration term = exponential_backoff_term(initial, max, failures);
    Rng rng(1, "backoff");
    Duration lowest = Duration::max();
    Duration highest = Duration::min();
    for (int i = 0; i < 2'000; ++i) {
      const Duration drawn = exponential_backoff(initial, max, failures, rng);
      lowest = std::min(lowest, drawn);
      highest = std::max(highest, drawn);
    }
    // At the maximum Kafka's pow(2, log(max / initial) / log(2)) may be a little less than max / initial.
    const bool rounded_down = initial < max && term == max;
    if (rounded_down && row.number("kafka_without_jitter_ms") == millis(term) - 1)
      term = from_millis(millis(term) - 1);
    std::string out = "without jitter " + std::to_string(millis(term));
    const auto compare = [&](const char* what, Duration ours, const char* column) {
      const std::int64_t kafkas_ms = row.number(column);
      if (std::abs(millis(ours) - kafkas_ms) > chance_ms(term)) {
        out.append(", ").append(what).append(" ").append(std::to_string(millis(ours)));
        out.append(" instead of ").append(std::to_string(kafkas_ms));
      }
    };
    compare("lowest", lowest, "kafka_lowest_ms");
    compare("highest", highest, "kafka_highest_ms");
    return out;
  });
}

TEST_CASE("a wait whose maximum is less than its beginning is the maximum") {
  Rng rng(1, "backoff");
  CHECK(exponential_backoff(from_millis(5'000), from_millis(1'000), 3, rng) == from_millis(1'000));
  CHECK(exponential_backoff(from_millis(0), from_millis(1'000), 9, rng) == Duration{0});
  CHECK(exponential_backoff(from_millis(100), from_millis(0), 9, rng) == Duration{0});
}

}  // namespace kafka_vectors_test
}  // namespace sim::node
