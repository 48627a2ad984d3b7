// Groups of KIP-848 on their coordinator: epochs, reconciliation, fencing, static members, migration.
#include "group/consumer_group.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "group/group_world.h"

namespace sim::group {
namespace {

using test::kOrders;
using test::kReturns;
using test::World;
using enum GroupState;
using Partitions = std::vector<TopicPartition>;

Partitions orders_of(std::initializer_list<int> partitions) {
  Partitions out;
  for (const int partition : partitions) out.push_back(TopicPartition{kOrders, partition});
  return out;
}

metadata::MetadataImage image_with(std::int32_t orders, std::int32_t returns = 0) {
  metadata::MetadataImage image;
  const auto create = [&](const char* name, TopicId id, std::int32_t partitions) {
    image.replay(TopicRecord{name, id});
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
      PartitionRecord record;
      record.tp = TopicPartition{id, partition};
      record.replicas = record.isr = {NodeId{1}};
      record.leader = NodeId{1};
      image.replay(record);
    }
  };
  create("orders", kOrders, orders);
  if (returns > 0) create("returns", kReturns, returns);
  return image;
}

// A coordinator whose clients speak the new protocol, with a topic of six partitions.
class ConsumerGroupWorld : public World {
 public:
  explicit ConsumerGroupWorld(BrokerConfig with = BrokerConfig{}) : World(at_once(std::move(with))) {
    see(image_with(6));
  }

  void see(const metadata::MetadataImage& image) {
    coordinator.topics_may_have_changed();
    coordinator.see_topics(image);
  }
  static ConsumerGroupHeartbeatRequest beat(const std::string& member, int epoch,
                                            std::optional<Partitions> owned = std::nullopt) {
    ConsumerGroupHeartbeatRequest request;
    request.group = "payment";
    request.member_id = member;
    request.member_epoch = Generation{epoch};
    request.client_id = "payment";
    request.owned = std::move(owned);
    return request;
  }
  static ConsumerGroupHeartbeatRequest joining(const std::string& member, const std::string& instance = {}) {
    ConsumerGroupHeartbeatRequest request = beat(member, 0, Partitions{});
    request.group_instance_id = instance;
    request.rebalance_timeout_ms = 60'000;
    request.subscribed_topics = {"orders"};
    return request;
  }
  ConsumerGroupHeartbeatResponse told(const ConsumerGroupHeartbeatRequest& request) {
    return call<ConsumerGroupHeartbeatResponse>(request);
  }
  ConsumerGroupHeartbeatResponse heartbeat_of(const std::string& member, int epoch,
                                              std::optional<Partitions> owned = std::nullopt) {
    return told(beat(member, epoch, std::move(owned)));
  }
  const ConsumerGroupState& state() const { return group().consumer->written; }
  int epoch() const { return state().epoch().value(); }

