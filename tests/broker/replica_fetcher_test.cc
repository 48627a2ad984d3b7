#include "broker/harness.h"

// A follower's side of fetching, against a leader whose part the test plays.
namespace sim {
namespace {

using test::batch_of;
using test::World;

struct FetchingFollower {
  explicit FetchingFollower(int partitions = 1) {
    world.add_puppet(1);
    world.add_broker(2);
    world.run_for(5ms);
    tp = world.create_topic("orders", {1, 2}, {}, 1);
    for (int i = 1; i < partitions; ++i)
      others.push_back(world.create_topic("other" + std::to_string(i), {1, 2}));
  }
  Envelope next() { return world.asked_of<FetchRequest>(1); }
  static const FetchRequest& fetch(const Envelope& request) {
    return std::get<FetchRequest>(request.message);
  }

  FetchResponse::Partition data(Offset base, int records, int epoch = 0) const {
    FetchResponse::Partition answer = nothing();
    const BatchDataPtr batch = batch_of(records);
    answer.batches.push_back(Batch{base, LeaderEpoch{epoch}, records, batch});
    return answer;
  }
  FetchResponse::Partition nothing() const {
    FetchResponse::Partition answer;
    answer.tp = tp;
    answer.high_watermark = 0;
    answer.log_start_offset = 0;
    return answer;
  }
  FetchResponse::Partition failed(ErrorCode error) const {
    FetchResponse::Partition answer;
    answer.tp = tp;
    answer.error = error;
    return answer;
  }
  void reply(const Envelope& request, std::vector<FetchResponse::Partition> partitions, int session = 9) {
    FetchResponse response;
    response.session_id = session;
    response.partitions = std::move(partitions);
    world.reply(request, std::move(response));
  }
  const partition::Partition& partition() { return world.partition(2, tp); }

