// When orders come: exact for constant arrivals, in the right number and shape for random ones.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "workload/arrivals.h"

namespace sim::workload {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::vector<std::int64_t> arrivals_until(const Arrivals& arrivals, std::int64_t end_ns,
                                         std::uint64_t seed = 1) {
  ArrivalProcess process(arrivals, Rng(seed, "arrivals"));
  std::vector<std::int64_t> found;
  for (auto at = process.next(); at && *at < end_ns; at = process.next()) {
    found.push_back(*at);
  }
  CHECK(std::is_sorted(found.begin(), found.end()));
  return found;
}

std::int64_t between(const std::vector<std::int64_t>& arrivals, std::int64_t from, std::int64_t to) {
  std::int64_t count = 0;
  for (const std::int64_t at : arrivals) count += at >= from && at < to ? 1 : 0;
  return count;
}

// Within four standard deviations of a Poisson count.
void check_count(std::int64_t count, std::int64_t mean) {
  CAPTURE(count);
  CAPTURE(mean);
  CHECK((count - mean) * (count - mean) <= 16 * mean);
}

TEST_CASE("constant arrivals are exact, however many") {
  ArrivalProcess thirds(ConstantArrivals{3'000}, Rng(1, "a"));
  CHECK(thirds.next() == 0);
  CHECK(thirds.next() == 333'333'333);
  CHECK(thirds.next() == 666'666'666);
  CHECK(thirds.next() == 1'000'000'000);
  CHECK(arrivals_until(ConstantArrivals{500}, 10 * kSecond) ==
        std::vector<std::int64_t>{0, 2 * kSecond, 4 * kSecond, 6 * kSecond, 8 * kSecond});
  CHECK(arrivals_until(ConstantArrivals{7'000'000}, 60 * kSecond).size() == 7'000u * 60);
}

TEST_CASE("a rate of nothing brings nothing") {
  CHECK(arrivals_until(ConstantArrivals{0}, kSecond).empty());
  CHECK(arrivals_until(PoissonArrivals{0}, kSecond).empty());
  CHECK(arrivals_until(RampArrivals{0, 0, 10s}, kSecond).empty());
}

TEST_CASE("Poisson arrivals: rate, and as many per second as chance allows") {
  const auto arrivals = arrivals_until(PoissonArrivals{500'000}, 200 * kSecond);
  check_count(std::ssize(arrivals), 100'000);
  // The number in each second has its mean as variance.
  std::int64_t squares = 0;
  for (std::int64_t second = 0; second < 200; ++second) {
    const std::int64_t off = between(arrivals, second * kSecond, (second + 1) * kSecond) - 500;
    squares += off * off;
  }
  CHECK(squares / 200 > 400);
  CHECK(squares / 200 < 600);
}

TEST_CASE("very high and very low rates keep their mean") {
  check_count(std::ssize(arrivals_until(PoissonArrivals{1'000'000'000}, kSecond / 10)), 100'000);
  check_count(std::ssize(arrivals_until(PoissonArrivals{1}, 3'000'000 * kSecond)), 3'000);
}

TEST_CASE("a ramp grows, or falls, and then stays") {
  const auto up = arrivals_until(RampArrivals{0, 1'000'000, 100s}, 120 * kSecond);
  check_count(between(up, 0, 10 * kSecond), 500);
  check_count(between(up, 45 * kSecond, 55 * kSecond), 5'000);
  check_count(between(up, 90 * kSecond, 100 * kSecond), 9'500);
  check_count(between(up, 100 * kSecond, 120 * kSecond), 20'000);
  const auto down = arrivals_until(RampArrivals{1'000'000, 100'000, 100s}, 120 * kSecond);
  check_count(between(down, 0, 100 * kSecond), 55'000);
  check_count(between(down, 100 * kSecond, 120 * kSecond), 2'000);
}

TEST_CASE("bursts come and go on time") {
  const auto arrivals = arrivals_until(BurstArrivals{10'000, 2'000'000, 30s, 5s}, 300 * kSecond);
  std::int64_t bursts = 0;
  std::int64_t quiet = 0;
  for (std::int64_t period = 0; period < 10; ++period) {
    const std::int64_t start = period * 30 * kSecond;
    bursts += between(arrivals, start, start + 5 * kSecond);
    quiet += between(arrivals, start + 5 * kSecond, start + 30 * kSecond);
  }
  check_count(bursts, 100'000);
  check_count(quiet, 2'500);
}

TEST_CASE("a day goes from low to high and back, highest at its peak") {
  const DailyArrivals daily{100'000, 900'000, 240s, 60s};
  CHECK(rate_at(daily, 60 * kSecond) == 900'000);
  CHECK(rate_at(daily, 180 * kSecond) == 100'000);
  CHECK(rate_at(daily, 0) == 500'000);
  CHECK(rate_at(daily, 120 * kSecond) == 500'000);
  CHECK(rate_at(daily, 300 * kSecond) == 900'000);  // the next day
  for (std::int64_t s = 0; s < 60; ++s)
    CHECK(rate_at(daily, s * kSecond) < rate_at(daily, (s + 1) * kSecond));

  const auto arrivals = arrivals_until(daily, 480 * kSecond);
  check_count(std::ssize(arrivals), 240'000);
  check_count(between(arrivals, 0, 240 * kSecond), 120'000);
  std::int64_t near_peak = 0;
  std::int64_t near_trough = 0;
  for (std::int64_t ms = 50'000; ms < 70'000; ++ms) near_peak += rate_at(daily, ms * 1'000'000);
  for (std::int64_t ms = 170'000; ms < 190'000; ++ms) near_trough += rate_at(daily, ms * 1'000'000);
  check_count(between(arrivals, 50 * kSecond, 70 * kSecond), near_peak / 1'000'000);
  check_count(between(arrivals, 170 * kSecond, 190 * kSecond), near_trough / 1'000'000);
}

TEST_CASE("another seed, other arrivals; a copy, the same") {
  const Arrivals arrivals = BurstArrivals{10'000, 200'000, 3s, 1s};
  CHECK(arrivals_until(arrivals, 20 * kSecond, 1) == arrivals_until(arrivals, 20 * kSecond, 1));
  CHECK(arrivals_until(arrivals, 20 * kSecond, 1) != arrivals_until(arrivals, 20 * kSecond, 2));
  ArrivalProcess original(arrivals, Rng(1, "a"));
  for (int i = 0; i < 100; ++i) original.next();
  ArrivalProcess copy = original;
  for (int i = 0; i < 100; ++i) CHECK(copy.next() == original.next());
}

TEST_CASE("a trace comes as recorded, and ends") {
  const auto orders = std::make_shared<const std::vector<TraceOrder>>(
      std::vector<TraceOrder>{{5, 0, 1}, {5, 1, 1}, {9, 0, 1}});
  CHECK(arrivals_until(TraceArrivals{orders, "t.csv", nullptr}, kSecond) ==
        std::vector<std::int64_t>{5, 5, 9});
}

}  // namespace
}  // namespace sim::workload
