// Positions: committed offsets, auto.offset.reset, and the check after a change of leader (KIP-320).
#include <doctest/doctest.h>

#include "client/consumer_world.h"
#include "client/subscription_state.h"

namespace sim::client {
namespace {

using namespace test;

ConsumerConfig with_reset(AutoOffsetReset policy) {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.auto_offset_reset = policy;
  return config;
}

void answer_offsets(ConsumerWorld& world, Offset offset, ErrorCode error = ErrorCode::none) {
  const Envelope request = world.take<ListOffsetsRequest>();
  ListOffsetsResponse response;
  for (const auto& partition : std::get<ListOffsetsRequest>(request.message).partitions) {
    response.partitions.push_back({partition.tp, error, offset, LeaderEpoch{0}});
  }
  world.answer(request, response);
}

}  // namespace

TEST_CASE("a position comes from the committed offset, else from auto.offset.reset") {
  struct Row {
    Offset committed;
    AutoOffsetReset policy;
    std::int64_t want_timestamp;  // 0 = no lookup
    Offset want;
    ConsumerError error;
  };
  const Row rows[] = {
      {8, AutoOffsetReset::latest, 0, 8, ConsumerError::none},
      {kNoOffset, AutoOffsetReset::latest, kLatestTimestamp, 40, ConsumerError::none},
      {kNoOffset, AutoOffsetReset::earliest, kEarliestTimestamp, 40, ConsumerError::none},
      {kNoOffset, AutoOffsetReset::none, 0, 0, ConsumerError::no_offset_for_partition},
  };
  for (const Row& row : rows) {
    CAPTURE(row.committed);
    ConsumerWorld world(with_reset(row.policy), 1);
    world.start();
    world.join();
    CHECK(world.count<FetchRequest>() == 0);
    world.committed(row.committed);
    CHECK(world.error == row.error);
    if (row.error != ConsumerError::none) continue;
    if (row.want_timestamp != 0) {
      const auto& lookup = std::get<ListOffsetsRequest>(world.requests.back().message);
      CHECK(lookup.partitions.at(0).timestamp == row.want_timestamp);
      answer_offsets(world, 40);
      const auto resets = world.facts<observe::PositionReset>();
      REQUIRE(resets.size() == 1);
      CHECK(resets[0].to == 40);
    }
    const Envelope fetch = world.take<FetchRequest>();
    CHECK(std::get<FetchRequest>(fetch.message).partitions.at(0).fetch_offset == row.want);
  }
}

TEST_CASE("a lookup that fails is repeated after the back-off") {
  ConsumerWorld world(ConsumerWorld::default_config(), 1);
  world.start();
  world.join();
  world.committed(kNoOffset);
  answer_offsets(world, 0, ErrorCode::not_leader_or_follower);
  CHECK(world.count<ListOffsetsRequest>() == 0);
  world.advance(from_millis(100));
  answer_offsets(world, 7);
  CHECK(std::get<FetchRequest>(world.take<FetchRequest>().message).partitions.at(0).fetch_offset == 7);
}

TEST_CASE("unstable committed offsets are asked for again") {
  ConsumerWorld world(ConsumerWorld::default_config(), 1);
  world.start();
  world.join();
  const Envelope request = world.take<OffsetFetchRequest>();
  OffsetFetchResponse unstable;
  unstable.partitions.push_back({orders(0), ErrorCode::unstable_offset_commit, kNoOffset, kNoLeaderEpoch});
  world.answer(request, unstable);
  CHECK(world.count<OffsetFetchRequest>() == 0);
  world.advance(from_millis(121));
  CHECK(world.count<OffsetFetchRequest>() == 1);
}

TEST_CASE("after a change of leader the position is checked against the new leader's log") {
  struct Row {
    const char* what;
    AutoOffsetReset policy;
    LeaderEpoch epoch;
    Offset end_offset;
    Offset want;  // of the next fetch; kNoOffset = none
    bool looks_up;
    ConsumerError error;
  };
  const Row rows[] = {
      {"nothing was lost", AutoOffsetReset::latest, LeaderEpoch{0}, 3, 3, false, ConsumerError::none},
      {"truncated below the position", AutoOffsetReset::latest, LeaderEpoch{0}, 2, 2, false,
       ConsumerError::none},
      {"the epoch is unknown", AutoOffsetReset::latest, kNoLeaderEpoch, kNoOffset, kNoOffset, true,
       ConsumerError::none},
      {"truncated, and no policy", AutoOffsetReset::none, LeaderEpoch{0}, 2, kNoOffset, false,
       ConsumerError::log_truncation},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ConsumerWorld world(with_reset(row.policy), 1, 2);
    world.start_fetching();
    world.answer(world.take<FetchRequest>(),
                 ConsumerWorld::fetched(orders(0), {batch(0, 3)}));  // position 3, epoch 0
    world.poll();
    world.leaders[0] = {NodeId{2}, LeaderEpoch{4}};
    FetchResponse moved = ConsumerWorld::fetched(orders(0), {});
    moved.partitions[0].error = ErrorCode::not_leader_or_follower;
    moved.partitions[0].current_leader = LeaderHint{NodeId{2}, LeaderEpoch{4}, ProcessId{2}};
    world.answer(world.take<FetchRequest>(), moved);

    CHECK(world.count<FetchRequest>() == 0);  // not before the position is known to exist
    const Envelope asked = world.take<OffsetForLeaderEpochRequest>();
    CHECK(asked.channel.server == ProcessId{2});
    const auto& partition = std::get<OffsetForLeaderEpochRequest>(asked.message).partitions.at(0);
    CHECK(partition.leader_epoch == LeaderEpoch{0});
    CHECK(partition.current_leader_epoch == LeaderEpoch{4});
    OffsetForLeaderEpochResponse answer;
    answer.partitions.push_back({orders(0), ErrorCode::none, row.epoch, row.end_offset});
    world.answer(asked, answer);
    CHECK(world.error == row.error);
    CHECK(world.count<ListOffsetsRequest>() == (row.looks_up ? 1 : 0));
    CHECK(world.facts<observe::PositionReset>().size() == (row.want == 2 ? 1 : 0));
    REQUIRE(world.count<FetchRequest>() == (row.want == kNoOffset ? 0 : 1));
    if (row.want == kNoOffset) continue;
    const Envelope fetch = world.take<FetchRequest>();
    CHECK(fetch.channel.server == ProcessId{2});
    CHECK(std::get<FetchRequest>(fetch.message).partitions.at(0).fetch_offset == row.want);
  }
}

TEST_CASE("a check that fails is repeated, and one that is overtaken is ignored") {
  ConsumerWorld world(ConsumerWorld::default_config(), 1, 2);
  world.start_fetching();
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 3)}));
  world.poll();
  const auto move_to = [&](int node, int epoch) {
    world.leaders[0] = {NodeId{node}, LeaderEpoch{epoch}};
    FetchResponse moved = ConsumerWorld::fetched(orders(0), {});
    moved.partitions[0].error = ErrorCode::not_leader_or_follower;
    moved.partitions[0].current_leader = LeaderHint{NodeId{node}, LeaderEpoch{epoch}, ProcessId{node}};
    return moved;
  };
  world.answer(world.take<FetchRequest>(), move_to(2, 4));
  OffsetForLeaderEpochResponse refused;
  refused.partitions.push_back({orders(0), ErrorCode::unknown_leader_epoch, kNoLeaderEpoch, kNoOffset});
  world.answer(world.take<OffsetForLeaderEpochRequest>(), refused);
  CHECK(world.count<OffsetForLeaderEpochRequest>() == 0);
  world.leaders[0] = {NodeId{1},
                      LeaderEpoch{5}};  // the metadata asked for after the failure tells of another leader
  world.advance(from_millis(121));
  const Envelope asked = world.take<OffsetForLeaderEpochRequest>();
  CHECK(asked.channel.server == ProcessId{1});
  CHECK(std::get<OffsetForLeaderEpochRequest>(asked.message).partitions.at(0).current_leader_epoch ==
        LeaderEpoch{5});
}

