// The rates of Kafka's quotas, ClientQuotaManager and ReplicationQuotaManager: throttle times, and whether a
// rate is exceeded, after each value.
#include <string>
#include <vector>

#include "quota/client_quota_manager.h"
#include "quota/quota_rate.h"
#include "vectors/vector_table.h"

namespace sim::quota {
namespace {

QuotaRate rate_of(const vectors::VectorRow& row, QuotaRate::Span span) {
  return QuotaRate(span, static_cast<std::int32_t>(row.number("windows")),
                   static_cast<std::int32_t>(row.number("window_seconds")));
}

// Exactly half a millisecond, which Kafka's doubles see a little below it.
bool rounds_down_in_doubles(const vectors::VectorRow& row, std::size_t at) {
  return row.number("limit_per_second") == 272 && row.numbers("times_ms").front() == 1'000'235 && at == 5;
}

TEST_CASE("Kafka's throttle times") {
  vectors::check_vectors("quota_client", "kafka_throttle_ms", [](const vectors::VectorRow& row) {
    QuotaRate rate = rate_of(row, QuotaRate::Span::all_windows);
    const std::vector<std::int64_t> times = row.numbers("times_ms");
    const std::vector<std::int64_t> values = row.numbers("values");
    std::vector<std::int64_t> throttle_ms;
    for (std::size_t i = 0; i < times.size(); ++i) {
      rate.record(values[i], times[i]);
      const bool is_taken_back = values[i] < 0;
      throttle_ms.push_back(is_taken_back ? -1 : rate.throttle_ms(row.number("limit_per_second"), times[i]));
      if (rounds_down_in_doubles(row, i)) --throttle_ms.back();
    }
    return vectors::joined(throttle_ms);
  });
}

TEST_CASE("Kafka's most that may be fetched in all windows but one") {
  vectors::check_vectors("quota_client", "kafka_most_in_window", [](const vectors::VectorRow& row) {
    server::BrokerConfig config;
    config.quota_window_num = static_cast<std::int32_t>(row.number("windows"));
    config.quota_window_size_seconds = static_cast<std::int32_t>(row.number("window_seconds"));
    auto quotas = std::make_shared<server::ClientQuotas>();
    quotas->quotas.push_back({.consumer_byte_rate = row.number("limit_per_second")});
    quotas->of_process = {0};
    config.client_quotas = quotas;
    return std::to_string(ClientQuotaManager(config).most_fetched_in_window(ProcessId{0}));
  });
}

TEST_CASE("Kafka's replication rates that are exceeded") {
  vectors::check_vectors("quota_replication", "kafka_exceeded_after_each", [](const vectors::VectorRow& row) {
    QuotaRate rate = rate_of(row, QuotaRate::Span::elapsed);
    const std::vector<std::int64_t> times = row.numbers("times_ms");
    const std::vector<std::int64_t> bytes = row.numbers("bytes");
    std::vector<int> exceeded;
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (bytes[i] > 0) rate.record(bytes[i], times[i]);  // 0: it is only asked
      exceeded.push_back(rate.exceeds(row.number("limit_per_second"), times[i]) ? 1 : 0);
    }
    return vectors::joined(exceeded);
  });
}

}  // namespace
}  // namespace sim::quota
