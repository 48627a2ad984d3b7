// Fetching: sessions, one request per broker, buffering, max.poll.records, errors.
#include <doctest/doctest.h>

#include <set>

#include "client/consumer_world.h"
#include "client/fetcher_session.h"
#include "protocol/batch_builder.h"

namespace sim::client {
namespace {

using namespace test;
using Strings = std::vector<std::string>;

const FetchRequest& fetch_of(const Envelope& request) {
  return std::get<FetchRequest>(request.message);
}

// "0@5 1@0 -2": partitions asked for, from which offset; partitions forgotten.
std::string text(const FetchRequest& request) {
  std::string out;
  for (const FetchRequest::Partition& partition : request.partitions) {
    if (!out.empty()) out.append(" ");
    out.append(std::to_string(partition.tp.partition))
        .append("@")
        .append(std::to_string(partition.fetch_offset));
  }
  for (const TopicPartition tp : request.forgotten) {
    if (!out.empty()) out.append(" ");
    out.append("-").append(std::to_string(tp.partition));
  }
  return out;
}

}  // namespace

TEST_CASE("a fetch session names what changed") {
  FetchSession session;
  const auto next = [&](std::vector<std::pair<int, Offset>> wanted) {
    FetchRequest request;
    for (const auto& [partition, offset] : wanted) session.add(orders(partition), offset, LeaderEpoch{0});
    session.build(request, 1000);
    return std::to_string(request.session_id) + "/" + std::to_string(request.session_epoch) + " " +
           text(request);
  };
  const auto granted = [&](std::int32_t id, ErrorCode error = ErrorCode::none) {
    FetchResponse response;
    response.session_id = id;
    response.error = error;
    return session.handle_response(response);
  };
  CHECK(next({{0, 5}, {1, 0}}) == "0/0 0@5 1@0");
  CHECK(granted(7));
  CHECK(next({{0, 5}, {1, 0}}) == "7/1 ");
  CHECK(granted(7));
  CHECK(next({{0, 6}, {1, 0}}) == "7/2 0@6");
  CHECK(granted(7));
  CHECK(next({{2, 9}, {0, 6}}) == "7/3 2@9 -1");
  CHECK(granted(7));
  CHECK(next({{2, 9}, {0, 6}, {1, 0}}) == "7/4 1@0");
  CHECK(!granted(0, ErrorCode::invalid_fetch_session_epoch));
  CHECK(next({{0, 6}}) == "7/0 0@6");  // closes the old session, opens another
  CHECK(granted(8));
  session.handle_error();
  CHECK(next({{0, 6}}) == "8/0 0@6");
  CHECK(!granted(0, ErrorCode::fetch_session_id_not_found));
  CHECK(next({{0, 6}}) == "0/0 0@6");
  CHECK(granted(0));  // no session granted
  CHECK(next({{0, 6}}) == "0/0 0@6");
}

TEST_CASE(
    "one request is in flight to a broker, for all its partitions, and the next one leaves before poll "
    "returns") {
  ConsumerWorld world(ConsumerWorld::default_config(), 3,
                      2);  // partitions 0 and 2 at broker 1, partition 1 at broker 2
  world.start_fetching(10);
  REQUIRE(world.count<FetchRequest>() == 2);
  const Envelope first = world.take<FetchRequest>();
  CHECK(first.channel.server == ProcessId{1});
  CHECK(first.channel.lane == Lane::data);
  CHECK(text(fetch_of(first)) == "0@10 2@10");
  CHECK(fetch_of(first).max_wait_ms == 500);
  CHECK(fetch_of(first).partitions[0].max_bytes == 1'048'576);
  CHECK(fetch_of(first).partitions[0].current_leader_epoch == LeaderEpoch{0});

  world.answer(first, ConsumerWorld::fetched(orders(0), {batch(10, 3), batch(13, 2)}));
  CHECK(world.returned == Strings{"0:10-13", "0:13-15"});
  CHECK(world.count<FetchRequest>() == 2);  // while the application is at work the next data comes
  const Envelope other = world.take<FetchRequest>();
  CHECK(other.channel.server == ProcessId{2});
  const Envelope pipelined = world.take<FetchRequest>();
  CHECK(text(fetch_of(pipelined)) == "0@15");
  CHECK(fetch_of(pipelined).session_id == 77);
  CHECK(fetch_of(pipelined).session_epoch == 1);

  world.answer(pipelined, ConsumerWorld::fetched(orders(2), {batch(10, 1)}));
  CHECK(world.returned.size() == 2);
  CHECK(world.count<FetchRequest>() == 0);  // nothing is sent outside poll
  world.poll();
  CHECK(world.returned == Strings{"0:10-13", "0:13-15", "2:10-11"});
}

TEST_CASE("poll returns at most max.poll.records, and a broker is not asked while its data is buffered") {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.max_poll_records = 4;
  ConsumerWorld world(config);
  world.start_fetching();
  FetchResponse response = ConsumerWorld::fetched(orders(0), {batch(0, 3), batch(3, 3)});
  response.partitions.push_back(ConsumerWorld::fetched(orders(1), {batch(0, 3)}).partitions[0]);
  world.answer(world.take<FetchRequest>(), response);
  CHECK(world.returned == Strings{"0:0-3", "0:3-4"});
  CHECK(world.count<FetchRequest>() == 0);
  world.poll();
  CHECK(world.returned == Strings{"0:0-3", "0:3-4", "0:4-6", "1:0-2"});
  CHECK(world.count<FetchRequest>() == 0);
  world.poll();
  CHECK(world.returned.back() == "1:2-3");
  const Envelope next = world.take<FetchRequest>();
  CHECK(text(fetch_of(next)) == "0@6 1@3");
  const auto polled = world.facts<observe::RecordsPolled>();
  REQUIRE(polled.size() == 4);
  CHECK(polled[1].tp == orders(0));
  CHECK(polled[1].from == 4);
  CHECK(polled[1].to == 6);
}

TEST_CASE("a batch may begin before the position") {
  ConsumerWorld world;
  world.start_fetching(5);
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(3, 4)}));
  CHECK(world.returned == Strings{"0:5-7"});
}

