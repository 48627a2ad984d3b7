// send(): where a record goes, and what it waits for.
#include <doctest/doctest.h>

#include <algorithm>

#include "client/partitioner.h"
#include "producer_world.h"
#include "protocol/murmur2.h"

namespace sim::client {
namespace {

using test::ProducerWorld;
using SendResult = Producer::SendResult;

std::vector<std::int32_t> partitions_of(const ProducerWorld& world) {
  std::vector<std::int32_t> partitions;
  for (const auto& fact : world.all<observe::RecordAccepted>()) partitions.push_back(fact.tp.partition);
  return partitions;
}

// ---- Partitions

TEST_CASE("a key decides the partition, leader or not") {
  ProducerWorld world(ProducerConfig{}, 6, 3);
  world.metadata.topics[0].partitions[2].leader = kNoNode;
  world.warm_up();
  world.send(0, "user-1");
  world.send(1, "user-2");
  world.send(2, "kafka");
  world.send(3, "");
  CHECK(partitions_of(world) == std::vector<std::int32_t>{2, 2, 4, 3});
}

TEST_CASE("partitioner.ignore.keys treats keyed records like others") {
  ProducerWorld world(test::config([](ProducerConfig& c) { c.partitioner_ignore_keys = true; }), 6, 3);
  world.warm_up();
  for (std::int64_t i = 0; i < 10; ++i) world.send(i, test::key(i));
  const auto partitions = partitions_of(world);
  CHECK(std::count(partitions.begin(), partitions.end(), partitions[0]) == 10);
}

TEST_CASE("records without key keep to one partition until a batch is full, then change") {
  ProducerWorld world(ProducerConfig{}, 6, 3);
  world.warm_up();
  world.acknowledge_at_once = true;
  std::int32_t changes = 0;
  for (std::int64_t i = 0; i < 16 * 200; ++i) {
    world.send(i, {}, 1000);
    if (i > 0 && i % 100 == 0) world.run_for(1us);
  }
  const auto partitions = partitions_of(world);
  std::map<std::int32_t, std::int32_t> records;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    ++records[partitions[i]];
    if (i > 0 && partitions[i] != partitions[i - 1]) ++changes;
  }
  // Sixteen records, the batch being complete, are not yet batch.size bytes: a turn is two batches.
  CHECK(changes > 65);  // 5 of 6 of 100 draws
  CHECK(changes <= 100);
  CHECK(records.size() == 6);
  for (const auto& [partition, count] : records) CHECK(count > 32 * 5);
}

TEST_CASE("the sticky partitioner") {
  Rng rng{1, "partitioner"};
  const std::vector<std::int32_t> all{0, 1, 2};
  const StickyPartitioner::Choices choices{3, all};
  SUBCASE("changes at batch.size if the batch is complete") {
    StickyPartitioner partitioner(100);
    partitioner.current(choices, rng);
    CHECK_FALSE(partitioner.appended(99, true, choices, rng));
    CHECK_FALSE(partitioner.appended(1, false, choices, rng));
    CHECK(partitioner.appended(0, true, choices, rng));
  }
  SUBCASE("changes at twice batch.size in any case") {
    StickyPartitioner partitioner(100);
    partitioner.current(choices, rng);
    CHECK_FALSE(partitioner.appended(199, false, choices, rng));
    CHECK(partitioner.appended(1, false, choices, rng));
  }
  SUBCASE("draws among partitions with a leader, among all if there is none") {
    const std::vector<std::int32_t> one{1};
    const std::vector<std::int32_t> none;
    for (int i = 0; i < 20; ++i) CHECK(StickyPartitioner(1).current({3, one}, rng) == 1);
    std::set<std::int32_t> seen;
    for (int i = 0; i < 50; ++i) seen.insert(StickyPartitioner(1).current({3, none}, rng));
    CHECK(seen.size() == 3);
  }
  SUBCASE("prefers short queues as their lengths differ") {
    StickyPartitioner partitioner(1);
    partitioner.update_load({{0, 0}, {1, 3}, {2, 1}}, 3);  // weights 4, 1, 3
    std::map<std::int32_t, std::int32_t> drawn;
    for (int i = 0; i < 8000; ++i) {
      partitioner.appended(2, true, choices, rng);
      ++drawn[partitioner.current(choices, rng)];
    }
    CHECK(std::abs(drawn[0] - 4000) < 200);
    CHECK(std::abs(drawn[1] - 1000) < 200);
    CHECK(std::abs(drawn[2] - 3000) < 200);
  }
  SUBCASE("never draws a partition that is left out") {
    StickyPartitioner partitioner(1);
    partitioner.update_load({{0, 2}, {2, 2}}, 3);
    for (int i = 0; i < 100; ++i) {
      partitioner.appended(2, true, choices, rng);
      CHECK(partitioner.current(choices, rng) != 1);
    }
  }
}

TEST_CASE("adaptive partitioning sends less to a server that is slow") {
  const auto share_of_slow = [](bool adaptive) {
    ProducerWorld world(test::config([adaptive](ProducerConfig& c) {
                          c.partitioner_adaptive_partitioning_enable = adaptive;
                          c.linger_ms = 0;
                          c.buffer_memory = std::int64_t{1} << 40;
                        }),
                        3, 3);
    world.warm_up();
    for (std::int64_t i = 0; i < 16 * 900; ++i) {
      world.send(i, {}, 1000);
      // Two servers answer at once, the third one never.
      std::deque<test::Produced> slow;
      while (!world.produced.empty()) {
        if (world.produced.front().server == test::broker_process(3)) {
          slow.push_back(std::move(world.produced.front()));
          world.produced.pop_front();
        } else {
          world.answer();
        }
      }
      world.produced = std::move(slow);
    }
    const auto partitions = partitions_of(world);
    return std::count(partitions.begin(), partitions.end(), 2) * 100 / std::ssize(partitions);
  };
  CHECK(share_of_slow(false) > 25);
  CHECK(share_of_slow(true) < 10);
}

TEST_CASE("partitioner.availability.timeout.ms leaves out a server that takes nothing") {
  const auto sent_to_stuck_server = [](std::int64_t timeout_ms) {
    ProducerWorld world(test::config([timeout_ms](ProducerConfig& c) {
                          c.partitioner_availability_timeout_ms = timeout_ms;
                          c.linger_ms = 0;
                          c.max_in_flight_requests_per_connection = 2;
                        }),
                        3, 3);
    world.warm_up();
    for (std::int64_t i = 0; i < 400; ++i) {
      world.send(i, {}, 20'000);
      std::deque<test::Produced> stuck;
      while (!world.produced.empty()) {
        if (world.produced.front().server == test::broker_process(3)) {
          stuck.push_back(std::move(world.produced.front()));
          world.produced.pop_front();
        } else {
          world.answer();
        }
      }
      world.produced = std::move(stuck);
      world.run_for(10ms);
    }
    const auto partitions = partitions_of(world);
    return std::count(partitions.end() - 200, partitions.end(), 2);
  };
  CHECK(sent_to_stuck_server(0) > 0);
  CHECK(sent_to_stuck_server(50) == 0);
}

// ---- Waiting for metadata

TEST_CASE("the first send waits for the topic") {
  ProducerWorld world;
  CHECK(world.send(1) == SendResult::blocked_on_metadata);
  CHECK_FALSE(world.producer.blocked());  // brokers answer at once here
  REQUIRE(world.events.size() == 1);
  CHECK(std::get<Producer::SendReturned>(world.events[0]).record == RecordId{1});
  CHECK(std::get<Producer::SendReturned>(world.events[0]).error == ErrorCode::none);
  CHECK(world.send(2) == SendResult::accepted);
  world.run_for(5ms);
  REQUIRE(world.batches().size() == 1);
  CHECK(world.batches()[0]->record_count() == 2);
}

TEST_CASE("a topic that does not come fails the send after max.block.ms") {
  ProducerWorld world;
  world.metadata.topics[0] = {ErrorCode::unknown_topic_or_partition, "orders", kNoTopic, false, 100, {}};
  CHECK(world.send(1) == SendResult::blocked_on_metadata);
  world.run_for(60s - 1ns);
  CHECK(world.producer.blocked());
  CHECK(world.metadata_requests > 50);  // asked again about each second
  CHECK(world.metadata_requests < 80);
  world.run_for(1ns);
  CHECK_FALSE(world.producer.blocked());
  CHECK(std::get<Producer::SendReturned>(world.events.back()).error == ErrorCode::request_timed_out);
  CHECK(world.all<observe::RecordFailed>().size() == 1);
}

TEST_CASE("a topic that is created meanwhile lets the send go on") {
  ProducerWorld world;
  const MetadataResponse::Topic orders = world.metadata.topics[0];
  world.metadata.topics[0] = {ErrorCode::leader_not_available, "orders", kNoTopic, false, 100, {}};
  world.send(1);
  world.run_for(3s);
  CHECK(world.producer.blocked());
  world.metadata.topics[0] = orders;
  world.run_for(1200ms);
  CHECK_FALSE(world.producer.blocked());
  REQUIRE(world.batches().size() == 1);
  CHECK(world.batches()[0]->base_timestamp_ms > 3'000);  // of the end of the wait, not of its beginning
}

TEST_CASE("an invalid topic fails the send at once") {
  ProducerWorld world;
  world.metadata.topics[0] = {ErrorCode::invalid_topic_exception, "orders", kNoTopic, false, 100, {}};
  world.send(1);
  CHECK_FALSE(world.producer.blocked());
  CHECK(world.all<observe::RecordFailed>().at(0).error == ErrorCode::invalid_topic_exception);
}

TEST_CASE("nobody sends while a send is blocked") {
  ProducerWorld world;
  world.answer_metadata = false;
  world.send(1);
  REQUIRE(world.producer.blocked());
  CHECK_THROWS_AS(world.send(2), InternalError);
}

// ---- Waiting for memory

ProducerConfig small_buffer() {
  return test::config([](ProducerConfig& c) { c.buffer_memory = 3 * 16'384; });
}

TEST_CASE("buffer.memory is reserved by batches of batch.size, and given back when their fate is known") {
  ProducerWorld world(small_buffer());
  world.warm_up();
  for (std::int64_t i = 0; i < 48; ++i) CHECK(world.send(i, {}, 1000) == SendResult::accepted);
  CHECK(world.producer.available_memory() == 0);
  CHECK(world.send(48, {}, 1000) == SendResult::blocked_on_memory);
  world.answer();
  CHECK_FALSE(world.producer.blocked());
  CHECK(std::get<Producer::SendReturned>(world.events.back()).error == ErrorCode::none);
  world.run_for(5ms);
  world.answer_all();
  CHECK(world.producer.available_memory() == 3 * 16'384);
}

TEST_CASE("a blocked send makes everything sendable, linger or not") {
  ProducerWorld world(test::config([](ProducerConfig& c) {
                        c.buffer_memory = 16'384;
                        c.linger_ms = 10'000;
                      }),
                      2, 1);
  world.warm_up();
  world.run_for(10s);
  world.answer_all();
  world.send(1, "user-1", 100);
  CHECK(world.send(2, "key-1", 100) == SendResult::accepted);  // the same partition
  CHECK(world.produced.empty());
  CHECK(world.send(3, "key-0", 100) == SendResult::blocked_on_memory);
  CHECK(world.produced.size() == 1);
}

TEST_CASE("buffer exhaustion lasts max.block.ms at most") {
  ProducerWorld world(small_buffer());
  world.warm_up();
  for (std::int64_t i = 0; i < 48; ++i) world.send(i, {}, 1000);
  world.send(48, {}, 1000);
  world.silent.insert(test::broker_process(1));
  world.run_for(60s - 1ns);
  CHECK(world.producer.blocked());
  world.run_for(1ns);
  CHECK_FALSE(world.producer.blocked());
  const auto failed = world.all<observe::RecordFailed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].record == RecordId{48});
  CHECK(failed[0].error == ErrorCode::request_timed_out);
}

}  // namespace
}  // namespace sim::client