  World world;
  TopicPartition tp;
  std::vector<TopicPartition> others;
};

TEST_CASE("the first fetch is full, the following ones tell what has changed") {
  FetchingFollower follower(3);
  Envelope request = follower.next();
  // Topics came one by one: the first request has the first, the others join the session.
  CHECK(FetchingFollower::fetch(request).session_epoch == 0);
  CHECK(FetchingFollower::fetch(request).session_id == 0);
  CHECK(FetchingFollower::fetch(request).replica == NodeId{2});
  CHECK(FetchingFollower::fetch(request).replica_epoch == BrokerEpoch{102});
  CHECK(FetchingFollower::fetch(request).max_wait_ms == 500);
  CHECK(FetchingFollower::fetch(request).partitions.size() == 3);
  follower.reply(request, {follower.data(0, 3)});

  request = follower.next();
  CHECK(FetchingFollower::fetch(request).session_id == 9);
  CHECK(FetchingFollower::fetch(request).session_epoch == 1);
  REQUIRE(FetchingFollower::fetch(request).partitions.size() == 1);
  CHECK(FetchingFollower::fetch(request).partitions[0].fetch_offset == 3);
  CHECK(FetchingFollower::fetch(request).partitions[0].last_fetched_epoch == LeaderEpoch{0});
  CHECK(follower.partition().log_end_offset() == 3);
  follower.reply(request, {});

  request = follower.next();
  CHECK(FetchingFollower::fetch(request).session_epoch == 2);
  CHECK(FetchingFollower::fetch(request).partitions.empty());

  SUBCASE("the session is lost: all over again") {
    FetchResponse response;
    response.error = ErrorCode::fetch_session_id_not_found;
    follower.world.reply(request, response);
    request = follower.next();
    CHECK(FetchingFollower::fetch(request).session_id == 0);
    CHECK(FetchingFollower::fetch(request).session_epoch == 0);
    CHECK(FetchingFollower::fetch(request).partitions.size() == 3);
  }
  SUBCASE("the connection is lost: a second later, a full fetch that closes the session") {
    const LocalTime lost = follower.world.now();
    follower.world.disconnect(request.channel);
    request = follower.next();
    CHECK(follower.world.now() - lost >= 1s);
    CHECK(follower.world.now() - lost < 1s + 10ms);
    CHECK(FetchingFollower::fetch(request).session_id == 9);
    CHECK(FetchingFollower::fetch(request).session_epoch == 0);
    CHECK(FetchingFollower::fetch(request).partitions.size() == 3);
  }
  SUBCASE("a topic is gone: forgotten") {
    follower.world.commit({RemoveTopicRecord{follower.others[0].topic}});
    follower.world.run_for(5ms);
    follower.reply(request, {});
    request = follower.next();
    CHECK(FetchingFollower::fetch(request).forgotten == std::vector{follower.others[0]});
  }
}

TEST_CASE("the next fetch leaves when the data is written, and the high watermark comes with it") {
  FetchingFollower follower;
  follower.world.write_time = 20ms;
  const Envelope request = follower.next();
  const LocalTime asked = follower.world.now();
  FetchResponse::Partition answer = follower.data(0, 3);
  answer.high_watermark = 2;
  follower.reply(request, {answer});
  follower.world.run_for(10ms);
  CHECK(follower.partition().log_end_offset() == 0);
  follower.next();
  CHECK(follower.world.now() - asked == 20ms + 2 * follower.world.latency);
  CHECK(follower.partition().log_end_offset() == 3);
  CHECK(follower.partition().high_watermark() == 2);
  CHECK(follower.world.facts<observe::ReplicaAppended>(2).back().log_end_offset == 3);
}

TEST_CASE("what an error does to a partition") {
  struct Row {
    ErrorCode error;
    bool stays_away_for_good;
  };
  const Row rows[] = {
      {ErrorCode::not_leader_or_follower, false},     {ErrorCode::unknown_leader_epoch, false},
      {ErrorCode::unknown_topic_or_partition, false}, {ErrorCode::unknown_topic_id, false},
      {ErrorCode::fenced_leader_epoch, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.error);
    FetchingFollower follower(2);
    Envelope request = follower.next();
    const LocalTime told = follower.world.now();
    follower.reply(request, {follower.failed(row.error)});
    request = follower.next();  // the other partition goes on
    CHECK(FetchingFollower::fetch(request).forgotten == std::vector{follower.tp});
    bool back = false;
    while (!back && follower.world.now() - told < 3s) {
      follower.world.run_for(100ms);
      follower.reply(request, {});
      request = follower.next();
      for (const auto& one : FetchingFollower::fetch(request).partitions) back |= one.tp == follower.tp;
    }
    CHECK(back == !row.stays_away_for_good);
    if (back) CHECK(follower.world.now() - told >= 1s);
    if (back) CHECK(follower.world.now() - told < 1200ms);
    // A new leader epoch starts it in any case.
    follower.world.elect(follower.tp, 1, {1, 2});
    follower.world.run_for(5ms);
    follower.reply(request, {});
    request = follower.next();
    REQUIRE(FetchingFollower::fetch(request).partitions.size() == 1);
    CHECK(FetchingFollower::fetch(request).partitions[0].current_leader_epoch == LeaderEpoch{1});
  }
}

TEST_CASE("an offset out of range: ask the leader where its log ends and starts") {
  struct Row {
    const char* what;
    Offset leader_end, leader_start;
    Offset want_end, want_start;
  };
  const Row rows[] = {
      {"it has less than we: cut to its end", 2, 0, 2, 0},
      {"it starts behind our end: start anew there", 50, 40, 40, 40},
      {"it has what we need: go on", 50, 4, 5, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    FetchingFollower follower;
    Envelope request = follower.next();
    FetchResponse::Partition first = follower.data(0, 2);
    first.batches.push_back(follower.data(2, 3).batches[0]);
    follower.reply(request, {first});
    request = follower.next();
    follower.reply(request, {follower.failed(ErrorCode::offset_out_of_range)});
    const auto answer = [&](Offset offset) {
      const Envelope asked = follower.world.asked_of<ListOffsetsRequest>(1);
      const auto& one = std::get<ListOffsetsRequest>(asked.message).partitions.at(0);
      ListOffsetsResponse response;
      response.partitions.push_back({follower.tp, ErrorCode::none, offset, LeaderEpoch{0}});
      follower.world.reply(asked, response);
      return one.timestamp;
    };
    CHECK(answer(row.leader_end) == kLatestTimestamp);
    if (row.leader_end > 5) CHECK(answer(row.leader_start) == kEarliestTimestamp);
    request = follower.next();
    CHECK(follower.partition().log_end_offset() == row.want_end);
    CHECK(follower.partition().log_start_offset() == row.want_start);
    follower.reply(request, {follower.data(row.want_end, 1)});
    CHECK(FetchingFollower::fetch(follower.next()).partitions.at(0).fetch_offset == row.want_end + 1);
  }
}

TEST_CASE("requests to the controller are sent again until someone answers") {
  World world;
  world.add_broker(1);
  world.add_broker(2);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(50ms);
  world.grant_isr_changes = false;
  world.elect(tp, 1, {1});
  world.run_for(600ms);
  REQUIRE(world.isr_requests.size() == 1);

  SUBCASE("at once elsewhere, if it is not the controller") {
    AlterPartitionResponse refusal;
    refusal.error = ErrorCode::not_controller;
    world.reply(world.isr_requests[0], refusal);
    world.run_for(100ms);
    CHECK(world.isr_requests.size() == 2);
  }
  SUBCASE("after 50 ms, if it failed as a whole") {
    AlterPartitionResponse refusal;
    refusal.error = ErrorCode::stale_broker_epoch;
    world.reply(world.isr_requests[0], refusal);
    world.run_for(49ms);
    CHECK(world.isr_requests.size() == 1);
    world.run_for(5ms);
    CHECK(world.isr_requests.size() == 2);
  }
  SUBCASE("over a new connection, if that was lost") {
    world.disconnect(world.isr_requests[0].channel);
    world.run_for(100ms);
    CHECK(world.isr_requests.size() == 2);
  }
  world.answer_isr(world.isr_requests.back());
  world.run_for(5ms);
  CHECK(world.partition(1, tp).isr().size() == 2);
}

}  // namespace
}  // namespace sim
