#include "broker/harness.h"

// Brokers that replicate: produce, fetch, leader changes, ISR.
namespace sim {
namespace {

using test::batch_of;
using test::fetch;
using test::from;
using test::produce;
using test::records_in;
using test::World;

TEST_CASE("acks=all waits for every follower in the ISR, acks=1 only for the leader's own log") {
  World world = test::brokers_up(3, {}, 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2, 3});
  world.run_for(50ms);

  LocalTime sent = world.now();
  const auto one = world.send(1, produce(tp, batch_of(3), 1));
  world.run_for(2ms);
  REQUIRE(world.answer<ProduceResponse>(one));
  CHECK(world.answered_at - sent == 2 * world.latency + world.write_time);
  sent = world.now();
  const auto all = world.send(1, produce(tp, batch_of(2), -1));
  world.run_for(2ms);
  // There, written; a follower's parked fetch leaves; written there; it asks for more: that is the
  // acknowledgement.
  const auto answer = world.answer<ProduceResponse>(all);
  REQUIRE(answer);
  CHECK(world.answered_at - sent == 2 * world.latency + 2 * world.write_time + 2 * world.latency);
  CHECK(answer->partitions[0].error == ErrorCode::none);
  CHECK(answer->partitions[0].base_offset == 3);
  for (int id = 1; id <= 3; ++id) CHECK(world.partition(id, tp).log_end_offset() == 5);

  // With one follower silent it waits, until its own time is up; the data stays.
  world.cut(1, 3);
  ProduceRequest impatient = produce(tp, batch_of(1), -1);
  impatient.timeout_ms = 1'000;
  const auto timed_out = world.send(1, impatient);
  world.run_for(1100ms);
  REQUIRE(world.answer<ProduceResponse>(timed_out));
  CHECK(world.answer<ProduceResponse>(timed_out)->partitions[0].error == ErrorCode::request_timed_out);
  CHECK(world.partition(1, tp).log_end_offset() == 6);
  CHECK(world.partition(1, tp).high_watermark() == 5);
}

TEST_CASE("a consumer's fetch waits for the high watermark, not for the leader's log") {
  World world = test::brokers_up(3, {}, 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(50ms);
  const LocalTime sent = world.now();
  const auto waiting = world.send(1, fetch({from(tp, 0)}));
  world.run_for(100ms);
  CHECK_FALSE(world.answer<FetchResponse>(waiting));

  const LocalTime produced = world.now();
  world.send(1, produce(tp, batch_of(4), 1));
  world.run_for(10ms);
  const auto woken = world.answer<FetchResponse>(waiting);
  REQUIRE(woken);
  CHECK(world.answered_at - produced == 4 * world.latency + 2 * world.write_time);
  CHECK(records_in(woken->partitions[0]) == 4);
  CHECK(woken->partitions[0].high_watermark == 4);

  // Without data it is answered, empty, when fetch.max.wait.ms have passed.
  const LocalTime again = world.now();
  const auto empty = world.send(1, fetch({from(tp, 4)}));
  world.run_for(600ms);
  REQUIRE(world.answer<FetchResponse>(empty));
  CHECK(world.answered_at - again == 500ms + 2 * world.latency);
  CHECK(records_in(world.answer<FetchResponse>(empty)->partitions[0]) == 0);
  CHECK(sent < again);
}

TEST_CASE("fetch.min.bytes gathers what several partitions have") {
  World world;
  world.add_broker(1);
  const TopicPartition first = world.create_topic("a", {1}, {}, 2);
  const TopicPartition second{first.topic, 1};
  world.run_for(10ms);
  FetchRequest request = fetch({from(first, 0), from(second, 0)});
  request.min_bytes = 2 * batch_of(1)->size_bytes;
  const auto waiting = world.send(1, request);
  world.send(1, produce(first, batch_of(1), 1));
  world.run_for(10ms);
  CHECK_FALSE(world.answer<FetchResponse>(waiting));
  world.send(1, produce(second, batch_of(1), 1));
  world.run_for(1ms);
  REQUIRE(world.answer<FetchResponse>(waiting));
  CHECK(world.answer<FetchResponse>(waiting)->partitions.size() == 2);
}

TEST_CASE("a follower whose log leaves the new leader's truncates to where they part") {
  World world = test::brokers_up(3, {}, 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2, 3});
  world.run_for(50ms);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(2), -1));
  world.run_for(600ms);

  // Broker 1 appends what nobody else has, and is replaced.
  world.cut(1, 2);
  world.cut(1, 3);
  world.send(1, produce(tp, batch_of(5), 1));
  world.run_for(1ms);
  REQUIRE(world.partition(1, tp).log_end_offset() == 7);
  world.elect(tp, 2, {2, 3});
  world.run_for(20ms);
  CHECK_FALSE(world.partition(1, tp).is_leader());
  CHECK(world.ask<ProduceResponse>(2, produce(tp, batch_of(1), -1)).partitions[0].base_offset == 2);
  world.heal();
  world.run_for(70s);  // its connection attempt times out before

  CHECK(world.partition(1, tp).log_end_offset() == 3);
  CHECK(world.partition(1, tp).log().epochs() == world.partition(2, tp).log().epochs());
  CHECK(world.image(1).logs.at(tp).end_offset() == 3);
  const auto cuts = world.facts<observe::LogTruncated>(1);
  REQUIRE(cuts.size() == 1);
  CHECK(cuts[0].from == 7);
  CHECK(cuts[0].to == 2);
  // It has everything the leader had exposed, so it is back in the ISR.
  CHECK(world.metadata().partition(tp)->isr == std::vector{NodeId{2}, NodeId{3}, NodeId{1}});
}