TEST_CASE("an empty answer is followed by the next fetch") {
  ConsumerWorld world;
  world.start_fetching();
  for (int i = 0; i < 3; ++i) {
    const Envelope fetch = world.take<FetchRequest>();
    CHECK(fetch_of(fetch).session_epoch == i);
    world.answer(fetch, ConsumerWorld::nothing_fetched());
  }
  CHECK(world.in_poll);
}

TEST_CASE("reactions to fetch errors") {
  struct Row {
    ErrorCode error;
    bool refreshes_metadata;
    bool resets;
    ConsumerError want;
  };
  const Row rows[] = {
      {ErrorCode::not_leader_or_follower, true, false, ConsumerError::none},
      {ErrorCode::replica_not_available, true, false, ConsumerError::none},
      {ErrorCode::kafka_storage_error, true, false, ConsumerError::none},
      {ErrorCode::fenced_leader_epoch, true, false, ConsumerError::none},
      {ErrorCode::offset_not_available, true, false, ConsumerError::none},
      {ErrorCode::unknown_topic_or_partition, true, false, ConsumerError::none},
      {ErrorCode::unknown_topic_id, true, false, ConsumerError::none},
      {ErrorCode::unknown_leader_epoch, false, false, ConsumerError::none},
      {ErrorCode::offset_out_of_range, false, true, ConsumerError::none},
      {ErrorCode::corrupt_message, false, false, ConsumerError::corrupt_message},
  };
  for (const Row& row : rows) {
    CAPTURE(name(row.error));
    ConsumerWorld world(ConsumerWorld::default_config(), 1);
    world.start_fetching(5);
    world.advance(from_millis(1'000));
    const int refreshes = world.metadata_requests;
    FetchResponse response = ConsumerWorld::fetched(orders(0), {});
    response.partitions[0].error = row.error;
    world.answer(world.take<FetchRequest>(), response);
    world.advance(from_millis(200));
    CHECK((world.metadata_requests > refreshes) == row.refreshes_metadata);
    CHECK(world.count<ListOffsetsRequest>() == (row.resets ? 1 : 0));
    CHECK(world.count<FetchRequest>() == (row.resets || row.want != ConsumerError::none ? 0 : 1));
    CHECK(world.error == row.want);
  }
}

TEST_CASE("out of range without a policy: the application hears of it, and nothing is skipped") {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.auto_offset_reset = AutoOffsetReset::none;
  ConsumerWorld world(config, 1);
  world.start_fetching(5);
  FetchResponse response = ConsumerWorld::fetched(orders(0), {});
  response.partitions[0].error = ErrorCode::offset_out_of_range;
  world.answer(world.take<FetchRequest>(), response);
  CHECK(world.error == ConsumerError::offset_out_of_range);
  CHECK(world.count<ListOffsetsRequest>() == 0);
}

// Of offsets 10 to 14 compaction has left 11 and 13.
Batch compacted_batch() {
  Batch batch = test::batch(10, 2);
  auto data = std::make_shared<BatchData>(*batch.data);
  data->compacted = std::make_shared<const Compacted>(Compacted{{1, 3}, {}});
  return Batch{10, LeaderEpoch{0}, 5, std::move(data)};
}

TEST_CASE("of a compacted batch what is left is read, and the next fetch goes on behind it") {
  struct Row {
    Offset from;
    std::vector<std::string> returned;  // counted by records
  };
  const Row rows[] = {{10, {"0:10-12"}}, {11, {"0:10-12"}}, {12, {"0:11-12"}}, {13, {"0:11-12"}}, {14, {}}};
  for (const Row& row : rows) {
    CAPTURE(row.from);
    ConsumerWorld world(ConsumerWorld::default_config(), 1);
    world.start_fetching(row.from);
    world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {compacted_batch()}));
    CHECK(world.returned == row.returned);
    CHECK(fetch_of(world.take<FetchRequest>()).partitions[0].fetch_offset == 15);
  }
}

