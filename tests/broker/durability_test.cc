#include "harness.h"

// What a broker brings to the platter, and when; what it does with its logs after a crash before it serves.
namespace sim {
namespace {

using namespace std::chrono_literals;
using test::batch_of;
using test::produce;
using test::World;

TopicConfig flushed_after(std::int64_t messages) {
  TopicConfig config;
  config.flush_messages = messages;
  return config;
}

TEST_CASE("after a crash the logs are read before a broker may be unfenced; its heartbeats go on meanwhile") {
  World world = test::brokers_up(2);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(50ms);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(3), -1));
  world.run_for(100ms);
  world.scan_time = 20s;
  world.crash(1);
  world.elect(tp, 2, {2});
  world.heartbeats.clear();
  world.boot(1);
  world.run_for(10s);
  CHECK(world.broker(1).state() == broker::BrokerState::recovery);
  CHECK(world.broker(1).is_loading());
  REQUIRE(world.scans.size() == 1);
  CHECK(world.scans[0].threads == 2);
  CHECK(world.scans[0].bytes == std::vector<std::int64_t>{world.image(1).logs.at(tp).batches.size_bytes()});
  CHECK(world.heartbeats.size() > 4);
  for (const BrokerHeartbeatRequest& heartbeat : world.heartbeats) {
    if (heartbeat.broker == NodeId{1}) CHECK(heartbeat.want_fence);
  }
  // The metadata goes on, and waits for it.
  const Offset known = world.broker(1).image().end_offset();
  const TopicPartition later = world.create_topic("later", {1, 2});
  world.run_for(1s);
  CHECK(world.broker(1).image().end_offset() == known);
  CHECK(world.broker(1).replicas().partition(tp) == nullptr);

  world.run_for(10s);
  CHECK_FALSE(world.broker(1).is_loading());
  CHECK(world.broker(1).image().end_offset() > known);
  CHECK(world.partition(1, tp).log_end_offset() == 3);
  CHECK(world.partition(1, later).is_leader());
  world.run_for(3s);
  CHECK(world.broker(1).state() == broker::BrokerState::running);
}

TEST_CASE("after a clean shutdown nothing is read; a crash while logs are read is a crash") {
  World world = test::brokers_up(2);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(50ms);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(3), -1));
  world.stop(1);
  world.run_for(3s);
  REQUIRE_FALSE(world.is_up(1));
  CHECK(world.image(1).logs.at(tp).recovery_point == 3);
  world.boot(1);
  world.run_for(1s);
  CHECK(world.scans.empty());
  CHECK(world.partition(1, tp).log().recovery_point() == 3);

  world.scan_time = 20s;
  world.crash(1);
  world.boot(1);
  world.run_for(1s);
  CHECK(world.scans.size() == 1);
  world.stop(1);  // even in order: it has not looked at all of its logs
  world.run_for(3s);
  REQUIRE_FALSE(world.is_up(1));
  CHECK(world.image(1).logs.at(kClusterMetadata).clean_shutdown == kNoBrokerEpoch);
  world.boot(1);
  world.run_for(1s);
  CHECK(world.scans.size() == 2);
}

TEST_CASE("the mark of a clean shutdown comes after the flush") {
  World world = test::brokers_up(2);
  world.flush_time = 500ms;
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(50ms);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(3), -1));
  world.stop(1);
  world.run_for(200ms);
  CHECK(world.is_up(1));
  CHECK_FALSE(world.image(1).logs.contains(kClusterMetadata));
  world.run_for(3s);
  CHECK_FALSE(world.is_up(1));
  CHECK(world.image(1).logs.at(kClusterMetadata).clean_shutdown == BrokerEpoch{101});
  world.lose_power(1);
  CHECK(world.image(1).logs.at(tp).end_offset() == 3);
}

TEST_CASE("with flush.messages an append is answered when it is on the platter, here and at the follower") {
  World world = test::brokers_up(2);
  world.flush_time = 10ms;
  const TopicPartition tp = world.create_topic("orders", {1, 2}, flushed_after(1));
  world.run_for(50ms);
  const LocalTime asked = world.now();
  world.ask<ProduceResponse>(1, produce(tp, batch_of(3), -1));
  CHECK(world.answered_at - asked >= 20ms);
  for (const int id : {1, 2}) {
    CHECK(world.image(id).logs.at(tp).flushed_end_offset == 3);
    CHECK(world.partition(id, tp).log().recovery_point() == 3);
  }
  // The recovery points are written down 30 s after the start, and every minute.
  CHECK(world.image(1).logs.at(tp).recovery_point == 0);
  world.run_for(31s);
  CHECK(world.image(1).logs.at(tp).recovery_point == 3);
}