TEST_CASE("a producer with old metadata is told who leads") {
  World world = test::brokers_up(3, {}, 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2, 3});
  world.run_for(50ms);
  world.elect(tp, 2, {1, 2, 3});
  world.run_for(50ms);
  const auto answer = world.ask<ProduceResponse>(1, produce(tp, batch_of(1), 1)).partitions[0];
  CHECK(answer.error == ErrorCode::not_leader_or_follower);
  CHECK(answer.current_leader.leader == NodeId{2});
  CHECK(answer.current_leader.leader_epoch == LeaderEpoch{1});
  CHECK(answer.current_leader.endpoint == test::process_of(2));
}

TEST_CASE("acks=all appends that wait hear of it when leadership is lost") {
  World world = test::brokers_up(3, {}, 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2, 3});
  world.run_for(50ms);
  world.cut(1, 3);
  const auto waiting = world.send(1, produce(tp, batch_of(1), -1));
  world.run_for(100ms);
  CHECK_FALSE(world.answer<ProduceResponse>(waiting));
  world.elect(tp, 2, {1, 2, 3});
  world.run_for(10ms);
  REQUIRE(world.answer<ProduceResponse>(waiting));
  CHECK(world.answer<ProduceResponse>(waiting)->partitions[0].error == ErrorCode::not_leader_or_follower);
}

TEST_CASE(
    "a silent follower leaves the ISR at a turn of the check's period, and what waited for it goes on") {
  World world = test::brokers_up(3, {}, 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2, 3});
  world.run_for(1s);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(1), -1));
  world.run_for(19s);  // with nothing to fetch its fetches still say that it is in sync
  world.cut(1, 3);
  ProduceRequest patient = produce(tp, batch_of(1), -1);
  patient.timeout_ms = 120'000;
  const auto waiting = world.send(1, patient);
  world.run_for(60s);
  // In sync until 20 s after the start; checked every 15 s: at 45 s it is only 25 s behind.
  REQUIRE(world.isr_requests.size() == 1);
  CHECK(world.metadata().partition(tp)->isr == std::vector{NodeId{1}, NodeId{2}});
  REQUIRE(world.answer<ProduceResponse>(waiting));
  CHECK(world.answered_at - LocalTime{} > 60s);
  CHECK(world.answered_at - LocalTime{} < 60s + 10ms);
  CHECK(world.answer<ProduceResponse>(waiting)->partitions[0].error == ErrorCode::none);
  const auto changes = world.facts<observe::IsrChanged>(1);
  CHECK(changes.back().isr == std::vector{NodeId{1}, NodeId{2}});
}

