// Membership: finding the coordinator, joining, heartbeats, rebalances of both protocols, leaving.
#include <doctest/doctest.h>

#include "client/consumer_world.h"

namespace sim::client {
namespace {

using namespace test;
using Kind = RebalanceEvent::Kind;

std::string text(const std::vector<RebalanceEvent>& events) {
  std::string out;
  for (const RebalanceEvent& event : events) {
    if (!out.empty()) out.append(" | ");
    out.append(event.kind == Kind::assigned ? "assigned" : event.kind == Kind::revoked ? "revoked" : "lost");
    for (const TopicPartition tp : event.partitions) out.append(" ").append(std::to_string(tp.partition));
  }
  return out;
}

ConsumerConfig cooperative() {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.partition_assignment_strategy = {Assignor::cooperative_sticky};
  config.enable_auto_commit = false;
  return config;
}

// Tells the member in its next heartbeat that the group rebalances.
void announce_rebalance(ConsumerWorld& world) {
  world.advance(from_millis(3000));
  world.answer(world.take<HeartbeatRequest>(), HeartbeatResponse{ErrorCode::rebalance_in_progress});
}

void answer_commit(ConsumerWorld& world, ErrorCode error = ErrorCode::none) {
  const Envelope commit = world.take<OffsetCommitRequest>();
  world.answer(commit, ConsumerWorld::commit_answer(commit, error));
}

}  // namespace

TEST_CASE("a dynamic member joins twice, assigns as the leader, syncs, and asks for committed offsets") {
  ConsumerWorld world;
  world.start();
  const Envelope first = world.take<JoinGroupRequest>();
  const auto& join = std::get<JoinGroupRequest>(first.message);
  CHECK(first.channel.lane == Lane::coordinator);
  CHECK(join.member_id.empty());
  CHECK(join.client_id == "consumer-payment-1");
  CHECK(join.rebalance_timeout_ms == 300'000);
  REQUIRE(join.protocols.size() == 2);
  CHECK(join.protocols[0].name == "range");
  CHECK(join.protocols[1].name == "cooperative-sticky");
  CHECK(join.protocols[0].subscription.topics == std::vector<TopicId>{kOrders});

  world.answer(first, ConsumerWorld::member_id_required("m-1"));
  const Envelope second = world.take<JoinGroupRequest>();  // at once
  CHECK(std::get<JoinGroupRequest>(second.message).member_id == "m-1");
  JoinGroupResponse joined =
      ConsumerWorld::joined_as_leader(Generation{1}, std::get<JoinGroupRequest>(second.message));
  joined.members.push_back({"m-2", {}, joined.members[0].subscription});
  world.answer(second, joined);

  const Envelope sync = world.take<SyncGroupRequest>();
  const auto& assignments = std::get<SyncGroupRequest>(sync.message).assignments;
  REQUIRE(assignments.size() == 2);
  CHECK(assignments[0].partitions == std::vector<TopicPartition>{orders(0)});
  CHECK(assignments[1].partitions == std::vector<TopicPartition>{orders(1)});
  world.answer(sync, SyncGroupResponse{ErrorCode::none, {orders(0)}});

  CHECK(text(world.rebalances) == "assigned 0");
  const auto received = world.facts<observe::AssignmentReceived>();
  REQUIRE(received.size() == 1);
  CHECK(received[0].member == 3);
  CHECK(received[0].generation == Generation{1});
  CHECK(received[0].partitions == std::vector<TopicPartition>{orders(0)});
  const Envelope offsets = world.take<OffsetFetchRequest>();
  CHECK(std::get<OffsetFetchRequest>(offsets.message).require_stable);
}

TEST_CASE("the group is not joined before its topic is known") {
  ConsumerWorld world;
  world.topic_exists = false;
  world.start();
  world.advance(from_millis(5'000));
  CHECK(world.count<JoinGroupRequest>() == 0);
  world.topic_exists = true;
  world.advance(from_millis(2'000));
  CHECK(world.count<JoinGroupRequest>() == 1);
}

TEST_CASE("an unavailable coordinator is looked up again after a back-off, until it is there") {
  ConsumerWorld world;
  world.find_coordinator_error = ErrorCode::coordinator_not_available;
  world.start();
  CHECK(world.lookups == 1);
  world.advance(from_millis(79));
  CHECK(world.lookups == 1);
  world.advance(from_millis(42));
  CHECK(world.lookups == 2);
  world.find_coordinator_error = ErrorCode::none;
  world.advance(from_millis(200));
  CHECK(world.lookups == 3);
  CHECK(world.count<JoinGroupRequest>() == 1);
}

TEST_CASE("heartbeats go on whatever the application does") {
  ConsumerWorld world;
  world.start_fetching();
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 1)}));
  REQUIRE(!world.in_poll);
  world.advance(from_millis(2'999));
  CHECK(world.count<HeartbeatRequest>() == 0);
  world.advance(from_millis(1));
  const Envelope beat = world.take<HeartbeatRequest>();
  CHECK(std::get<HeartbeatRequest>(beat.message).generation == Generation{1});
  CHECK(std::get<HeartbeatRequest>(beat.message).member_id == "m-1");
  world.answer(beat, HeartbeatResponse{});
  world.advance(from_millis(3'000));
  CHECK(world.count<HeartbeatRequest>() == 1);
}

TEST_CASE("an eager member commits, revokes everything, and joins again: only in poll") {
  ConsumerWorld world;
  world.start_fetching();
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 2)}));
  REQUIRE(world.returned == std::vector<std::string>{"0:0-2"});
  world.rebalances.clear();
  announce_rebalance(world);
  CHECK(world.count<OffsetCommitRequest>() == 0);  // the application is at work
  CHECK(world.count<JoinGroupRequest>() == 0);

  world.poll();
  CHECK(world.count<JoinGroupRequest>() == 0);  // the commit comes first
  const Envelope commit = world.take<OffsetCommitRequest>();
  const auto& partitions = std::get<OffsetCommitRequest>(commit.message).partitions;
  REQUIRE(partitions.size() == 2);
  CHECK(partitions[0].offset == 2);
  CHECK(partitions[1].offset == 0);
  // What is fetched meanwhile is not returned any more: it would be read again by the next owner.
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(2, 1)}));
  CHECK(world.returned.size() == 1);
  world.answer(commit, ConsumerWorld::commit_answer(commit));
  CHECK(text(world.rebalances) == "revoked 0 1");
  const Envelope join = world.take<JoinGroupRequest>();
  CHECK(std::get<JoinGroupRequest>(join.message).protocols[0].subscription.owned.empty());
  world.answer(join,
               ConsumerWorld::joined_as_follower(Generation{2}, std::get<JoinGroupRequest>(join.message)));
  world.answer(world.take<SyncGroupRequest>(), SyncGroupResponse{ErrorCode::none, {orders(1)}});
  CHECK(text(world.rebalances) == "revoked 0 1 | assigned 1");
  CHECK(world.consumer.coordinator().generation() == Generation{2});
}