TEST_CASE("max.poll.records ends within a compacted batch: the position is that of the next record") {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.max_poll_records = 1;
  ConsumerWorld world(config, 1);
  world.start_fetching(10);
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {compacted_batch()}));
  CHECK(world.returned == Strings{"0:10-11"});
  world.poll();
  CHECK(world.returned == Strings{"0:10-11", "0:11-12"});
  CHECK(fetch_of(world.take<FetchRequest>()).partitions[0].fetch_offset == 15);
}

TEST_CASE("an error tells who leads instead (KIP-951)") {
  ConsumerWorld world(ConsumerWorld::default_config(), 1, 2);
  world.start_fetching(5);
  FetchResponse response = ConsumerWorld::fetched(orders(0), {});
  response.partitions[0].error = ErrorCode::not_leader_or_follower;
  response.partitions[0].current_leader = LeaderHint{NodeId{2}, LeaderEpoch{1}, ProcessId{2}};
  world.leaders[0] = {NodeId{2}, LeaderEpoch{1}};
  world.answer(world.take<FetchRequest>(), response);
  const Envelope next = world.take<FetchRequest>();
  CHECK(next.channel.server == ProcessId{2});
  CHECK(fetch_of(next).partitions[0].current_leader_epoch == LeaderEpoch{1});
}

TEST_CASE("a lost connection to a broker: a full fetch after the reconnect back-off") {
  ConsumerWorld world;
  world.start_fetching();
  world.answer(world.take<FetchRequest>(), ConsumerWorld::nothing_fetched());
  const Envelope lost = world.take<FetchRequest>();
  CHECK(fetch_of(lost).session_epoch == 1);
  world.lose(lost.channel);
  CHECK(world.count<FetchRequest>() == 0);
  world.advance(from_millis(61));
  const Envelope again = world.take<FetchRequest>();
  CHECK(fetch_of(again).session_id == 77);
  CHECK(fetch_of(again).session_epoch == 0);
  CHECK(text(fetch_of(again)) == "0@0 1@0");
}

TEST_CASE("the preferred read replica is fetched from until it is out of range there (KIP-392)") {
  ConsumerWorld world(ConsumerWorld::default_config(), 1, 2);
  world.start_fetching(5);
  FetchResponse response = ConsumerWorld::fetched(orders(0), {});
  response.partitions[0].preferred_read_replica = NodeId{2};
  world.answer(world.take<FetchRequest>(), response);
  const Envelope follower = world.take<FetchRequest>();
  CHECK(follower.channel.server == ProcessId{2});
  FetchResponse out_of_range = ConsumerWorld::fetched(orders(0), {});
  out_of_range.partitions[0].error = ErrorCode::offset_out_of_range;
  world.answer(follower, out_of_range);
  CHECK(world.take<FetchRequest>().channel.server == ProcessId{1});
  CHECK(world.count<ListOffsetsRequest>() == 0);
}