TEST_CASE("flush.messages counts what was appended since the last flush") {
  World world = test::brokers_up(2);
  const TopicPartition tp = world.create_topic("orders", {1}, flushed_after(10));
  world.run_for(50ms);
  const Offset flushed_by[] = {0, 0, 12, 12, 12, 24};  // after 4, 8, 12, ... messages
  for (const Offset want : flushed_by) {
    world.ask<ProduceResponse>(1, produce(tp, batch_of(4), 1));
    CHECK(world.image(1).logs.at(tp).flushed_end_offset == want);
  }
}

TEST_CASE("an append that waits for its flush holds up those after it in its log, and no others") {
  World world = test::brokers_up(2);
  world.flush_time = 20ms;
  const TopicPartition slow = world.create_topic("slow", {1}, flushed_after(3));
  const TopicPartition fast = world.create_topic("fast", {1});
  world.run_for(50ms);
  const CorrelationId flushes = world.send(1, produce(slow, batch_of(3), 1));
  const CorrelationId after_it = world.send(1, produce(slow, batch_of(1), 1));
  const CorrelationId beside_it = world.send(1, produce(fast, batch_of(1), 1));
  world.run_for(5ms);
  CHECK(world.answer<ProduceResponse>(beside_it));
  CHECK_FALSE(world.answer<ProduceResponse>(flushes));
  CHECK_FALSE(world.answer<ProduceResponse>(after_it));
  CHECK(world.partition(1, slow).log_end_offset() == 0);
  world.run_for(20ms);
  CHECK(world.answer<ProduceResponse>(flushes)->partitions[0].base_offset == 0);
  CHECK(world.answer<ProduceResponse>(after_it)->partitions[0].base_offset == 3);
  CHECK(world.partition(1, slow).log_end_offset() == 4);
}

TEST_CASE("flush.ms goes by the scheduler, and by the last flush") {
  server::BrokerConfig config;
  config.log_flush_scheduler_interval_ms = 3'000;
  World world = test::brokers_up(2, config);
  TopicConfig topic;
  topic.flush_ms = 10'000;
  const TopicPartition tp = world.create_topic("orders", {1}, topic);
  world.run_for(50ms);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(3), 1));
  world.run_for(29s);
  CHECK(world.image(1).logs.at(tp).flushed_end_offset == 0);
  world.run_for(2s);  // the scheduler's first turn is after 30 s
  CHECK(world.image(1).logs.at(tp).flushed_end_offset == 3);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(3), 1));
  world.run_for(9s);  // 33, 36, 39: not yet ten seconds since the last flush
  CHECK(world.image(1).logs.at(tp).flushed_end_offset == 3);
  world.run_for(3s);
  CHECK(world.image(1).logs.at(tp).flushed_end_offset == 6);
  const int turns = world.timers_fired[{test::process_of(1), replica::timer_of(replica::Task::flush_logs)}];
  world.run_for(60s);  // nothing to do: nothing wakes
  CHECK(world.timers_fired[{test::process_of(1), replica::timer_of(replica::Task::flush_logs)}] == turns);
}

TEST_CASE("a leader's epoch is on disk before its first batch, and goes with the end of the log") {
  World world = test::brokers_up(2);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(50ms);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(3), -1));
  world.elect(tp, 2, {1, 2});
  world.run_for(50ms);
  const std::vector<log::EpochStart> both = {{LeaderEpoch{0}, 0}, {LeaderEpoch{1}, 3}};
  CHECK(world.image(2).logs.at(tp).epochs == both);
  CHECK(world.image(1).logs.at(tp).epochs.size() == 1);
  world.crash(2);
  world.elect(tp, 1, {1});
  world.boot(2);
  world.run_for(1s);
  CHECK(world.image(2).logs.at(tp).epochs.size() == 1);  // LogLoader: no entry at or beyond the end
  CHECK(world.partition(2, tp).log().latest_epoch() == LeaderEpoch{0});
}

TEST_CASE("logs of replicas that left while a broker was down are deleted at its start") {
  World world = test::brokers_up(2);
  const TopicPartition stays = world.create_topic("stays", {1, 2});
  const TopicPartition goes = world.create_topic("goes", {1, 2});
  world.run_for(50ms);
  world.ask<ProduceResponse>(1, produce(stays, batch_of(1), -1));
  world.ask<ProduceResponse>(1, produce(goes, batch_of(1), -1));
  world.crash(1);
  world.commit({RemoveTopicRecord{goes.topic}});
  world.boot(1);
  world.run_for(1s);
  CHECK(world.image(1).logs.contains(stays));
  CHECK_FALSE(world.image(1).logs.contains(goes));
}

}  // namespace
}  // namespace sim
