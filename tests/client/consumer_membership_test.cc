// A consumer of group.protocol=consumer (KIP-848), whose coordinator's answers are written by hand.
#include "client/consumer_membership.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/consumer_world.h"

namespace sim::client {
namespace {

using test::batch;
using test::ConsumerWorld;
using test::orders;
using State = ConsumerMembership::State;
using Owned = std::optional<std::vector<TopicPartition>>;

ConsumerConfig new_protocol(bool auto_commit = true) {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.group_protocol = GroupProtocol::consumer;
  config.enable_auto_commit = auto_commit;
  return config;
}

struct Beat {
  Envelope envelope;
  ConsumerGroupHeartbeatRequest request;
};
Beat take_beat(ConsumerWorld& world) {
  Beat beat{world.take<ConsumerGroupHeartbeatRequest>(), {}};
  beat.request = std::get<ConsumerGroupHeartbeatRequest>(beat.envelope.message);
  return beat;
}
void answer_beat(ConsumerWorld& world, const Beat& beat, int epoch, Owned assignment = std::nullopt) {
  ConsumerGroupHeartbeatResponse response;
  response.member_id = beat.request.member_id;
  response.member_epoch = Generation{epoch};
  response.heartbeat_interval_ms = 5'000;
  response.assignment = std::move(assignment);
  world.answer(beat.envelope, response);
}
void refuse_beat(ConsumerWorld& world, const Beat& beat, ErrorCode error) {
  ConsumerGroupHeartbeatResponse response;
  response.error = error;
  world.answer(beat.envelope, response);
}
State state_of(const ConsumerWorld& world) {
  return world.consumer.coordinator().consumer()->state();
}

// A member of epoch 1 with both partitions, that fetches from `offset`.
void become_member(ConsumerWorld& world, Offset offset = 0) {
  world.start();
  answer_beat(world, take_beat(world), 1, std::vector{orders(0), orders(1)});
  const Beat acknowledged = take_beat(world);
  CHECK(acknowledged.request.owned == Owned{std::vector{orders(0), orders(1)}});
  answer_beat(world, acknowledged, 1);
  world.committed(offset);
}

TEST_CASE(
    "joining: all about the member in one heartbeat; its assignment is acknowledged with the next, at once") {
  ConsumerWorld world(new_protocol());
  world.start();
  const Beat joining = take_beat(world);
  CHECK(joining.request.member_id.size() == 22);
  CHECK(joining.request.member_epoch == Generation{0});
  CHECK(joining.request.rebalance_timeout_ms == 300'000);
  CHECK(joining.request.subscribed_topics == std::vector<std::string>{"orders"});
  CHECK(joining.request.owned == Owned{std::vector<TopicPartition>{}});
  answer_beat(world, joining, 1, std::vector{orders(0), orders(1)});
  CHECK(world.consumer.subscriptions().assigned().size() == 2);
  const Beat acknowledging = take_beat(world);
  CHECK(acknowledging.request.member_epoch == Generation{1});
  CHECK_FALSE(acknowledging.request.subscribed_topics);  // told already
  CHECK(acknowledging.request.owned == Owned{std::vector{orders(0), orders(1)}});
  CHECK(state_of(world) == State::stable);
  answer_beat(world, acknowledging, 1);
  const Envelope fetch = world.take<OffsetFetchRequest>();
  CHECK(std::get<OffsetFetchRequest>(fetch.message).member_epoch == Generation{1});
}

TEST_CASE("heartbeats go on at the interval that the coordinator told, whatever the application does") {
  ConsumerWorld world(new_protocol());
  become_member(world);
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 2)}));
  REQUIRE(world.returned == std::vector<std::string>{"0:0-2"});  // it is at work from here on
  for (int beats = 0; beats < 3; ++beats) {
    world.advance(from_millis(5'000));
    REQUIRE(world.count<ConsumerGroupHeartbeatRequest>() == 1);
    const Beat beat = take_beat(world);
    CHECK_FALSE(beat.request.owned);  // unchanged
    answer_beat(world, beat, 1);
  }
}

TEST_CASE("with auto-commit partitions are committed and given up in poll() only, and then acknowledged") {
  ConsumerWorld world(new_protocol());
  become_member(world);
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 2)}));
  world.advance(from_millis(5'000));
  answer_beat(world, take_beat(world), 1, std::vector{orders(1)});
  CHECK(state_of(world) == State::reconciling);
  CHECK(world.count<OffsetCommitRequest>() == 0);  // the application is at work
  world.poll();
  const Envelope commit = world.take<OffsetCommitRequest>();
  CHECK(std::get<OffsetCommitRequest>(commit.message).generation == Generation{1});
  CHECK(std::get<OffsetCommitRequest>(commit.message).partitions[0].offset == 2);
  CHECK(world.consumer.subscriptions().assigned().size() == 2);
  world.answer(commit, ConsumerWorld::commit_answer(commit));
  CHECK(world.consumer.subscriptions().assigned() == std::vector{orders(1)});
  const Beat acknowledging = take_beat(world);
  CHECK(acknowledging.request.owned == Owned{std::vector{orders(1)}});
}

TEST_CASE("without auto-commit partitions go at once, in the middle of a batch") {
  ConsumerWorld world(new_protocol(false));
  become_member(world);
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 2)}));
  world.advance(from_millis(5'000));
  answer_beat(world, take_beat(world), 1, std::vector{orders(1)});
  CHECK(world.consumer.subscriptions().assigned() == std::vector{orders(1)});
  CHECK(take_beat(world).request.owned == Owned{std::vector{orders(1)}});
}

TEST_CASE("the commit before partitions are given up is tried again in a new epoch, and given up otherwise") {
  struct Row {
    ErrorCode error;
    bool tried_again;
  };
  for (const Row& row :
       {Row{ErrorCode::stale_member_epoch, true}, Row{ErrorCode::coordinator_load_in_progress, true},
        Row{ErrorCode::unknown_member_id, false}, Row{ErrorCode::unknown_topic_or_partition, false}}) {
    CAPTURE(static_cast<int>(row.error));
    ConsumerWorld world(new_protocol());
    become_member(world);
    world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 2)}));
    world.advance(from_millis(4'900));
    world.advance(from_millis(100));
    answer_beat(world, take_beat(world), 1, std::vector{orders(1)});
    world.poll();
    const Envelope commit = world.take<OffsetCommitRequest>();
    world.answer(commit, ConsumerWorld::commit_answer(commit, row.error));
    CHECK((world.consumer.subscriptions().assigned().size() == 2) == row.tried_again);
    world.advance(from_millis(150));
    CHECK((world.count<OffsetCommitRequest>() == 1) == row.tried_again);
  }
}

