#include "broker/harness.h"

// Fetch sessions: what is said again, and what is not.
namespace sim {
namespace {

using test::batch_of;
using test::fetch;
using test::from;
using test::produce;
using test::records_in;
using test::World;

FetchRequest incremental(const FetchResponse& last, std::int32_t epoch,
                         std::vector<FetchRequest::Partition> changed,
                         std::vector<TopicPartition> forgotten = {}) {
  FetchRequest request = fetch(std::move(changed), 100);
  request.session_id = last.session_id;
  request.session_epoch = epoch;
  request.forgotten = std::move(forgotten);
  return request;
}

FetchRequest full(std::vector<FetchRequest::Partition> partitions) {
  FetchRequest request = fetch(std::move(partitions), 0);
  request.session_epoch = 0;
  return request;
}

TEST_CASE("an incremental fetch is told only what has changed") {
  World world;
  world.add_broker(1);
  const TopicPartition a = world.create_topic("orders", {1}, {}, 3);
  const TopicPartition b{a.topic, 1};
  const TopicPartition c{a.topic, 2};
  world.run_for(10ms);

  const auto first = world.ask<FetchResponse>(1, full({from(a, 0), from(b, 0), from(c, 0)}));
  CHECK(first.session_id != 0);
  CHECK(first.partitions.size() == 3);  // a full fetch hears of all
  const auto nothing = world.ask<FetchResponse>(1, incremental(first, 1, {}));
  CHECK(nothing.partitions.empty());
  CHECK(nothing.session_id == first.session_id);

  world.ask<ProduceResponse>(1, produce(b, batch_of(2), 1));
  const auto data = world.ask<FetchResponse>(1, incremental(first, 2, {}));
  REQUIRE(data.partitions.size() == 1);
  CHECK(data.partitions[0].tp == b);
  CHECK(records_in(data.partitions[0]) == 2);
  // Its offset not moved on, it is told again; moved on, no more.
  CHECK(world.ask<FetchResponse>(1, incremental(first, 3, {})).partitions.size() == 1);
  CHECK(world.ask<FetchResponse>(1, incremental(first, 4, {from(b, 2)})).partitions.empty());

  world.ask<ProduceResponse>(1, produce(c, batch_of(1), 1));
  CHECK(world.ask<FetchResponse>(1, incremental(first, 5, {}, {c})).partitions.empty());
  const auto back = world.ask<FetchResponse>(1, incremental(first, 6, {from(c, 0)}));
  REQUIRE(back.partitions.size() == 1);
  CHECK(records_in(back.partitions[0]) == 1);
}

TEST_CASE("a session is found by its id, and keeps count") {
  World world;
  world.add_broker(1);
  const TopicPartition tp = world.create_topic("orders", {1});
  world.run_for(10ms);
  const auto first = world.ask<FetchResponse>(1, full({from(tp, 0)}));
  struct Row {
    const char* what;
    std::int32_t id, epoch;
    ErrorCode want;
  };
  const Row rows[] = {
      {"another id", first.session_id ^ 1, 1, ErrorCode::fetch_session_id_not_found},
      {"skips one", first.session_id, 2, ErrorCode::invalid_fetch_session_epoch},
      {"is in step", first.session_id, 1, ErrorCode::none},
      {"repeats itself", first.session_id, 1, ErrorCode::invalid_fetch_session_epoch},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    FetchRequest request = incremental(first, row.epoch, {});
    request.session_id = row.id;
    CHECK(world.ask<FetchResponse>(1, request).error == row.want);
  }
  // A full fetch that names it closes it, and opens another.
  FetchRequest again = full({from(tp, 0)});
  again.session_id = first.session_id;
  const auto second = world.ask<FetchResponse>(1, again);
  CHECK(second.session_id != first.session_id);
  CHECK(world.ask<FetchResponse>(1, incremental(first, 2, {})).error ==
        ErrorCode::fetch_session_id_not_found);
  // With nothing left in it, it ends.
  CHECK(world.ask<FetchResponse>(1, incremental(second, 1, {}, {tp})).session_id == 0);
  CHECK(world.ask<FetchResponse>(1, incremental(second, 2, {})).error ==
        ErrorCode::fetch_session_id_not_found);
}

TEST_CASE("a full cache makes room for followers, and for whoever comes when a session has gone stale") {
  server::BrokerConfig config;
  config.max_incremental_fetch_session_cache_slots = 1;
  World world;
  world.add_broker(1, config);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(10ms);
  const auto consumer = world.ask<FetchResponse>(1, full({from(tp, 0)}));
  CHECK(consumer.session_id != 0);
  CHECK(world.ask<FetchResponse>(1, full({from(tp, 0)})).session_id == 0);  // served, without a session
  FetchRequest follower = full({from(tp, 0)});
  follower.replica = NodeId{2};
  CHECK(world.ask<FetchResponse>(1, follower).session_id != 0);
  CHECK(world.ask<FetchResponse>(1, incremental(consumer, 1, {})).error ==
        ErrorCode::fetch_session_id_not_found);
  CHECK(world.ask<FetchResponse>(1, full({from(tp, 0)})).session_id == 0);
  world.run_for(121s);
  CHECK(world.ask<FetchResponse>(1, full({from(tp, 0)})).session_id != 0);
}

TEST_CASE("an error is told with every answer, and its end is told") {
  World world;
  world.add_broker(1);
  const TopicPartition known = world.create_topic("a", {1});
  const TopicPartition later{TopicId{known.topic.value() + 1}, 0};
  world.run_for(10ms);
  const auto first = world.ask<FetchResponse>(1, full({from(known, 0), from(later, 0)}));
  REQUIRE(first.partitions.size() == 2);
  CHECK(first.partitions[1].error == ErrorCode::unknown_topic_id);
  const auto second = world.ask<FetchResponse>(1, incremental(first, 1, {}));
  REQUIRE(second.partitions.size() == 1);
  CHECK(second.partitions[0].error == ErrorCode::unknown_topic_id);
  world.create_topic("b", {1});
  world.run_for(10ms);
  const auto third = world.ask<FetchResponse>(1, incremental(first, 2, {}));
  REQUIRE(third.partitions.size() == 1);
  CHECK(third.partitions[0].error == ErrorCode::none);
  CHECK(third.partitions[0].high_watermark == 0);
  CHECK(world.ask<FetchResponse>(1, incremental(first, 3, {})).partitions.empty());
}

TEST_CASE("what a response has no room for comes first next time") {
  World world;
  world.add_broker(1);
  const TopicPartition a = world.create_topic("orders", {1}, {}, 2);
  const TopicPartition b{a.topic, 1};
  world.run_for(10ms);
  world.ask<ProduceResponse>(1, produce(a, batch_of(1), 1));
  world.ask<ProduceResponse>(1, produce(a, batch_of(1), 1));
  world.ask<ProduceResponse>(1, produce(b, batch_of(1), 1));
  FetchRequest small = full({from(a, 0), from(b, 0)});
  small.max_bytes = batch_of(1)->size_bytes;
  const auto first = world.ask<FetchResponse>(1, small);
  REQUIRE(first.partitions.size() == 2);
  CHECK(records_in(first.partitions[0]) == 1);
  CHECK(records_in(first.partitions[1]) == 0);
  FetchRequest next = incremental(first, 1, {from(a, 1)});
  next.max_bytes = small.max_bytes;
  const auto second = world.ask<FetchResponse>(1, next);
  REQUIRE(second.partitions.size() == 1);
  CHECK(second.partitions[0].tp == b);
  // Even a batch larger than the limit is given, if it is the first.
  FetchRequest tiny = fetch({from(a, 0)}, 0);
  tiny.max_bytes = 1;
  CHECK(records_in(world.ask<FetchResponse>(1, tiny).partitions[0]) == 1);
}

}  // namespace
}  // namespace sim
