// Quotas: the arithmetic of Kafka's rates and throttle times, who is throttled and who is not.
#include <doctest/doctest.h>

#include <memory>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "quota/client_quota_manager.h"
#include "quota/quota_rate.h"

namespace sim::quota {
namespace {

constexpr ProcessId kClient{90};
using Span = QuotaRate::Span;

TEST_CASE("throttle times, as Kafka's doubles would have them") {
  struct Row {
    const char* what;
    Span span;
    std::vector<std::pair<std::int64_t, std::int64_t>> records;  // at ms, so many
    std::int64_t limit;
    std::int64_t at;
    std::int64_t want;
  };
  const Row rows[] = {
      {"nothing recorded", Span::all_windows, {}, 100, 5'000, 0},
      // ClientQuotaManagerTest: a quota of 500 bytes/sec, 10 windows taken for full
      {"just at the limit of ten windows", Span::all_windows, {{0, 5'000}}, 500, 0, 0},
      {"one byte more", Span::all_windows, {{0, 5'001}}, 500, 0, 2},
      {"2300 too many", Span::all_windows, {{0, 2'700}, {500, 2'300 + 2'300}}, 500, 500, 4'100},
      // (0 + 2300) bytes at 6.5 s: 10.5 windows as of the first sample
      {"half a window on, ten and a half count",
       Span::all_windows,
       {{0, 4'000}, {10'500, 2'300}},
       500,
       10'500,
       2'100},
      {"the oldest sample is forgotten after eleven windows",
       Span::all_windows,
       {{0, 9'000}, {11'000, 10}},
       500,
       11'000,
       0},
      {"a correction counts", Span::all_windows, {{0, 9'000}, {0, -9'000}}, 500, 0, 0},
      // SimpleRate: what there is counts, but one window at least
      {"the first second is a whole one", Span::elapsed, {{0, 400}, {10, 101}}, 500, 10, 2},
      {"four seconds", Span::elapsed, {{0, 1'000}, {3'999, 1'000}}, 500, 4'000, 0},
      {"four seconds and more than their share", Span::elapsed, {{0, 1'000}, {3'999, 1'002}}, 500, 4'000, 4},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    QuotaRate rate(row.span, 11, 1);
    for (const auto& [at, value] : row.records) rate.record(value, at);
    CHECK(rate.throttle_ms(row.limit, row.at) == row.want);
    CHECK(rate.exceeds(row.limit, row.at) == (row.want > 0));
  }
}

TEST_CASE("a steady rate at the limit is never throttled, one above it about as long as it must be") {
  for (const std::int64_t bytes : {1'000, 1'500}) {
    QuotaRate rate(Span::all_windows, 11, 1);
    std::int64_t now = 0;
    std::int64_t sent = 0;
    while (now < 60'000) {
      rate.record(bytes, now);
      sent += bytes;
      now += 100 + rate.throttle_ms(10'000, now);
    }
    CAPTURE(bytes);
    CHECK(sent <= 10'000 * 60 + 110'000);  // the windows before the first record are taken for empty ones
    CHECK(sent >= 10'000 * 59);
  }
}

// ---- The quotas of a broker's clients

BrokerConfig with_quota(ClientQuota quota) {
  auto quotas = std::make_shared<ClientQuotas>();
  quotas->quotas = {quota};
  quotas->of_process.assign(static_cast<std::size_t>(kClient.value()) + 1, -1);
  quotas->of_process.back() = 0;
  BrokerConfig config;
  config.client_quotas = quotas;
  return config;
}

struct Stage {
  explicit Stage(const BrokerConfig& with) : manager(with) {}
  std::int32_t produced(std::int64_t bytes, std::int64_t nanos = 0, bool is_answered = true,
                        ProcessId by = kClient) {
    return manager.produced(by, bytes, nanos, is_answered, context());
  }
  std::int32_t fetched(std::int64_t bytes, std::int64_t nanos = 0) {
    return manager.fetched(kClient, bytes, nanos, context());
  }
  Context context() { return Context{node::Env{now, rng}, out, image, config, NodeId{1}, BrokerEpoch{1}}; }

  ClientQuotaManager manager;
  LocalTime now{};
  Rng rng{1, "test"};
  node::Effects out;
  metadata::MetadataImage image;
  BrokerConfig config;
};

TEST_CASE("bytes produced: the client with the quota is throttled, others are not") {
  Stage stage(with_quota({.producer_byte_rate = 1'000}));
  CHECK(stage.produced(10'000) == 0);
  CHECK(stage.produced(5'000, 0, true, ProcessId{7}) == 0);
  CHECK(stage.out.empty());
  CHECK(stage.produced(2'000) == 2'000);
  REQUIRE(stage.out.size() == 1);
  const auto& fact = std::get<observe::ClientThrottled>(std::get<node::Report>(stage.out.front()).fact);
  CHECK(fact.client == kClient);
  CHECK(fact.quota == observe::QuotaKind::produce);
  CHECK(fact.throttle_ms == 2'000);
}

TEST_CASE("a throttled fetch brings nothing, so it does not count") {
  Stage stage(with_quota({.consumer_byte_rate = 1'000}));
  CHECK(stage.manager.most_fetched_in_window(kClient) == 10'000);
  CHECK(stage.fetched(10'500) == 500);
  CHECK(stage.fetched(10'000) == 0);
  CHECK(stage.fetched(1) == 1);
}

TEST_CASE("time on threads: at most a window's throttle, and none for who waits for no answer") {
  Stage stage(with_quota({.request_nanos_per_second = 1'000'000}));  // 0.1 % of a thread
  CHECK(stage.produced(1, 10'000'000) == 0);
  CHECK(stage.produced(1, 500'000) == 500);
  CHECK(stage.produced(1, 90'000'000, false) == 0);
  CHECK(stage.fetched(1, 90'000'000) == 1'000);
  CHECK(stage.manager.handled(kClient, 0, stage.context()) == 1'000);
}

TEST_CASE("without quotas nobody is throttled, and nothing is kept") {
  Stage stage{BrokerConfig{}};
  CHECK_FALSE(stage.manager.is_enabled());
  CHECK(stage.produced(1 << 30) == 0);
  CHECK(stage.fetched(1 << 30) == 0);
  CHECK(stage.out.empty());
}

}  // namespace
}  // namespace sim::quota
