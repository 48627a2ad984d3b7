// One measured value against one limit, and when there is too little to tell.
#include "judge/evaluate.h"

#include <doctest/doctest.h>

#include "judge/metric.h"
#include "judge/statistic.h"

namespace sim::judge {
namespace {

Expectation expecting(const char* statistic, Comparison comparison, std::int64_t limit) {
  Expectation expectation;
  expectation.metric = "e2e_latency";
  expectation.statistic = statistic;
  expectation.comparison = comparison;
  expectation.limit = limit;
  return expectation;
}

TEST_CASE("every comparison, below, at and above its limit") {
  struct Row {
    Comparison comparison;
    bool below, at, above;
  };
  const Row rows[] = {
      {Comparison::less, true, false, false},    {Comparison::less_equal, true, true, false},
      {Comparison::equal, false, true, false},   {Comparison::greater_equal, false, true, true},
      {Comparison::greater, false, false, true},
  };
  for (const Row& row : rows) {
    const auto verdict = [&](std::int64_t value) {
      return judge(expecting("value", row.comparison, 10), Measured{value, 100}) == Verdict::ok;
    };
    CHECK(verdict(9) == row.below);
    CHECK(verdict(10) == row.at);
    CHECK(verdict(11) == row.above);
  }
}

TEST_CASE("too few samples make it inconclusive, whatever was measured") {
  struct Row {
    const char* statistic;
    std::uint64_t samples;
    Verdict want;
  };
  const Row rows[] = {
      {"p50", 5, Verdict::inconclusive},      {"p50", 6, Verdict::failed},
      {"p99", 299, Verdict::inconclusive},    {"p99", 300, Verdict::failed},
      {"p99.9", 2999, Verdict::inconclusive}, {"p99.9", 3000, Verdict::failed},
      {"max", 0, Verdict::inconclusive},      {"max", 1, Verdict::failed},
      {"value", 0, Verdict::failed},
  };
  for (const Row& row : rows) {
    CAPTURE(row.statistic);
    CAPTURE(row.samples);
    const Expectation expectation = expecting(row.statistic, Comparison::less, 10);
    CHECK(judge(expectation, Measured{20, row.samples}) == row.want);
  }
  CHECK(judge(expecting("value", Comparison::less, 10), Measured{}) == Verdict::inconclusive);
  CHECK(why_inconclusive(expecting("p99.9", Comparison::less, 10), Measured{1, 812}) ==
        "p99.9 needs 3000 samples, there are 812");
}

TEST_CASE("a percentile is a p and a number below 100") {
  struct Row {
    const char* text;
    std::int64_t want;  // 0 = not one
  };
  const Row rows[] = {{"p50", 50'000},     {"p99", 99'000}, {"p99.9", 99'900}, {"p99.99", 99'990},
                      {"p99.999", 99'999}, {"p5", 5'000},   {"p2.5", 2'500},   {"p0", 0},
                      {"p100", 0},         {"p", 0},        {"max", 0},        {"p99.", 0},
                      {"p9x", 0},          {"p99.9999", 0}, {"p9.9.9", 0}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(percentile_share(row.text).value_or(0) == row.want);
  }
}

TEST_CASE("metrics are found by name") {
  CHECK(find_metric("e2e_latency")->distribution);
  CHECK_FALSE(find_metric("lost_orders")->distribution);
  CHECK(find_metric("latency") == nullptr);
}

}  // namespace
}  // namespace sim::judge