TEST_CASE("after metadata.max.age.ms the leader is asked again, which may name the same replica") {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.metadata_max_age_ms = 1'000;
  ConsumerWorld world(config, 1, 2);
  world.start_fetching(5);
  FetchResponse elsewhere = ConsumerWorld::fetched(orders(0), {});
  elsewhere.partitions[0].preferred_read_replica = NodeId{2};
  world.answer(world.take<FetchRequest>(), elsewhere);
  for (int round = 0; round < 2; ++round) {
    CAPTURE(round);
    Envelope fetch = world.take<FetchRequest>();
    CHECK(fetch.channel.server == ProcessId{2});
    world.advance(from_millis(1'100));
    world.answer(fetch, ConsumerWorld::fetched(orders(0), {}));
    fetch = world.take<FetchRequest>();
    CHECK(fetch.channel.server == ProcessId{1});
    world.answer(fetch, elsewhere);
  }
}

TEST_CASE("while the coordinator is unknown, poll hands out what is buffered only every poll timeout") {
  ConsumerConfig config = ConsumerWorld::default_config();
  ConsumerWorld world(config, 1, 2);
  world.start_fetching();
  const Envelope fetch = world.take<FetchRequest>();
  world.find_coordinator_error = ErrorCode::coordinator_not_available;
  world.advance(from_millis(3'000));
  const LocalTime lost_at = world.host.now;
  world.answer(world.take<HeartbeatRequest>(), HeartbeatResponse{ErrorCode::not_coordinator});
  world.answer(fetch, ConsumerWorld::fetched(orders(0), {batch(0, 1)}));
  CHECK(world.returned.empty());
  world.advance_to(lost_at + from_millis(99));
  CHECK(world.returned.empty());
  world.advance_to(lost_at + from_millis(100));
  CHECK(world.returned == Strings{"0:0-1"});
}

// ---- isolation.level

namespace {

Batch of_transaction(Offset base, std::int32_t records, std::int64_t producer) {
  std::vector<Record> all(static_cast<std::size_t>(records), Record{RecordId{1}, 0, -1, 10});
  BatchDataPtr data = make_data_batch(std::move(all), ProducerId{producer}, ProducerEpoch{0}, 0, 100, true);
  return Batch{base, LeaderEpoch{0}, records, std::move(data)};
}

Batch marker(Offset at, std::int64_t producer, bool committed) {
  return Batch{
      at, LeaderEpoch{0}, 1,
      make_marker_batch({committed, CoordinatorEpoch{0}}, ProducerId{producer}, ProducerEpoch{1}, 0)};
}

// Producer 1 aborts 0-1 and commits 5-6; producer 2 commits 2-3; between them records without a transaction.
FetchResponse transactions_of_two() {
  FetchResponse response = ConsumerWorld::fetched(
      orders(0), {of_transaction(0, 2, 1), of_transaction(2, 2, 2), marker(4, 1, false),
                  of_transaction(5, 2, 1), batch(7, 1), marker(8, 2, true), marker(9, 1, true)});
  response.partitions.front().aborted_transactions = {{ProducerId{1}, 0}};
  return response;
}

}  // namespace

TEST_CASE("read_committed passes over aborted transactions, up to their marker") {
  for (const IsolationLevel level : {IsolationLevel::read_committed, IsolationLevel::read_uncommitted}) {
    for (const std::int32_t at_most : {500, 1, 3}) {
      CAPTURE(at_most);
      ConsumerConfig config = ConsumerWorld::default_config();
      config.isolation_level = level;
      config.max_poll_records = at_most;
      ConsumerWorld world(config, 1);
      world.start_fetching();
      const Envelope request = world.take<FetchRequest>();
      CHECK(fetch_of(request).read_committed == (level == IsolationLevel::read_committed));
      world.answer(request, transactions_of_two());
      for (int i = 0; i < 8 && world.count<FetchRequest>() == 0; ++i) world.poll();
      std::set<Offset> offsets;
      for (const auto& polled : world.facts<observe::RecordsPolled>()) {
        for (Offset offset = polled.from; offset < polled.to; ++offset) CHECK(offsets.insert(offset).second);
      }
      const std::set<Offset> committed{2, 3, 5, 6, 7};
      const std::set<Offset> all{0, 1, 2, 3, 5, 6, 7};
      CHECK(offsets == (level == IsolationLevel::read_committed ? committed : all));
      CHECK(text(fetch_of(world.take<FetchRequest>())) == "0@10");  // behind the last marker
    }
  }
}

TEST_CASE("aborted transactions are taken in the order in which they began") {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.isolation_level = IsolationLevel::read_committed;
  ConsumerWorld world(config, 1);
  world.start_fetching();
  FetchResponse response = ConsumerWorld::fetched(
      orders(0),
      {of_transaction(0, 1, 1), of_transaction(1, 1, 2), marker(2, 2, false), marker(3, 1, false)});
  response.partitions.front().aborted_transactions = {{ProducerId{2}, 1},
                                                      {ProducerId{1}, 0}};  // as they ended
  world.answer(world.take<FetchRequest>(), response);
  CHECK(world.facts<observe::RecordsPolled>().empty());
}

}  // namespace sim::client
