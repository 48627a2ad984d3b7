// What goes into a batch and when it leaves: batch.size to the byte, linger.ms, requests per server.
#include <doctest/doctest.h>

#include "producer_world.h"
#include "protocol/murmur2.h"

namespace sim::client {
namespace {

using test::orders;
using test::ProducerWorld;

TEST_CASE("sixteen records of 1000 bytes fill a batch of 16 384") {
  ProducerWorld world;
  world.warm_up();
  for (std::int64_t i = 0; i < 17; ++i) world.append(i, {}, 1000);
  world.poll();
  REQUIRE(world.batches().size() == 1);  // the full one; the other lingers
  CHECK(world.batches()[0]->record_count() == 16);
  CHECK(world.batches()[0]->size_bytes <= 16'384);
  CHECK(world.batches()[0]->size_bytes > 16'384 - 1000);
  world.run_for(5ms);
  REQUIRE(world.batches().size() == 2);
  CHECK(world.numbers(world.batches()[1]) == std::vector<std::int64_t>{16});
}

TEST_CASE("a batch leaves linger.ms after its first record, not after its last") {
  ProducerWorld world;
  world.warm_up();
  const LocalTime first = world.host.now;
  world.send(1);
  world.run_for(3ms);
  world.send(2);
  world.run_for(2ms - 1ns);
  CHECK(world.produced.empty());
  world.run_for(1ns);
  REQUIRE(world.produced.size() == 1);
  CHECK(world.produced[0].at == first + 5ms);
  CHECK(world.numbers(world.batches()[0]) == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("linger.ms=0 sends at once, what came in one step together") {
  ProducerWorld world(test::config([](ProducerConfig& c) { c.linger_ms = 0; }));
  world.warm_up();
  world.append(1);
  world.append(2);
  world.poll();
  REQUIRE(world.batches().size() == 1);
  CHECK(world.numbers(world.batches()[0]) == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("a record larger than batch.size gets a batch of its own") {
  ProducerWorld world;
  world.warm_up();
  world.send(1, {}, 100);
  world.send(2, {}, 50'000);
  REQUIRE(world.batches().size() == 1);
  CHECK(world.numbers(world.batches()[0]) == std::vector<std::int64_t>{1});
  world.run_for(5ms);
  REQUIRE(world.batches().size() == 2);
  CHECK(world.batches()[1]->size_bytes > 50'000);
}

TEST_CASE("batch.size=0 means a record a batch") {
  ProducerWorld world(test::config([](ProducerConfig& c) { c.batch_size = 0; }));
  world.warm_up();
  for (std::int64_t i = 0; i < 3; ++i) world.append(i);
  world.poll();
  world.run_for(5ms);
  for (const BatchDataPtr& batch : world.batches()) CHECK(batch->record_count() == 1);
  CHECK(world.batches().size() == 3);
}

TEST_CASE("records too large for a request are refused, others are not disturbed") {
  ProducerWorld world;
  world.warm_up();
  CHECK(world.send(1, {}, 1'048'576) == Producer::SendResult::failed);
  CHECK(world.send(2, {}, 100) == Producer::SendResult::accepted);
  const auto failed = world.all<observe::RecordFailed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].record == RecordId{1});
  CHECK(failed[0].error == ErrorCode::message_too_large);
}

TEST_CASE("a compressed topic's batches hold more records") {
  ProducerWorld world;
  world.metadata.topics[0].compression_percent = 25;
  world.warm_up();
  for (std::int64_t i = 0; i < 70; ++i) world.append(i, {}, 1000);
  world.poll();
  REQUIRE_FALSE(world.batches().empty());
  CHECK(world.batches()[0]->record_count() ==
        58);  // each takes 1010 * 0.25 * 1.05 bytes, but must fit uncompressed
  CHECK(world.batches()[0]->size_bytes < 16'384);
}

TEST_CASE("one request carries one batch of each partition of its server") {
  ProducerWorld world(ProducerConfig{}, 6, 3);
  world.warm_up();
  for (std::int64_t i = 0; i < 64; ++i) world.append(i, test::key(i), 100);
  world.poll();
  world.run_for(5ms);
  REQUIRE(world.produced.size() == 3);
  for (const test::Produced& request : world.produced) {
    CHECK(request.request.partitions.size() == 2);
    for (const ProduceRequest::Partition& partition : request.request.partitions) {
      CHECK(test::broker_process(partition.tp.partition % 3 + 1) == request.server);
    }
  }
}

TEST_CASE("a request stays within max.request.size, and the next drain begins where it stopped") {
  ProducerWorld world(test::config([](ProducerConfig& c) { c.max_request_size = 20'000; }), 3, 1);
  world.warm_up();
  std::vector<std::string> key_of(3);
  for (int i = 0; i < 50; ++i)
    key_of[static_cast<std::size_t>(partition_for_key(test::key(i), 3))] = test::key(i);
  for (std::int64_t i = 0; i < 3; ++i) world.append(i, key_of[static_cast<std::size_t>(i)], 15'000);
  world.poll();
  world.run_for(5ms);
  REQUIRE(world.produced.size() == 3);
  std::set<std::int32_t> partitions;
  for (const test::Produced& request : world.produced) {
    CHECK(request.request.partitions.size() == 1);
    partitions.insert(request.request.partitions[0].tp.partition);
  }
  CHECK(partitions.size() == 3);
}

TEST_CASE("five requests are in flight at most; more batches wait for an answer") {
  ProducerWorld world;
  world.warm_up();
  for (std::int64_t i = 0; i < 16 * 8; ++i) world.send(i, {}, 1000);
  CHECK(world.produced.size() == 5);
  world.answer();
  CHECK(world.produced.size() == 5);
  std::vector<std::int32_t> sequences;
  for (const BatchDataPtr& batch : world.batches()) sequences.push_back(batch->base_sequence);
  CHECK(sequences == std::vector<std::int32_t>{17, 33, 49, 65, 81});  // 0 was the warm-up
}

TEST_CASE("every stage is told once") {
  ProducerWorld world;
  world.warm_up();
  world.send(1);
  CHECK(world.all<observe::RecordAccepted>().size() == 1);
  CHECK(world.all<observe::RecordAccepted>()[0].tp == orders(0));
  world.run_for(5ms);
  REQUIRE(world.all<observe::BatchDrained>().size() == 1);
  CHECK(world.all<observe::BatchDrained>()[0].attempt == 0);
  CHECK(world.all<observe::BatchAcknowledged>().empty());
  world.answer();
  const auto acknowledged = world.all<observe::BatchAcknowledged>();
  REQUIRE(acknowledged.size() == 1);
  CHECK(acknowledged[0].batch == world.all<observe::BatchDrained>()[0].batch);
  CHECK(acknowledged[0].error == ErrorCode::none);
  CHECK(acknowledged[0].base_offset == 1);
  CHECK_FALSE(acknowledged[0].will_retry);
  REQUIRE(world.events.size() == 1);
  CHECK(std::get<Producer::BatchCompleted>(world.events[0]).batch == acknowledged[0].batch);
}

TEST_CASE("acks=0 is done when sent") {
  ProducerWorld world(test::config([](ProducerConfig& c) {
    c.acks = 0;
    c.enable_idempotence = false;
  }));
  world.warm_up();
  for (std::int64_t i = 0; i < 16 * 8; ++i) world.send(i, {}, 1000);
  CHECK(world.produced.size() == 7);
  CHECK(world.all<observe::BatchAcknowledged>().size() == 7);
  CHECK(world.all<observe::BatchAcknowledged>()[0].base_offset == kNoOffset);
}

TEST_CASE("idle costs nothing but the metadata refresh") {
  ProducerWorld world;
  world.warm_up();
  world.run_for(3min);
  const std::int64_t before = world.host.timers_fired;
  const std::int32_t metadata_requests = world.metadata_requests;
  world.run_for(50min);
  CHECK(world.metadata_requests - metadata_requests == 10);
  CHECK(world.host.timers_fired - before <=
        20);  // the refresh, and a request timeout that has nothing to time out
}

TEST_CASE("a full pipe costs no timer per record") {
  ProducerWorld world;
  world.warm_up();
  world.acknowledge_at_once = true;
  const std::int64_t before = world.host.timers_set;
  for (std::int64_t i = 0; i < 16'000; ++i) {
    world.send(i, {}, 1000);
    world.run_for(1us);
  }
  CHECK(world.host.timers_set - before < 20);
}

}  // namespace
}  // namespace sim::client
