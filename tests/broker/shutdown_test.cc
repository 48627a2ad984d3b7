#include "harness.h"

// A broker's start and end as others see them: when it serves, what it leaves on disk.
namespace sim {
namespace {

using namespace std::chrono_literals;
using test::batch_of;
using test::fetch;
using test::from;
using test::produce;
using test::World;

TEST_CASE("a restarted broker closes the connections of those who ask, until it is unfenced") {
  World world = test::brokers_up(2);
  world.crash(1);
  world.unfences = false;
  world.boot(1);
  world.run_for(3s);
  CHECK(world.broker(1).state() == broker::BrokerState::recovery);
  const CorrelationId early = world.send(1, MetadataRequest{});
  world.run_for(100ms);
  CHECK_FALSE(world.answer<MetadataResponse>(early));
  CHECK(world.closed_by_server.size() == 1);

  world.unfences = true;
  world.run_for(3s);
  CHECK(world.broker(1).state() == broker::BrokerState::running);
  CHECK(world.ask<MetadataResponse>(1, MetadataRequest{}).brokers.size() == 2);
}

TEST_CASE("a broker follows before it is unfenced") {
  World world = test::brokers_up(2);
  const TopicPartition tp = world.create_topic("orders", {2, 1});
  world.run_for(50ms);
  world.crash(1);
  world.elect(tp, 2, {2});
  world.run_for(50ms);
  world.ask<ProduceResponse>(2, produce(tp, batch_of(3), -1));
  world.unfences = false;
  world.boot(1);
  world.run_for(1s);
  CHECK(world.broker(1).state() == broker::BrokerState::recovery);
  CHECK(world.partition(1, tp).log_end_offset() == 3);
}

TEST_CASE(
    "a controlled shutdown waits for the controller, then leaves a clean log and says so at the next start") {
  World world = test::brokers_up(2);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(50ms);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(3), -1));
  world.run_for(100ms);
  world.lets_go = false;
  world.heartbeats.clear();
  world.stop(1);
  world.run_for(100ms);
  REQUIRE_FALSE(world.heartbeats.empty());
  CHECK(world.heartbeats.front().want_shut_down);
  REQUIRE(world.is_up(1));
  CHECK(world.ask<ProduceResponse>(1, produce(tp, batch_of(1), -1)).partitions[0].error == ErrorCode::none);
  CHECK_FALSE(world.was_flushed(tp));

  world.lets_go = true;
  world.run_for(3s);
  CHECK_FALSE(world.is_up(1));
  CHECK(world.was_flushed(tp));
  CHECK(world.image(1).logs.at(tp).high_watermark == 4);  // sooner than by its turn
  CHECK(world.image(1).logs.at(kClusterMetadata).clean_shutdown == BrokerEpoch{101});

  world.registrations.clear();
  world.boot(1);
  world.run_for(1s);
  REQUIRE(world.registrations.size() == 1);
  CHECK(world.registrations.front().previous_broker_epoch == BrokerEpoch{101});
  CHECK(world.partition(1, tp).high_watermark() == 4);
  CHECK(world.image(1).logs.at(kClusterMetadata).clean_shutdown == kNoBrokerEpoch);

  world.registrations.clear();
  world.crash(1);
  world.boot(1);
  world.run_for(1s);
  CHECK(world.registrations.front().previous_broker_epoch == kNoBrokerEpoch);
}

TEST_CASE("a controller that never lets it go is waited for five minutes") {
  World world = test::brokers_up(2);
  world.lets_go = false;
  world.stop(1);
  world.run_for(299s);
  CHECK(world.is_up(1));
  world.run_for(2s);
  CHECK_FALSE(world.is_up(1));
}

TEST_CASE("without controlled.shutdown.enable a broker just goes") {
  World world;
  server::BrokerConfig config;
  config.controlled_shutdown_enable = false;
  world.add_broker(1, config);
  world.run_for(100ms);
  world.lets_go = false;
  world.stop(1);
  world.run_for(1ms);
  CHECK_FALSE(world.is_up(1));
}

TEST_CASE("while it shuts down, a broker follows no partition that has let it out of its ISR") {
  World world = test::brokers_up(2);
  const TopicPartition stays = world.create_topic("stays", {2, 1});
  const TopicPartition leaves = world.create_topic("leaves", {2, 1});
  world.run_for(50ms);
  world.lets_go = false;
  world.stop(1);
  world.run_for(50ms);
  world.elect(stays, 2, {2, 1});
  world.elect(leaves, 2, {2});
  world.run_for(100ms);
  world.ask<ProduceResponse>(2, produce(stays, batch_of(1), 1));
  world.ask<ProduceResponse>(2, produce(leaves, batch_of(1), 1));
  world.run_for(2s);
  CHECK(world.partition(1, stays).log_end_offset() == 1);
  CHECK(world.partition(1, leaves).log_end_offset() == 0);
}

TEST_CASE("a broker that cannot register ends without having touched its logs") {
  World world = test::brokers_up(2);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(50ms);
  world.crash(1);
  world.cut(1, 0);
  world.boot(1);
  world.run_for(61s);
  CHECK_FALSE(world.is_up(1));
  CHECK_FALSE(world.was_flushed(tp));
}

TEST_CASE("a snapshot takes the place of everything that was known") {
  World world = test::brokers_up(2);
  const TopicPartition gone = world.create_topic("gone", {1, 2});
  const TopicPartition kept = world.create_topic("kept", {1, 2});
  world.run_for(50ms);
  REQUIRE(world.partition(1, kept).is_leader());
  MetadataSnapshot snapshot;
  snapshot.id = SnapshotId{200, LeaderEpoch{1}};
  for (const int id : {1, 2}) {
    snapshot.records.push_back(
        RegisterBrokerRecord{NodeId{id}, 0, BrokerEpoch{100 + id}, test::process_of(id), "", false, false});
  }
  PartitionRecord record;
  record.tp = kept;
  record.replicas = record.isr = {NodeId{2}, NodeId{1}};
  record.leader = NodeId{2};
  record.leader_epoch = LeaderEpoch{1};
  record.partition_epoch = PartitionEpoch{1};
  snapshot.records.push_back(TopicRecord{"kept", kept.topic});
  snapshot.records.push_back(record);
  Rng rng{1, "snapshot"};
  node::Effects out;
  world.broker(1).load(snapshot, node::Env{world.now(), rng}, out);
  CHECK(world.broker(1).image().end_offset() == 200);
  CHECK(world.broker(1).replicas().partition(gone) == nullptr);
  CHECK_FALSE(world.partition(1, kept).is_leader());
  CHECK(world.partition(1, kept).leader() == NodeId{2});
}

}  // namespace
}  // namespace sim