 private:
  static BrokerConfig at_once(BrokerConfig config) {
    config.group_coordinator_append_linger_ms = 0;
    return config;
  }
};

TEST_CASE("the first member gets everything with its first heartbeat") {
  ConsumerGroupWorld world;
  const auto answer = world.told(ConsumerGroupWorld::joining("a"));
  CHECK(answer.error == ErrorCode::none);
  CHECK(answer.member_epoch == Generation{1});
  CHECK(answer.heartbeat_interval_ms == 5'000);
  REQUIRE(answer.assignment);
  CHECK(*answer.assignment == orders_of({0, 1, 2, 3, 4, 5}));
  CHECK(world.states() == std::vector{stable});
  const auto next = world.heartbeat_of("a", 1, *answer.assignment);
  CHECK(next.member_epoch == Generation{1});
  CHECK_FALSE(next.assignment);  // nothing new
}

TEST_CASE("a second member: the first revokes, acknowledges, and only then the second gets its share") {
  ConsumerGroupWorld world;
  world.told(ConsumerGroupWorld::joining("a"));
  auto second = world.told(ConsumerGroupWorld::joining("b"));
  CHECK(second.member_epoch == Generation{2});
  CHECK(second.assignment == Partitions{});  // all is still a's
  CHECK(world.group().is(reconciling));

  auto first = world.heartbeat_of("a", 1);
  CHECK(first.member_epoch == Generation{1});  // stays until it has revoked
  REQUIRE(first.assignment);
  CHECK(*first.assignment == orders_of({0, 1, 2}));
  second = world.heartbeat_of("b", 2);
  CHECK_FALSE(second.assignment);
  first = world.heartbeat_of("a", 1, orders_of({0, 1, 2, 3, 4, 5}));  // it still has them
  CHECK(first.member_epoch == Generation{1});

  first = world.heartbeat_of("a", 1, orders_of({0, 1, 2}));
  CHECK(first.member_epoch == Generation{2});
  second = world.heartbeat_of("b", 2);
  CHECK(second.assignment == orders_of({3, 4, 5}));
  CHECK(world.group().is(stable));
}

TEST_CASE("who is not where it says it is, is fenced") {
  struct Row {
    const char* about;
    int epoch;
    std::optional<Partitions> owned;
    ErrorCode want;
  };
  const Row rows[] = {
      {"as it is", 2, std::nullopt, ErrorCode::none},
      {"ahead", 3, std::nullopt, ErrorCode::fenced_member_epoch},
      {"the answer was lost", 1, orders_of({0, 1}), ErrorCode::none},
      {"behind, with more than it was given", 1, orders_of({0, 5}), ErrorCode::fenced_member_epoch},
      {"behind, and does not say what it has", 1, std::nullopt, ErrorCode::fenced_member_epoch},
  };
  for (const Row& row : rows) {
    CAPTURE(row.about);
    ConsumerGroupWorld world;
    world.told(ConsumerGroupWorld::joining("a"));
    world.told(ConsumerGroupWorld::joining("b"));
    world.heartbeat_of("a", 1);
    world.heartbeat_of("a", 1, orders_of({0, 1, 2}));
    CHECK(world.heartbeat_of("a", row.epoch, row.owned).error == row.want);
  }
  ConsumerGroupWorld world;
  CHECK(world.heartbeat_of("a", 1).error == ErrorCode::group_id_not_found);
  world.told(ConsumerGroupWorld::joining("a"));
  CHECK(world.heartbeat_of("c", 1).error == ErrorCode::unknown_member_id);
}

TEST_CASE("requests that Kafka refuses before it looks at the group") {
  BrokerConfig small;
  small.group_consumer_max_size = 1;
  ConsumerGroupWorld world(small);
  auto request = ConsumerGroupWorld::joining("a");
  request.server_assignor = "magic";
  CHECK(world.told(request).error == ErrorCode::unsupported_assignor);
  request = ConsumerGroupWorld::joining("a");
  request.owned.reset();
  CHECK(world.told(request).error == ErrorCode::invalid_request);
  request = ConsumerGroupWorld::joining("a");
  request.subscribed_topics.reset();
  CHECK(world.told(request).error == ErrorCode::invalid_request);
  request = ConsumerGroupWorld::beat("a", -2);
  CHECK(world.told(request).error == ErrorCode::invalid_request);  // of a static member alone
  request = ConsumerGroupWorld::joining("a");
  request.subscribed_regex = "orders-[";
  CHECK(world.told(request).error == ErrorCode::invalid_regular_expression);
  CHECK(world.told(ConsumerGroupWorld::joining("a")).error == ErrorCode::none);
  CHECK(world.told(ConsumerGroupWorld::joining("b")).error == ErrorCode::group_max_size_reached);

  BrokerConfig old;
  old.history.consumer_group_protocol = false;
  ConsumerGroupWorld former(old);
  CHECK(former.told(ConsumerGroupWorld::joining("a")).error == ErrorCode::unsupported_version);
}

TEST_CASE("a member that leaves, or is silent for its session, frees its partitions for the next heartbeat") {
  ConsumerGroupWorld world;
  world.told(ConsumerGroupWorld::joining("a"));
  world.told(ConsumerGroupWorld::joining("b"));
  world.heartbeat_of("a", 1);
  world.heartbeat_of("a", 1, orders_of({0, 1, 2}));
  world.heartbeat_of("b", 2);
  CHECK(world.told(ConsumerGroupWorld::beat("b", -1)).member_epoch == Generation{-1});
  CHECK(world.epoch() == 3);
  CHECK(world.group().is(assigning));  // the target is computed when somebody next asks
  const auto first = world.heartbeat_of("a", 2);
  CHECK(first.member_epoch == Generation{3});
  CHECK(first.assignment == orders_of({0, 1, 2, 3, 4, 5}));

  world.pass(44'999ms);
  CHECK(world.state().members().size() == 1);
  world.pass(1ms);  // group.consumer.session.timeout.ms
  CHECK(world.state().members().empty());
  CHECK(world.group().is(empty));
  CHECK(world.heartbeat_of("a", 3).error == ErrorCode::unknown_member_id);
}

TEST_CASE("a member that does not revoke within its rebalance timeout is fenced") {
  ConsumerGroupWorld world;
  world.told(ConsumerGroupWorld::joining("a"));
  world.told(ConsumerGroupWorld::joining("b"));
  world.heartbeat_of("a", 1);
  for (int beats = 0; beats < 5; ++beats) {
    world.pass(11'999ms);
    CHECK(world.heartbeat_of("a", 1).error == ErrorCode::none);
    world.heartbeat_of("b", 2);
  }
  world.pass(5ms);
  CHECK(world.heartbeat_of("a", 1).error == ErrorCode::unknown_member_id);
  const auto second = world.heartbeat_of("b", 2);
  CHECK(second.assignment == orders_of({0, 1, 2, 3, 4, 5}));
}

TEST_CASE("a static member that leaves for a while finds its partitions again under a new member id") {
  ConsumerGroupWorld world;
  world.told(ConsumerGroupWorld::joining("a", "pod-0"));
  world.told(ConsumerGroupWorld::joining("b", "pod-1"));
  auto request = ConsumerGroupWorld::beat("a", 1);
  request.group_instance_id = "pod-0";
  world.told(request);
  request.owned = orders_of({0, 1, 2});
  world.told(request);
  world.told([&] {
    auto other = ConsumerGroupWorld::beat("b", 2);
    other.group_instance_id = "pod-1";
    return other;
  }());
  CHECK(world.told(ConsumerGroupWorld::joining("a2", "pod-0")).error == ErrorCode::unreleased_instance_id);
  request = ConsumerGroupWorld::beat("a", -2);
  request.group_instance_id = "pod-0";
  CHECK(world.told(request).member_epoch == Generation{-2});
  const int before = world.epoch();
  const auto back = world.told(ConsumerGroupWorld::joining("a2", "pod-0"));
  CHECK(back.error == ErrorCode::none);
  CHECK(back.assignment == orders_of({0, 1, 2}));
  CHECK(back.member_epoch == Generation{before});
  CHECK(world.epoch() == before);  // no rebalance
  request = ConsumerGroupWorld::beat("a", 2);
  request.group_instance_id = "pod-0";
  CHECK(world.told(request).error == ErrorCode::fenced_instance_id);
}

TEST_CASE(
    "other topics, another subscription, more partitions: the group epoch rises at the next heartbeat") {
  ConsumerGroupWorld world;
  world.told(ConsumerGroupWorld::joining("a"));
  world.see(image_with(8));
  const auto grown = world.heartbeat_of("a", 1);
  CHECK(grown.member_epoch == Generation{2});
  REQUIRE(grown.assignment);
  CHECK(grown.assignment->size() == 8);
  world.see(image_with(8, 2));  // a topic that nobody subscribes to
  CHECK(world.heartbeat_of("a", 2).member_epoch == Generation{2});
  auto request = ConsumerGroupWorld::beat("a", 2);
  request.subscribed_topics = {"orders", "returns"};
  const auto more = world.told(request);
  CHECK(more.member_epoch == Generation{3});
  REQUIRE(more.assignment);
  CHECK(more.assignment->size() == 10);
}

TEST_CASE("a regular expression is resolved by the coordinator, and again when topics are created") {
  ConsumerGroupWorld world;
  auto request = ConsumerGroupWorld::joining("a");
  request.subscribed_topics.reset();
  request.subscribed_regex = "(orders|returns)";
  auto answer = world.told(request);
  CHECK(answer.assignment == Partitions{});  // not known yet
  answer = world.heartbeat_of("a", answer.member_epoch.value());
  REQUIRE(answer.assignment);
  CHECK(answer.assignment->size() == 6);
  world.pass(20s);
  world.see(image_with(6, 2));
  world.heartbeat_of("a", answer.member_epoch.value());
  answer = world.heartbeat_of("a", answer.member_epoch.value());
  REQUIRE(answer.assignment);
  CHECK(answer.assignment->size() == 8);
}

TEST_CASE("offsets are taken from members in their epoch only") {
  ConsumerGroupWorld world;
  world.told(ConsumerGroupWorld::joining("a"));
  CHECK(world.commit("a", Generation{1}, 0, 5) == ErrorCode::none);
  CHECK(world.commit("a", Generation{2}, 0, 6) == ErrorCode::stale_member_epoch);
  CHECK(world.commit("b", Generation{1}, 0, 6) == ErrorCode::unknown_member_id);
  CHECK(world.commit("", kNoGeneration, 0, 6) == ErrorCode::unknown_member_id);
  auto fetch = world.fetch_request(0, true);
  CHECK(world.call<OffsetFetchResponse>(fetch).error == ErrorCode::none);  // an administrator
  fetch.member_id = "a";
  fetch.member_epoch = Generation{1};
  CHECK(world.call<OffsetFetchResponse>(fetch).partitions.front().offset == 5);
  fetch.member_epoch = Generation{7};
  CHECK(world.call<OffsetFetchResponse>(fetch).error == ErrorCode::stale_member_epoch);
  fetch.member_id = "b";
  CHECK(world.call<OffsetFetchResponse>(fetch).error == ErrorCode::unknown_member_id);
}

TEST_CASE("a new coordinator knows the group from its log") {
  ConsumerGroupWorld world;
  world.told(ConsumerGroupWorld::joining("a"));
  world.told(ConsumerGroupWorld::joining("b"));
  world.heartbeat_of("a", 1);
  world.commit("a", Generation{1}, 0, 5);
  World next = test::take_over(world);
  next.coordinator.see_topics(image_with(6));
  REQUIRE(next.group().consumer);
  const ConsumerGroupState& state = next.group().consumer->written;
  CHECK(state.epoch() == Generation{2});
  CHECK(state.members().size() == 2);
  CHECK(state.find("a")->current.state == MemberAssignmentState::unrevoked_partitions);
  const auto told = [&next](const ConsumerGroupHeartbeatRequest& request) {
    return next.call<ConsumerGroupHeartbeatResponse>(request);
  };
  CHECK(told(ConsumerGroupWorld::beat("a", 1, orders_of({0, 1, 2}))).member_epoch == Generation{2});
  CHECK(told(ConsumerGroupWorld::beat("b", 2)).assignment == orders_of({3, 4, 5}));
  CHECK(next.call<OffsetFetchResponse>(next.fetch_request(0, true)).partitions.front().offset == 5);
  next.pass(45s);  // of nobody has been heard since
  CHECK(next.group().is(empty));
}

TEST_CASE("what could not be written has not happened") {
  ConsumerGroupWorld world;
  world.told(ConsumerGroupWorld::joining("a"));
  world.commits_at_once = false;
  const int second = world.ask(ConsumerGroupWorld::joining("b"));
  REQUIRE(world.asked.size() == 1);
  CHECK(world.state().members().size() == 2);
  world.outcome(0, ErrorCode::not_enough_replicas);
  CHECK(world.answer<ConsumerGroupHeartbeatResponse>(second).error == ErrorCode::coordinator_not_available);
  CHECK(world.state().members().size() == 1);
  CHECK(world.epoch() == 1);
  world.commits_at_once = true;
  CHECK(world.heartbeat_of("a", 1).member_epoch == Generation{1});
  CHECK(world.told(ConsumerGroupWorld::joining("b")).member_epoch == Generation{2});
}

// ---- Migration

// A classic member that has synced, with all partitions.
std::string classic_member(ConsumerGroupWorld& world) {
  const std::string id = world.new_member_id();
  const int number = world.ask(test::join(id));
  world.pass(3s);
  CHECK(world.answer<JoinGroupResponse>(number).error == ErrorCode::none);
  world.sync(id, Generation{1}, {{id, orders_of({0, 1, 2, 3, 4, 5})}});
  world.pass(1ms);
  return id;
}

TEST_CASE(
    "a classic group becomes one of KIP-848 when a new consumer joins, and is one again when it has left") {
  ConsumerGroupWorld world;
  const std::string classic = classic_member(world);
  CHECK(world.commit(classic, Generation{1}, 0, 7) == ErrorCode::none);
  const auto joined = world.told(ConsumerGroupWorld::joining("b"));
  CHECK(joined.error == ErrorCode::none);
  CHECK(joined.member_epoch == Generation{2});
  CHECK(joined.assignment == Partitions{});
  REQUIRE(world.group().consumer);
  // The classic member hears that it has to join anew, and revokes on its way as a cooperative one would.
  CHECK(world.heartbeat(classic, Generation{1}) == ErrorCode::rebalance_in_progress);
  auto request = test::join(classic);
  request.protocols[0].subscription.owned = orders_of({0, 1, 2, 3, 4, 5});
  auto rejoined = world.call<JoinGroupResponse>(request);
  CHECK(rejoined.error == ErrorCode::none);
  CHECK(rejoined.generation == Generation{1});
  auto synced = world.answer<SyncGroupResponse>(world.sync(classic, Generation{1}));
  CHECK(synced.assignment == orders_of({0, 1, 2}));
  CHECK(world.heartbeat(classic, Generation{1}) == ErrorCode::rebalance_in_progress);
  request.protocols[0].subscription.owned = orders_of({0, 1, 2});
  rejoined = world.call<JoinGroupResponse>(request);
  CHECK(rejoined.generation == Generation{2});
  world.sync(classic, Generation{2});
  CHECK(world.heartbeat_of("b", 2).assignment == orders_of({3, 4, 5}));
  CHECK(world.heartbeat(classic, Generation{2}) == ErrorCode::none);
  CHECK(world.commit(classic, Generation{1}, 0, 9) == ErrorCode::illegal_generation);

  world.told(ConsumerGroupWorld::beat("b", -1));
  CHECK_FALSE(world.group().consumer);
  CHECK(world.group().is(preparing_rebalance));
  CHECK(world.heartbeat(classic, Generation{2}) == ErrorCode::rebalance_in_progress);
  CHECK(world.call<OffsetFetchResponse>(world.fetch_request(0, true)).partitions.front().offset == 7);
}

TEST_CASE("group.consumer.migration.policy says which way is open") {
  using server::GroupMigrationPolicy;
  for (const GroupMigrationPolicy policy :
       {GroupMigrationPolicy::disabled, GroupMigrationPolicy::downgrade, GroupMigrationPolicy::upgrade,
        GroupMigrationPolicy::bidirectional}) {
    BrokerConfig config;
    config.group_consumer_migration_policy = policy;
    ConsumerGroupWorld world(config);
    classic_member(world);
    const auto joined = world.told(ConsumerGroupWorld::joining("b"));
    CHECK((joined.error == ErrorCode::none) == server::upgrades(policy));
    if (joined.error != ErrorCode::none) {
      CHECK(joined.error == ErrorCode::group_id_not_found);
      CHECK_FALSE(world.group().consumer);
      continue;
    }
    world.told(ConsumerGroupWorld::beat("b", -1));
    CHECK(world.group().consumer.has_value() == !server::downgrades(policy));
  }
}

TEST_CASE("an empty group is whatever the next member speaks, and keeps its offsets") {
  ConsumerGroupWorld world;
  world.told(ConsumerGroupWorld::joining("a"));
  world.commit("a", Generation{1}, 0, 5);
  world.told(ConsumerGroupWorld::beat("a", -1));
  classic_member(world);
  CHECK_FALSE(world.group().consumer);
  CHECK(world.call<OffsetFetchResponse>(world.fetch_request(0, true)).partitions.front().offset == 5);
}

}  // namespace
}  // namespace sim::group