TEST_CASE("the commit before a rebalance is retried while it may yet succeed") {
  ConsumerWorld world;
  world.start_fetching();
  announce_rebalance(world);
  answer_commit(world, ErrorCode::coordinator_load_in_progress);
  CHECK(world.count<OffsetCommitRequest>() == 0);
  world.advance(from_millis(100));
  answer_commit(world, ErrorCode::unknown_member_id);  // no use any more: the partitions are lost
  CHECK(text(world.rebalances) == "assigned 0 1 | lost 0 1");
  CHECK(world.count<JoinGroupRequest>() == 1);
}

TEST_CASE(
    "a cooperative member keeps reading while the group rebalances, gives up what it must, and joins again") {
  ConsumerWorld world(cooperative());
  world.start_fetching();
  world.rebalances.clear();
  announce_rebalance(world);
  const Envelope join = world.take<JoinGroupRequest>();
  const Subscription& subscription = std::get<JoinGroupRequest>(join.message).protocols[0].subscription;
  CHECK(subscription.owned == std::vector<TopicPartition>{orders(0), orders(1)});
  CHECK(subscription.generation == Generation{1});
  CHECK(world.rebalances.empty());

  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(1), {batch(0, 3)}));
  REQUIRE(world.returned == std::vector<std::string>{"1:0-3"});
  // While the application is at work nobody looks at the answer to the join.
  world.answer(join,
               ConsumerWorld::joined_as_follower(Generation{2}, std::get<JoinGroupRequest>(join.message)));
  CHECK(world.count<SyncGroupRequest>() == 0);
  world.advance(from_millis(10'000));
  CHECK(world.count<HeartbeatRequest>() == 0);
  world.poll();
  world.answer(world.take<SyncGroupRequest>(), SyncGroupResponse{ErrorCode::none, {orders(1)}});
  CHECK(text(world.rebalances) == "revoked 0 | assigned");
  CHECK(world.consumer.subscriptions().assigned() == std::vector<TopicPartition>{orders(1)});
  const Envelope again = world.take<JoinGroupRequest>();  // so that partition 0 finds its new owner
  CHECK(std::get<JoinGroupRequest>(again.message).protocols[0].subscription.owned ==
        std::vector<TopicPartition>{orders(1)});
  CHECK(world.consumer.subscriptions().partitions()[0].position.offset == 3);
}

TEST_CASE("reactions to what heartbeats are told") {
  struct Row {
    ErrorCode error;
    const char* want_events;
    const char* want_member_id;  // of the next join
  };
  const Row rows[] = {
      {ErrorCode::illegal_generation, "lost 0 1", "m-1"},
      {ErrorCode::unknown_member_id, "lost 0 1", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(name(row.error));
    ConsumerWorld world(cooperative());
    world.start_fetching();
    world.rebalances.clear();
    world.advance(from_millis(3'000));
    world.answer(world.take<HeartbeatRequest>(), HeartbeatResponse{row.error});
    CHECK(text(world.rebalances) == row.want_events);
    CHECK(std::get<JoinGroupRequest>(world.take<JoinGroupRequest>().message).member_id == row.want_member_id);
  }
  SUBCASE("another coordinator") {
    ConsumerWorld world;
    world.start_fetching();
    world.advance(from_millis(3'000));
    const int lookups = world.lookups;
    world.coordinator = 2;
    world.answer(world.take<HeartbeatRequest>(), HeartbeatResponse{ErrorCode::not_coordinator});
    CHECK(world.lookups == lookups + 1);
    world.answer(world.take<FetchRequest>(), ConsumerWorld::nothing_fetched());  // the lookup waits behind it
    world.advance(from_millis(121));  // a failed heartbeat is repeated after retry.backoff.ms
    CHECK(world.take<HeartbeatRequest>().channel.server == ProcessId{2});
    CHECK(world.count<JoinGroupRequest>() == 0);  // it is still a member
  }
  SUBCASE("fenced by another process of the same instance id") {
    ConsumerConfig config = ConsumerWorld::default_config();
    config.group_instance_id = "i-1";
    ConsumerWorld world(config);
    world.start();
    const Envelope join = world.take<JoinGroupRequest>();
    JoinGroupResponse joined =
        ConsumerWorld::joined_as_leader(Generation{1}, std::get<JoinGroupRequest>(join.message));
    joined.member_id = joined.leader = joined.members[0].member_id = "i-1-x";
    world.answer(join, joined);
    world.answer(world.take<SyncGroupRequest>(), SyncGroupResponse{ErrorCode::none, {orders(0)}});
    world.committed(0);
    world.advance(from_millis(3'000));
    world.answer(world.take<HeartbeatRequest>(), HeartbeatResponse{ErrorCode::fenced_instance_id});
    CHECK(!world.in_poll);
    CHECK(world.error == ConsumerError::fenced_instance_id);
  }
}

TEST_CASE("a coordinator that does not answer for the session timeout is looked for elsewhere") {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.request_timeout_ms = 100'000;
  ConsumerWorld world(config);
  world.start_fetching();
  const int lookups = world.lookups;
  world.advance(from_millis(44'999));
  CHECK(world.lookups == lookups);
  world.advance(from_millis(1));
  CHECK(world.lookups == lookups + 1);
}

TEST_CASE("an application that does not poll for max.poll.interval.ms leaves the group") {
  ConsumerWorld world;
  world.start_fetching();
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 1)}));
  world.rebalances.clear();
  for (int second = 3; second < 300; second += 3) {
    world.advance(from_millis(3'000));
    world.answer(world.take<HeartbeatRequest>(), HeartbeatResponse{});
  }
  CHECK(world.count<LeaveGroupRequest>() == 0);
  world.advance(from_millis(3'000));
  CHECK(std::get<LeaveGroupRequest>(world.take<LeaveGroupRequest>().message).member_id == "m-1");
  world.advance(from_millis(10'000));
  CHECK(world.count<HeartbeatRequest>() == 0);
  CHECK(world.rebalances.empty());
  world.poll();
  CHECK(text(world.rebalances) == "lost 0 1");
  CHECK(std::get<JoinGroupRequest>(world.take<JoinGroupRequest>().message).member_id.empty());
}

TEST_CASE("an application that waits in poll is alive") {
  ConsumerWorld world;
  world.start_fetching();
  for (int second = 0; second < 600; second += 3) {
    world.advance(from_millis(3'000));
    world.serve();
  }
  CHECK(world.count<LeaveGroupRequest>() == 0);
  CHECK(world.consumer.coordinator().generation() == Generation{1});
}

TEST_CASE("join and sync errors") {
  struct Row {
    const char* what;
    ErrorCode join, sync;
    Duration retry_after;
    bool looks_up;
    ConsumerError want;
  };
  const Row rows[] = {
      {"loading: after the back-off", ErrorCode::coordinator_load_in_progress, ErrorCode::none,
       from_millis(100), false, ConsumerError::none},
      {"elsewhere: found anew", ErrorCode::not_coordinator, ErrorCode::none, from_millis(100), true,
       ConsumerError::none},
      {"rebalanced meanwhile: at once", ErrorCode::none, ErrorCode::rebalance_in_progress, Duration{0}, false,
       ConsumerError::none},
      {"a stale generation: at once", ErrorCode::none, ErrorCode::illegal_generation, Duration{0}, false,
       ConsumerError::none},
      {"too many members", ErrorCode::group_max_size_reached, ErrorCode::none, Duration{0}, false,
       ConsumerError::group_max_size_reached},
      {"no common assignor", ErrorCode::inconsistent_group_protocol, ErrorCode::none, Duration{0}, false,
       ConsumerError::inconsistent_group_protocol},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ConsumerWorld world;
    world.start();
    const int lookups = world.lookups;
    Envelope join = world.take<JoinGroupRequest>();
    JoinGroupResponse answer =
        ConsumerWorld::joined_as_follower(Generation{1}, std::get<JoinGroupRequest>(join.message));
    answer.member_id = "m-1";
    answer.error = row.join;
    if (row.looks_up) world.coordinator = 2;
    world.answer(join, answer);
    if (row.join == ErrorCode::none)
      world.answer(world.take<SyncGroupRequest>(), SyncGroupResponse{row.sync, {}});
    CHECK(world.error == row.want);
    CHECK(world.in_poll == (row.want == ConsumerError::none));
    if (row.retry_after > Duration{0}) CHECK(world.count<JoinGroupRequest>() == 0);
    world.advance(row.retry_after);
    CHECK(world.count<JoinGroupRequest>() == (row.want == ConsumerError::none ? 1 : 0));
    CHECK((world.lookups > lookups) == row.looks_up);
  }
}

TEST_CASE("a lost connection to the coordinator fails the join, which is tried again") {
  ConsumerWorld world;
  world.start();
  const Envelope join = world.take<JoinGroupRequest>();
  world.lose(join.channel);
  CHECK(world.count<JoinGroupRequest>() == 0);
  world.advance(from_millis(250));
  CHECK(world.count<JoinGroupRequest>() == 1);
}

TEST_CASE("the leader rejoins when its topic has grown") {
  ConsumerWorld world(cooperative());
  world.start_fetching();
  world.leaders.push_back({NodeId{1}, LeaderEpoch{0}});
  for (int second = 0; second < 300; second += 3) {  // metadata.max.age.ms
    world.advance(from_millis(3'000));
    if (world.count<JoinGroupRequest>() == 0) world.serve();
  }
  const Envelope join = world.take<JoinGroupRequest>();
  world.answer(join,
               ConsumerWorld::joined_as_leader(Generation{2}, std::get<JoinGroupRequest>(join.message)));
  const Envelope sync = world.take<SyncGroupRequest>();
  CHECK(std::get<SyncGroupRequest>(sync.message).assignments.at(0).partitions.size() == 3);
}

TEST_CASE("closing commits, leaves, ends the fetch session and closes the connections") {
  ConsumerWorld world;
  world.start_fetching();
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 2)}));
  world.rebalances.clear();
  world.close();
  CHECK(world.count<LeaveGroupRequest>() == 0);
  const Envelope commit = world.take<OffsetCommitRequest>();
  CHECK(std::get<OffsetCommitRequest>(commit.message).partitions[0].offset == 2);
  world.answer(commit, ConsumerWorld::commit_answer(commit));
  world.answer(world.take<LeaveGroupRequest>(), LeaveGroupResponse{});
  CHECK(text(world.rebalances) == "revoked 0 1");
  const Envelope pipelined = world.take<FetchRequest>();
  CHECK(std::get<FetchRequest>(pipelined.message).session_epoch == 1);
  const Envelope last = world.take<FetchRequest>();
  CHECK(std::get<FetchRequest>(last.message).session_id == 77);
  CHECK(std::get<FetchRequest>(last.message).session_epoch == -1);
  CHECK(!world.consumer.closed());
  world.answer(pipelined, ConsumerWorld::nothing_fetched());
  world.answer(last, FetchResponse{});
  CHECK(world.consumer.closed());
}

TEST_CASE("a static member does not leave when it closes, and a dead cluster does not hold it up for ever") {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.group_instance_id = "i-1";
  ConsumerWorld world(config);
  world.start();
  const Envelope join = world.take<JoinGroupRequest>();
  CHECK(std::get<JoinGroupRequest>(join.message).group_instance_id == "i-1");
  JoinGroupResponse joined =
      ConsumerWorld::joined_as_follower(Generation{1}, std::get<JoinGroupRequest>(join.message));
  joined.member_id = "i-1-x";
  world.answer(join, joined);
  world.answer(world.take<SyncGroupRequest>(), SyncGroupResponse{ErrorCode::none, {orders(0)}});
  world.committed(5);
  world.close();
  CHECK(world.count<OffsetCommitRequest>() == 1);
  world.advance(from_millis(29'999));
  CHECK(!world.consumer.closed());
  world.advance(from_millis(1));
  CHECK(world.consumer.closed());
  CHECK(world.count<LeaveGroupRequest>() == 0);
}

}  // namespace sim::client
