// What becomes of a batch when the answer is an error, or none: retries in order, gaps in sequences, expiry.
#include <doctest/doctest.h>

#include "producer_world.h"

namespace sim::client {
namespace {

using test::orders;
using test::ProducerWorld;

// Sends `count` batches of one record each, numbered from `from`, all at once.
void send_batches(ProducerWorld& world, std::int64_t from, std::int64_t count) {
  for (std::int64_t i = from; i < from + count; ++i) {
    world.append(i);
    world.poll();
    world.run_for(5ms);
  }
}

std::vector<std::int64_t> lying_at_the_broker(const ProducerWorld& world) {
  std::vector<std::int64_t> numbers;
  for (const BatchDataPtr& batch : world.batches()) numbers.push_back(world.numbers(batch).at(0));
  return numbers;
}

TEST_CASE("an error of each kind has its meaning") {
  struct Row {
    ErrorCode error;
    bool retried;
    bool refreshes_metadata;
  };
  const Row rows[] = {
      {ErrorCode::not_leader_or_follower, true, true},
      {ErrorCode::unknown_topic_or_partition, true, true},
      {ErrorCode::leader_not_available, true, true},
      {ErrorCode::fenced_leader_epoch, true, true},
      {ErrorCode::kafka_storage_error, true, true},
      {ErrorCode::network_exception, true, true},
      {ErrorCode::request_timed_out, true, false},
      {ErrorCode::not_enough_replicas, true, false},
      {ErrorCode::not_enough_replicas_after_append, true, false},
      {ErrorCode::invalid_record, false, false},
      {ErrorCode::invalid_timestamp, false, false},
      {ErrorCode::message_too_large, false, false},  // of a single record
      {ErrorCode::unknown_server_error, false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(name(row.error));
    ProducerWorld world;
    world.warm_up();
    world.send(1);
    world.run_for(5ms);
    const std::int32_t metadata_requests = world.metadata_requests;
    world.answer(row.error);
    const auto acknowledged = world.all<observe::BatchAcknowledged>();
    REQUIRE(acknowledged.size() == 1);
    CHECK(acknowledged[0].error == row.error);
    CHECK(acknowledged[0].will_retry == row.retried);
    CHECK(world.all<observe::RecordFailed>().size() == (row.retried ? 0 : 1));
    world.run_for(1s);
    CHECK(world.produced.size() == (row.retried ? 1 : 0));
    CHECK((world.metadata_requests > metadata_requests) == row.refreshes_metadata);
  }
}

TEST_CASE("a retry waits, longer each time, and keeps its batch") {
  ProducerWorld world;
  world.warm_up();
  world.send(1);
  world.run_for(5ms);
  const BatchDataPtr batch = world.batches()[0];
  const std::int64_t want_ms[] = {100, 200, 400, 800, 1000, 1000};
  std::int32_t attempt = 0;
  for (const std::int64_t want : want_ms) {
    world.answer(ErrorCode::not_enough_replicas);
    const LocalTime failed_at = world.host.now;
    while (world.produced.empty()) world.run_for(1ms);
    const std::int64_t waited = millis(world.host.now - failed_at);
    CHECK(waited >= want * 8 / 10);
    CHECK(waited <= std::min<std::int64_t>(want * 12 / 10, 1000) + 1);
    CHECK(world.batches()[0] == batch);
    CHECK(world.all<observe::BatchDrained>().back().attempt == ++attempt);
  }
}

TEST_CASE("retries=0 fails at once") {
  ProducerWorld world(test::config([](ProducerConfig& c) {
    c.retries = 0;
    c.enable_idempotence = false;
  }));
  world.warm_up();
  world.send(1);
  world.run_for(5ms);
  world.answer(ErrorCode::not_enough_replicas);
  CHECK(world.all<observe::RecordFailed>().size() == 1);
}

TEST_CASE("an idempotent producer retries in order, and alone") {
  ProducerWorld world;
  world.warm_up();
  send_batches(world, 1, 5);
  REQUIRE(world.produced.size() == 5);
  world.answer(ErrorCode::not_enough_replicas);  // 1
  for (int i = 0; i < 4; ++i) world.answer(ErrorCode::out_of_order_sequence_number);
  CHECK(world.produced.empty());
  world.run_for(1s);
  CHECK(lying_at_the_broker(world) == std::vector<std::int64_t>{1});  // those behind wait until it is known
  world.answer();
  world.run_for(1s);
  while (!world.produced.empty()) {
    world.answer();
    world.run_for(1s);
  }
  std::vector<std::int64_t> order;
  for (const auto& fact : world.all<observe::BatchAcknowledged>()) {
    if (fact.error == ErrorCode::none) order.push_back(world.numbers(fact.batch)[0]);
  }
  CHECK(order == std::vector<std::int64_t>{1, 2, 3, 4, 5});
  CHECK(world.all<observe::RecordFailed>().empty());
}

TEST_CASE("without idempotence, retries may overtake") {
  ProducerWorld world(test::config([](ProducerConfig& c) { c.enable_idempotence = false; }));
  world.warm_up();
  send_batches(world, 1, 2);
  CHECK(world.batches()[0]->producer_id == kNoProducerId);
  CHECK(world.batches()[0]->base_sequence == -1);
  world.answer(ErrorCode::not_enough_replicas);
  world.answer();
  world.run_for(200ms);
  CHECK(lying_at_the_broker(world) == std::vector<std::int64_t>{1});
}

TEST_CASE("max.in.flight.requests.per.connection=1 keeps order without idempotence") {
  ProducerWorld world(test::config([](ProducerConfig& c) {
    c.enable_idempotence = false;
    c.max_in_flight_requests_per_connection = 1;
  }));
  world.warm_up();
  send_batches(world, 1, 3);
  CHECK(lying_at_the_broker(world) == std::vector<std::int64_t>{1});
  world.answer(ErrorCode::not_enough_replicas);
  CHECK(world.produced.empty());
  world.run_for(1s);
  CHECK(lying_at_the_broker(world) == std::vector<std::int64_t>{1});
  world.answer();
  CHECK(lying_at_the_broker(world) == std::vector<std::int64_t>{2});
}

TEST_CASE("a lost connection and a silent server are retried") {
  ProducerWorld world;
  world.warm_up();
  world.send(1);
  world.run_for(5ms);
  world.produced.clear();
  world.disconnect(1);
  CHECK(world.all<observe::BatchAcknowledged>().back().error == ErrorCode::network_exception);
  world.run_for(1s);
  REQUIRE(world.produced.size() == 1);  // on a new connection
  world.produced.clear();               // never to be answered
  world.run_for(29s);
  CHECK(world.all<observe::BatchAcknowledged>().size() == 1);
  world.run_for(2s);
  CHECK(world.all<observe::BatchAcknowledged>().back().error == ErrorCode::request_timed_out);
  CHECK(world.all<observe::BatchAcknowledged>().back().will_retry);
  CHECK(world.produced.size() == 1);
}

TEST_CASE("a leader hint sends the retry there at once") {
  ProducerWorld world(ProducerConfig{}, 1, 2);
  world.warm_up();
  world.send(1);
  world.run_for(5ms);
  REQUIRE(world.produced.at(0).server == test::broker_process(1));
  world.answer_metadata = false;
  world.answer(ErrorCode::not_leader_or_follower,
               LeaderHint{NodeId{2}, LeaderEpoch{1}, test::broker_process(2)});
  REQUIRE(world.produced.size() == 1);  // no back-off: the leader is another one
  CHECK(world.produced[0].server == test::broker_process(2));
}

TEST_CASE("a batch without a leader waits until there is one") {
  ProducerWorld world;
  world.warm_up();
  world.metadata.topics[0].partitions[0].leader = kNoNode;
  world.metadata.topics[0].partitions[0].leader_epoch = LeaderEpoch{1};
  world.metadata.topics[0].partitions[0].error = ErrorCode::leader_not_available;
  world.send(1);
  world.run_for(5ms);
  world.answer(ErrorCode::not_leader_or_follower);
  world.run_for(10s);
  CHECK(world.produced.empty());
  world.metadata.topics[0].partitions[0] = {ErrorCode::none, 0, NodeId{1}, LeaderEpoch{2}, {}, {}};
  world.run_for(2s);
  CHECK(world.produced.size() == 1);
}

TEST_CASE("delivery.timeout.ms fails what waits, from the record's batch on") {
  ProducerWorld world(ProducerConfig{}, 1, 2);
  world.warm_up();
  world.host.refusing.insert(test::broker_process(1));
  world.disconnect(1);
  const LocalTime sent_at = world.host.now;
  world.send(1);
  world.run_for(120s - 1ms);
  CHECK(world.all<observe::RecordFailed>().empty());
  world.run_for(1ms);
  REQUIRE(world.all<observe::RecordFailed>().size() == 1);
  CHECK(world.all<observe::RecordFailed>()[0].error == ErrorCode::request_timed_out);
  CHECK(world.host.now == sent_at + 120s);
  CHECK(world.all<observe::BatchAcknowledged>().empty());  // it never was sent
}

TEST_CASE("a delivery timeout shorter than an attempt is raised") {
  ProducerWorld world(test::config([](ProducerConfig& c) {
                        c.delivery_timeout_ms = 1'000;
                        c.request_timeout_ms = 2'000;
                        c.linger_ms = 500;
                      }),
                      1, 2);
  world.warm_up();
  world.host.refusing.insert(test::broker_process(1));
  world.disconnect(1);
  world.send(1);
  world.run_for(2'500ms - 1ns);
  CHECK(world.all<observe::RecordFailed>().empty());
  world.run_for(1ns);
  CHECK(world.all<observe::RecordFailed>().size() == 1);
}

TEST_CASE("a batch that expires in flight is failed once, whatever comes later") {
  ProducerWorld world(test::config([](ProducerConfig& c) {
    c.request_timeout_ms = 30'000;
    c.delivery_timeout_ms = 31'000;
  }));
  world.warm_up();
  world.send(1);
  world.run_for(5ms);
  world.run_for(20s);
  world.answer(ErrorCode::not_enough_replicas);
  world.run_for(11s);
  REQUIRE(world.produced.size() == 1);
  CHECK(world.all<observe::RecordFailed>().size() == 1);
  world.answer();  // it was stored all the same
  CHECK(world.all<observe::RecordFailed>().size() == 1);
  CHECK(world.events.size() == 1);
  world.send(2);
  world.run_for(5ms);
  REQUIRE(world.batches().size() == 1);
  CHECK(world.batches()[0]->producer_epoch == ProducerEpoch{0});  // no gap: the late answer closed it
  CHECK(world.batches()[0]->base_sequence == 2);
}

TEST_CASE("a gap that nobody closes bumps the epoch, and numbering begins again") {
  ProducerWorld world(test::config([](ProducerConfig& c) {
    c.delivery_timeout_ms = 31'000;
    c.request_timeout_ms = 30'000;
  }));
  world.warm_up();
  world.send(1);
  world.run_for(5ms);
  world.answer(ErrorCode::not_enough_replicas_after_append);
  world.run_for(10s);
  world.produced.clear();  // the retry is lost
  world.run_for(15s);
  world.send(2);
  world.run_for(5ms);
  REQUIRE(world.batches().size() == 1);
  CHECK(world.batches()[0]->base_sequence == 2);
  world.answer(ErrorCode::out_of_order_sequence_number);
  world.run_for(40s);
  CHECK(world.all<observe::RecordFailed>().at(0).record == RecordId{1});
  world.send(3);
  world.run_for(2s);
  REQUIRE_FALSE(world.batches().empty());
  CHECK(world.batches().back()->producer_epoch == ProducerEpoch{1});
  CHECK(world.batches().front()->producer_id == ProducerId{1});
}

TEST_CASE("a batch refused for good leaves no gap: the epoch is bumped at once") {
  ProducerWorld world;
  world.warm_up();
  world.send(1);
  world.run_for(5ms);
  world.answer(ErrorCode::invalid_record);
  world.send(2);
  world.run_for(5ms);
  REQUIRE(world.batches().size() == 1);
  CHECK(world.batches()[0]->producer_epoch == ProducerEpoch{1});
  CHECK(world.batches()[0]->base_sequence == 0);
}

TEST_CASE("the next expected batch being out of order means the broker lost our state: renumber and retry") {
  ProducerWorld world;
  world.warm_up();
  world.send(1);
  world.run_for(5ms);
  CHECK(world.batches()[0]->base_sequence == 1);
  world.answer(ErrorCode::out_of_order_sequence_number);
  world.run_for(1s);
  REQUIRE(world.batches().size() == 1);
  CHECK(world.numbers(world.batches()[0]) == std::vector<std::int64_t>{1});
  CHECK(world.batches()[0]->producer_epoch == ProducerEpoch{1});
  CHECK(world.batches()[0]->base_sequence == 0);
}

TEST_CASE("a duplicate is a success whose offset is not known") {
  ProducerWorld world;
  world.warm_up();
  world.send(1);
  world.run_for(5ms);
  world.answer(ErrorCode::duplicate_sequence_number);
  const auto acknowledged = world.all<observe::BatchAcknowledged>();
  REQUIRE(acknowledged.size() == 1);
  CHECK(acknowledged[0].error == ErrorCode::none);
  CHECK(acknowledged[0].base_offset == kNoOffset);
}

TEST_CASE("a batch too large for the broker is cut into batches of batch.size, in its place") {
  ProducerWorld world;
  world.metadata.topics[0].compression_percent = 25;
  world.warm_up();
  for (std::int64_t i = 0; i < 59; ++i) world.append(i, {}, 1000);
  world.poll();
  REQUIRE(world.batches().size() == 1);
  CHECK(world.batches()[0]->record_count() == 58);
  world.answer(ErrorCode::message_too_large);
  CHECK(world.all<observe::BatchAcknowledged>().back().will_retry);
  std::vector<std::int32_t> counts;
  std::vector<std::int32_t> sequences;
  while (!world.produced.empty()) {
    counts.push_back(world.batches()[0]->record_count());
    sequences.push_back(world.batches()[0]->base_sequence);
    world.answer();
    world.run_for(5ms);
  }
  CHECK(counts == std::vector<std::int32_t>{16, 16, 16, 10, 1});
  CHECK(sequences == std::vector<std::int32_t>{1, 17, 33, 49, 59});
  CHECK(world.producer.available_memory() == world.config.buffer_memory);
}

TEST_CASE("a producer id is asked for before the first batch, and again after an error") {
  ProducerWorld world;
  world.id_error = ErrorCode::coordinator_load_in_progress;
  world.start();
  world.send(1);
  world.run_for(250ms);
  CHECK(world.id_requests == 3);
  CHECK(world.produced.empty());
  world.id_error = ErrorCode::none;
  world.run_for(100ms);
  REQUIRE(world.batches().size() == 1);
  CHECK(world.batches()[0]->producer_id == ProducerId{4});
  CHECK(world.batches()[0]->base_sequence == 0);
}

TEST_CASE("a producer id refused for good ends the producer") {
  ProducerWorld world;
  world.id_error = ErrorCode::cluster_authorization_failed;
  world.start();
  world.send(1);
  world.run_for(1s);
  CHECK(world.all<observe::RecordFailed>().size() == 1);
  CHECK(world.send(2) == Producer::SendResult::failed);
}

TEST_CASE("a copy plays on as the original does") {
  ProducerWorld world;
  world.warm_up();
  send_batches(world, 1, 5);
  world.answer(ErrorCode::not_enough_replicas);
  ProducerWorld copy = world;
  for (ProducerWorld* one : {&world, &copy}) {
    one->run_for(300ms);
    one->answer(ErrorCode::out_of_order_sequence_number);
    one->run_for(1s);
    one->answer_all();
    one->run_for(1s);
  }
  CHECK(world.host.now == copy.host.now);
  CHECK(lying_at_the_broker(world) == lying_at_the_broker(copy));
  CHECK(world.host.told.size() == copy.host.told.size());
  CHECK(world.host.timers == copy.host.timers);
}

}  // namespace
}  // namespace sim::client