TEST_CASE("the states of a partition") {
  SubscriptionState subscriptions(AutoOffsetReset::latest);
  subscriptions.assign({orders(1), orders(0)});
  CHECK(!subscriptions.has_all_fetch_positions());
  CHECK(subscriptions.reset_initializing_positions().empty());
  CHECK(!subscriptions.maybe_seek_to_reset(orders(0), AutoOffsetReset::earliest, 3, {}));
  CHECK(
      subscriptions.maybe_seek_to_reset(orders(0), AutoOffsetReset::latest, 3, {NodeId{1}, LeaderEpoch{2}}));
  CHECK(
      !subscriptions.maybe_seek_to_reset(orders(0), AutoOffsetReset::latest, 9, {}));  // no longer asked for
  subscriptions.seek_unvalidated(orders(1), FetchPosition{5, LeaderEpoch{1}, {NodeId{1}, LeaderEpoch{2}}});
  CHECK(!subscriptions.has_all_fetch_positions());  // an epoch of its own: to be validated
  CHECK(subscriptions.all_consumed().size() == 1);
  subscriptions.maybe_validate_position(orders(0), {kNoNode, LeaderEpoch{3}});
  CHECK(subscriptions.find(orders(0))->state == FetchState::fetching);  // nobody to ask
  subscriptions.maybe_validate_position(orders(0), {NodeId{2}, LeaderEpoch{3}});
  CHECK(subscriptions.find(orders(0))->state == FetchState::fetching);  // no epoch to compare
  CHECK(subscriptions.find(orders(0))->position.current_leader.leader == NodeId{2});
  const FetchPosition asked = subscriptions.find(orders(1))->position;
  CHECK(subscriptions.maybe_complete_validation(orders(1), FetchPosition{4, LeaderEpoch{1}, {}}, 9,
                                                LeaderEpoch{1}) == Validation::ignored);
  CHECK(subscriptions.maybe_complete_validation(orders(1), asked, 9, LeaderEpoch{1}) == Validation::valid);
  CHECK(subscriptions.has_all_fetch_positions());

  // Who was served steps back; who stays keeps its place in the states.
  subscriptions.move_to_end(orders(0));
  std::vector<std::int32_t> round;
  subscriptions.for_each_in_round(
      [&](const SubscriptionState::Partition& partition) { round.push_back(partition.tp.partition); });
  CHECK(round == std::vector<std::int32_t>{1, 0});
  subscriptions.assign({orders(0), orders(2)});
  CHECK(subscriptions.find(orders(0))->position.offset == 3);
  CHECK(subscriptions.find(orders(1)) == nullptr);
  CHECK(!subscriptions.has_all_fetch_positions());
}

}  // namespace sim::client