TEST_CASE("a fenced member loses all, and joins anew at once under its own id") {
  for (const ErrorCode error : {ErrorCode::fenced_member_epoch, ErrorCode::unknown_member_id}) {
    ConsumerWorld world(new_protocol());
    become_member(world);
    world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 2)}));
    world.advance(from_millis(5'000));
    const Beat beat = take_beat(world);
    refuse_beat(world, beat, error);
    CHECK(world.consumer.subscriptions().assigned().empty());
    const auto lost = world.facts<observe::PartitionsRevoked>();
    REQUIRE(lost.size() == 1);
    CHECK(lost.front().lost);
    const Beat rejoining = take_beat(world);
    CHECK(rejoining.request.member_epoch == Generation{0});
    CHECK(rejoining.request.member_id == beat.request.member_id);
    CHECK(rejoining.request.is_full());
  }
}

TEST_CASE("max.poll.interval.ms without a poll: it leaves, and joins anew with the next poll") {
  ConsumerConfig config = new_protocol();
  config.max_poll_interval_ms = 12'000;
  ConsumerWorld world(config);
  become_member(world);
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 2)}));
  for (int beats = 0; beats < 2; ++beats) {
    world.advance(from_millis(5'000));
    answer_beat(world, take_beat(world), 1);
  }
  world.advance(from_millis(2'000));
  const Beat leaving = take_beat(world);
  CHECK(leaving.request.member_epoch == Generation{-1});
  CHECK(leaving.request.leave_reason == LeaveReason::poll_timeout);
  CHECK(state_of(world) == State::stale);
  CHECK(world.consumer.subscriptions().assigned().empty());
  answer_beat(world, leaving, -1);
  world.advance(from_millis(20'000));
  CHECK(world.count<ConsumerGroupHeartbeatRequest>() == 0);
  world.poll();
  CHECK(take_beat(world).request.member_epoch == Generation{0});
}

TEST_CASE("closing: it commits, and says that it leaves; a static member for a while only") {
  for (const bool is_static : {false, true}) {
    ConsumerConfig config = new_protocol();
    if (is_static) config.group_instance_id = "pod-0";
    ConsumerWorld world(config);
    become_member(world);
    world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 2)}));
    world.close();
    CHECK(world.count<ConsumerGroupHeartbeatRequest>() == 0);
    const Envelope commit = world.take<OffsetCommitRequest>();
    world.answer(commit, ConsumerWorld::commit_answer(commit));
    const Beat leaving = take_beat(world);
    CHECK(leaving.request.member_epoch == Generation{is_static ? -2 : -1});
    answer_beat(world, leaving, is_static ? -2 : -1);
  }
}

TEST_CASE("what cannot be mended is told to the application") {
  struct Row {
    ErrorCode error;
    ConsumerError want;
  };
  const Row rows[] = {
      {ErrorCode::unsupported_version, ConsumerError::unsupported_version},
      {ErrorCode::unreleased_instance_id, ConsumerError::unreleased_instance_id},
      {ErrorCode::group_max_size_reached, ConsumerError::group_max_size_reached},
      {ErrorCode::unsupported_assignor, ConsumerError::unsupported_assignor},
      {ErrorCode::group_id_not_found, ConsumerError::unexpected},
  };
  for (const Row& row : rows) {
    ConsumerWorld world(new_protocol());
    world.start();
    refuse_beat(world, take_beat(world), row.error);
    CHECK(world.consumer.error() == row.want);
    CHECK(state_of(world) == State::fatal);
  }
}

TEST_CASE("another coordinator is looked for, and told everything anew") {
  ConsumerWorld world(new_protocol());
  become_member(world);
  world.advance(from_millis(5'000));
  refuse_beat(world, take_beat(world), ErrorCode::not_coordinator);
  world.answer(world.take<FetchRequest>(),
               ConsumerWorld::nothing_fetched());  // FindCoordinator waits behind it
  world.advance(from_millis(200));
  const Beat beat = take_beat(world);
  CHECK(beat.request.member_epoch == Generation{1});
  CHECK(beat.request.is_full());
}

}  // namespace
}  // namespace sim::client
