// Clients over their quotas, in a whole world: they are slowed down to it, whether or not they wait for
// answers, and nothing of theirs is lost; others are not.
#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>

#include "cluster/cluster.h"
#include "cluster/shop.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kQuotaBytes = 20'000;

// One broker, one flow of 50 kB a second, one consumer of it.
ClusterSpec limited_shop(const char* limited, server::ClientQuota quota, std::int16_t acks) {
  ClusterSpec spec;
  spec.seed = 3;
  spec.controllers = {ControllerSpec{NodeId{100}, "", {}, {}, {}}};
  spec.brokers = {BrokerSpec{NodeId{1}, "", {}, {}, {}}};
  spec.brokers[0].config.offsets_topic_replication_factor = 1;
  spec.topics = {TopicSpec{"orders", 1, 1, {}}};
  workload::FlowSpec flow;
  flow.name = "order-service";
  flow.topic = "orders";
  flow.arrivals = workload::ConstantArrivals{50'000};
  flow.record_bytes = Distribution::constant(1'000);
  flow.start_at = 1s;
  flow.producer.acks = acks;
  flow.producer.enable_idempotence = false;
  flow.producer.linger_ms = 5;
  spec.flows = {flow};
  workload::ServiceSpec service = test::service("inventory");
  service.members = 1;
  service.service_time = Distribution::constant(1'000);
  service.consumer.auto_offset_reset = client::AutoOffsetReset::earliest;
  spec.services = {service};
  if (*limited != 0) spec.quotas = {{limited, quota}};
  spec.load_ends_at = 31s;
  return spec;
}

struct QuotaWatch final : observe::Observer {
  void on(const observe::Observation& seen) override {
    const std::int64_t second = nanos(seen.at) / 1'000'000'000;
    if (const auto* appended = std::get_if<observe::BatchAppended>(&seen.fact)) {
      if (!appended->batch.data->application_records().empty())
        appended_until[second] += appended->batch.record_count;
    } else if (std::holds_alternative<observe::ProcessingDone>(seen.fact)) {
      ++handled;
      if (second < 31) ++handled_under_load;
    } else if (const auto* throttled = std::get_if<observe::ClientThrottled>(&seen.fact)) {
      ++throttles[throttled->quota];
    }
  }
  std::int64_t appended(std::int64_t before) const {
    std::int64_t sum = 0;
    for (const auto& [second, records] : appended_until) sum += second < before ? records : 0;
    return sum;
  }
  std::map<std::int64_t, std::int64_t> appended_until;  // records, by second
  std::int64_t handled = 0;
  std::int64_t handled_under_load = 0;
  std::map<observe::QuotaKind, int> throttles;
};

QuotaWatch played_under_quotas(const ClusterSpec& spec) {
  Cluster cluster(spec);
  QuotaWatch seen;
  cluster.observe(seen);
  test::play_until(cluster, 200s);
  return seen;
}

TEST_CASE("without quotas nobody is throttled") {
  const QuotaWatch seen = played_under_quotas(limited_shop("", {}, 1));
  CHECK(seen.throttles.empty());
  CHECK(seen.appended(31) > 1'450);
}

TEST_CASE(
    "a producer over its quota is slowed down to it, also one that waits for no answers; all of it comes in "
    "the end") {
  for (const std::int16_t acks : {std::int16_t{1}, std::int16_t{0}}) {
    CAPTURE(acks);
    const QuotaWatch seen =
        played_under_quotas(limited_shop("order-service", {.producer_byte_rate = kQuotaBytes}, acks));
    CHECK(seen.throttles.at(observe::QuotaKind::produce) > 10);
    // What ten windows allow at once, and then the rate, of records of a little more than 1000 bytes.
    CHECK(seen.appended(31) <= 20 * (30 + 10) + 20);
    CHECK(seen.appended(31) >= 20 * 28);
    CHECK(seen.appended(200) == 1'500);
    CHECK(seen.handled == 1'500);
  }
}

TEST_CASE("a consumer over its quota lags behind, and gets everything in the end") {
  const QuotaWatch seen =
      played_under_quotas(limited_shop("inventory", {.consumer_byte_rate = kQuotaBytes}, 1));
  CHECK(seen.throttles.at(observe::QuotaKind::fetch) > 5);
  CHECK(seen.appended(31) > 1'450);
  CHECK(seen.handled_under_load <= 20 * (30 + 10) + 20);
  CHECK(seen.handled_under_load >= 20 * 15);
  CHECK(seen.handled == 1'500);
}

TEST_CASE("who takes more of a broker's threads than his share is throttled for all kinds of requests") {
  const QuotaWatch seen = played_under_quotas(
      limited_shop("order-service", {.request_nanos_per_second = 500'000}, 1));  // 0.05 % of a thread
  CHECK(seen.throttles.at(observe::QuotaKind::request) > 10);
  CHECK(seen.throttles.size() == 1);
}

}  // namespace
}  // namespace sim::cluster
