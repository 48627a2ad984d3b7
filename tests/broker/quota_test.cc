// Quotas: the arithmetic of Kafka's rates and throttle times, who is throttled and who is not.
#include <doctest/doctest.h>

#include "broker/client_quota_manager.h"
#include "broker/harness.h"
#include "broker/quota_rate.h"

namespace sim::broker {
namespace {

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

// ---- A broker with quotas

BrokerConfig with_quota(ClientQuota quota) {
  auto quotas = std::make_shared<ClientQuotas>();
  quotas->quotas = {quota};
  quotas->of_process.assign(static_cast<std::size_t>(test::kClient.value()) + 1, -1);
  quotas->of_process.back() = 0;
  BrokerConfig config;
  config.client_quotas = quotas;
  return config;
}

struct Stage {
  explicit Stage(const BrokerConfig& with) : manager(with) {}
  std::int32_t produced(std::int64_t bytes, std::int64_t nanos = 0, bool is_answered = true,
                        ProcessId by = test::kClient) {
    return manager.produced(by, bytes, nanos, is_answered, context());
  }
  std::int32_t fetched(std::int64_t bytes, std::int64_t nanos = 0) {
    return manager.fetched(test::kClient, bytes, nanos, context());
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
  CHECK(fact.client == test::kClient);
  CHECK(fact.quota == observe::QuotaKind::produce);
  CHECK(fact.throttle_ms == 2'000);
}

TEST_CASE("a throttled fetch brings nothing, so it does not count") {
  Stage stage(with_quota({.consumer_byte_rate = 1'000}));
  CHECK(stage.manager.most_fetched_in_window(test::kClient) == 10'000);
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
  CHECK(stage.manager.handled(test::kClient, 0, stage.context()) == 1'000);
}

TEST_CASE("without quotas nobody is throttled, and nothing is kept") {
  Stage stage{BrokerConfig{}};
  CHECK_FALSE(stage.manager.is_enabled());
  CHECK(stage.produced(1 << 30) == 0);
  CHECK(stage.fetched(1 << 30) == 0);
  CHECK(stage.out.empty());
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
