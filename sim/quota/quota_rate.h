#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// A rate over a sliding window of samples, as Kafka's metrics measure it (SampledStat, Rate, SimpleRate), and
// its comparison with a quota, in whole numbers: what Kafka computes in doubles is exact here.
//
// A sample takes what is recorded for one window from its first record on; there is one more of them than
// quota.window.num, and one that is older than all windows together starts anew.
namespace sim::quota {

class QuotaRate {
 public:
  // How long the samples count for. Kafka's client quotas take the windows that there are not yet for full
  // (Rate), its replication quotas what there is, but at least one window (SimpleRate).
  enum class Span : std::uint8_t { all_windows, elapsed };

  QuotaRate(Span span, std::int32_t samples, std::int32_t window_seconds)
      : span_(span), count_(samples), window_ms_(std::int64_t{window_seconds} * 1'000) {}

  void record(std::int64_t value, std::int64_t now_ms);
  // More than `limit` a second.
  bool exceeds(std::int64_t limit, std::int64_t now_ms);
  // How long nothing may be recorded for the rate to come down to the limit (QuotaUtils.throttleTime): that
  // is X in sum / (window + X) = limit, rounded to the nearest millisecond. 0 if it is not exceeded.
  std::int64_t throttle_ms(std::int64_t limit, std::int64_t now_ms);

 private:
  struct Sample {
    std::int64_t start_ms = 0;
    std::int64_t last_ms = 0;
    std::int64_t sum = 0;
  };
  struct Measured {
    std::int64_t sum = 0;
    std::int64_t span_ms = 0;
  };
  Measured measure(std::int64_t now_ms);

  Span span_;
  std::int32_t count_;
  std::int64_t window_ms_;
  std::vector<Sample> samples_;
  std::size_t current_ = 0;
};

}  // namespace sim::quota
