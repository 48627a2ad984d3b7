// A broker with quotas: who is throttled, and what becomes of what was asked.
#include <doctest/doctest.h>

#include "broker/harness.h"

namespace sim::broker {
namespace {

using server::ClientQuota;
using server::ClientQuotas;

BrokerConfig with_quota(ClientQuota quota) {
  auto quotas = std::make_shared<ClientQuotas>();
  quotas->quotas = {quota};
  quotas->of_process.assign(static_cast<std::size_t>(test::kClient.value()) + 1, -1);
  quotas->of_process.back() = 0;
  BrokerConfig config;
  config.client_quotas = quotas;
  return config;
}

// ---- On the way of requests

TEST_CASE("a produce request over the quota is answered at once, with a throttle time") {
  test::World world;
  world.add_broker(1, with_quota({.producer_byte_rate = 100}));
  world.run_for(10ms);
  const TopicPartition tp = world.create_topic("orders", {1});
  world.run_for(10ms);
  std::int32_t throttled = 0;
  for (int i = 0; i < 10; ++i) {
    const auto answer = world.ask<ProduceResponse>(1, test::produce(tp, test::batch_of(5), 1));
    CHECK(answer.partitions[0].error == ErrorCode::none);
    CHECK(answer.throttle_ms >= throttled);
    throttled = answer.throttle_ms;
  }
  CHECK(throttled > 1'000);
  CHECK(world.partition(1, tp).log_end_offset() == 50);
  CHECK(world.facts<observe::ClientThrottled>(1).back().throttle_ms == throttled);
}

TEST_CASE(
    "a fetch over the quota is answered empty; a session does not begin with it, and one that there is goes "
    "on") {
  test::World world;
  world.add_broker(1, with_quota({.consumer_byte_rate = 100}));
  world.run_for(10ms);
  const TopicPartition tp = world.create_topic("orders", {1});
  world.run_for(10ms);
  for (int i = 0; i < 10; ++i) world.ask<ProduceResponse>(1, test::produce(tp, test::batch_of(5), 1));

  FetchRequest fetch = test::fetch({test::from(tp, 0)});
  fetch.session_epoch = 0;
  const auto first = world.ask<FetchResponse>(1, fetch);
  CHECK(first.throttle_ms == 0);
  REQUIRE(first.session_id != 0);
  REQUIRE(first.partitions.size() == 1);
  CHECK(test::records_in(first.partitions[0]) == 5);  // no more than in ten windows, 1000 bytes

  FetchRequest next = test::fetch({test::from(tp, 5)});
  next.session_id = first.session_id;
  next.session_epoch = 1;
  const auto second = world.ask<FetchResponse>(1, next);
  CHECK(second.throttle_ms > 0);
  CHECK(second.session_id == first.session_id);
  CHECK(second.partitions.empty());

  world.run_for(20s);
  next.partitions.clear();
  next.session_epoch = 2;
  const auto third = world.ask<FetchResponse>(1, next);
  CHECK(third.throttle_ms == 0);
  REQUIRE(third.partitions.size() == 1);
  CHECK(third.partitions[0].batches.front().base_offset == 5);

  const auto another = world.ask<FetchResponse>(1, fetch);
  CHECK(another.throttle_ms > 0);
  CHECK(another.session_id == 0);
  CHECK(another.partitions.empty());
  const auto facts = world.facts<observe::ClientThrottled>(1);
  REQUIRE(facts.size() == 2);
  CHECK(facts[0].quota == observe::QuotaKind::fetch);
}

// ---- Throttles of replication

struct CatchingUp {
  explicit CatchingUp(const BrokerConfig& config, bool is_throttled) {
    for (int id = 1; id <= 3; ++id) world.add_broker(id, config);
    world.run_for(10ms);
    TopicConfig topic;
    topic.leader_throttled.all = topic.follower_throttled.all = is_throttled;
    tp = world.create_topic("orders", {1, 2, 3}, topic);
    world.run_for(50ms);
    world.crash(3);
    world.elect(tp, 1, {1, 2});
    for (int i = 0; i < 100; ++i) world.ask<ProduceResponse>(1, test::produce(tp, test::batch_of(10), -1));
    back = world.now();
    world.boot(3);
    world.run_for(50ms);
  }
  std::int64_t bytes() { return world.partition(3, tp).log().bytes_between(0, end(3), 1 << 30); }
  std::int64_t all_bytes() { return world.partition(1, tp).log().bytes_between(0, end(1), 1 << 30); }
  Offset end(int broker) { return world.partition(broker, tp).log_end_offset(); }

  test::World world;
  TopicPartition tp;
  LocalTime back{};
};

TEST_CASE(
    "a throttled replica catches up no faster than the rate, on either side; one in sync is not held back") {
  for (const bool by_leader : {true, false}) {
    CAPTURE(by_leader);
    BrokerConfig config;
    config.replica_fetch_max_bytes = 1'000;
    (by_leader ? config.leader_replication_throttled_rate : config.follower_replication_throttled_rate) =
        10'000;
    CatchingUp replicas(config, true);
    CHECK(replicas.end(2) == 1'000);  // acks=all, faster than the rate
    const std::int64_t all = replicas.all_bytes();
    REQUIRE(all > 100'000);
    for (int second = 1; replicas.bytes() < all; ++second) {
      REQUIRE(second < 60);
      replicas.world.run_for(1s);
      CHECK(replicas.bytes() <= 10'000 * (second + 1) + 3'000);
    }
    const Duration took = replicas.world.now() - replicas.back;
    CHECK(took >= std::chrono::milliseconds(all / 10 - 2'000));
    replicas.world.run_for(2s);
    CHECK(replicas.world.partition(1, replicas.tp).isr().size() == 3);
  }
}

TEST_CASE("without being listed, or without a rate, nothing is throttled") {
  BrokerConfig config;
  config.leader_replication_throttled_rate = config.follower_replication_throttled_rate = 1'000;
  CatchingUp unlisted(config, false);
  unlisted.world.run_for(1s);
  CHECK(unlisted.end(3) == 1'000);
  CatchingUp unlimited(BrokerConfig{}, true);
  unlimited.world.run_for(1s);
  CHECK(unlimited.end(3) == 1'000);
}

}  // namespace
}  // namespace sim::broker