TEST_CASE("an idle partition keeps its silent follower, and costs nothing") {
  World world;
  world.add_broker(1);
  world.add_broker(2);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(1s);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(1), -1));
  world.run_for(1s);
  world.crash(2);
  world.run_for(20s);
  const auto fired = [&world] {
    int sum = 0;
    using replica::Task;
    for (const Task task : {Task::expire_requests, Task::shrink_isrs, Task::checkpoint_high_watermarks})
      sum += world.timers_fired[{test::process_of(1), replica::timer_of(task)}];
    return sum;
  };
  const int before = fired();
  CHECK(before > 0);
  world.run_for(300s);
  CHECK(fired() == before);
  CHECK(world.metadata().partition(tp)->isr.size() == 2);
}

TEST_CASE("a restarted broker has its log, knows its producers, and joins the ISR again") {
  World world = test::brokers_up(3, {}, 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(50ms);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(3, ProducerId{7}, 0), -1));
  world.run_for(6s);  // the high watermark's checkpoint
  CHECK(world.image(1).logs.at(tp).high_watermark == 3);
  CHECK(world.image(2).logs.at(tp).high_watermark == 3);
  world.crash(2);
  world.elect(tp, 1, {1});
  world.run_for(1s);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(2, ProducerId{7}, 3), -1));
  world.boot(2);
  world.run_for(3s);
  CHECK(world.partition(2, tp).log_end_offset() == 5);
  CHECK(world.metadata().partition(tp)->isr == std::vector{NodeId{1}, NodeId{2}});
  world.elect(tp, 2, {1, 2});
  world.run_for(50ms);
  CHECK(world.ask<ProduceResponse>(2, produce(tp, batch_of(2, ProducerId{7}, 3), -1))
            .partitions[0]
            .base_offset == 3);
  CHECK(world.partition(2, tp).log_end_offset() == 5);
}

TEST_CASE("a copy of a broker plays on as the original would") {
  World world = test::brokers_up(3, {}, 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2, 3});
  world.run_for(50ms);
  world.send(1, fetch({from(tp, 0)}));
  world.send(1, produce(tp, batch_of(4), -1));
  world.run_for(300us);
  broker::Broker copy = world.broker(1);
  const auto play = [](broker::Broker& broker) {
    node::Effects out;
    Rng rng{3, "copy"};
    node::Input input = node::TimerFired{replica::timer_of(replica::Task::expire_requests)};
    broker.step(node::Part::replica_manager, input, node::Env{LocalTime{100s}, rng}, out);
    return out.size();
  };
  const std::size_t effects = play(copy);
  CHECK(effects > 0);
  CHECK(play(world.broker(1)) == effects);
}

// Partition.appendRecordsToLeader looks at the high watermark after every append, duplicates included.
TEST_CASE("a retry frees a partition that only time could free") {
  World world;
  world.grant_isr_changes = false;
  world.add_broker(1);
  world.add_puppet(2);
  world.add_puppet(3);
  world.run_for(5ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2, 3});
  world.run_for(5ms);
  const auto fetch_as = [&](int replica, Offset offset) {
    FetchRequest request = test::fetch({test::from(tp, offset)}, 0);
    request.replica = NodeId{replica};
    request.replica_epoch = BrokerEpoch{100 + replica};
    world.ask<FetchResponse>(1, request);
  };
  fetch_as(2, 0);
  fetch_as(3, 0);
  PartitionChangeRecord without_third;
  without_third.tp = tp;
  without_third.has_isr = true;
  without_third.isr = {NodeId{1}, NodeId{2}};
  world.commit({without_third});
  world.run_for(5ms);
  const BatchDataPtr batch = batch_of(1, ProducerId{7}, 0);
  world.ask<ProduceResponse>(1, produce(tp, batch, 1));
  fetch_as(2, 1);
  CHECK(world.partition(1, tp).high_watermark() == 0);  // 3 was caught up a moment ago
  world.run_for(31s);
  CHECK(world.partition(1, tp).high_watermark() == 0);  // nobody looks
  const LocalTime before = world.now();
  const auto retried = world.ask<ProduceResponse>(1, produce(tp, batch));
  CHECK(retried.partitions[0].error == ErrorCode::none);
  CHECK(retried.partitions[0].base_offset == 0);
  CHECK(world.now() - before < 10ms);
  CHECK(world.partition(1, tp).high_watermark() == 1);
}

}  // namespace
}  // namespace sim
