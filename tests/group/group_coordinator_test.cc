// The classic group coordinator: members and generations.
#include "group/group_coordinator.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "group/group_world.h"
#include "protocol/java_hash.h"
#include "server/coordinators.h"

namespace sim::group {
namespace {

using test::join;
using test::kOrders;
using test::World;
using enum GroupState;

const Generation kFirst{1};

TEST_CASE("a group's partition is Java's hash of its name") {
  CHECK(server::coordinator_partition("payment", 50) == java_abs(java_string_hash("payment")) % 50);
  CHECK(server::coordinator_partition("", 50) == 0);
  CHECK(server::coordinator_partition("polygenelubricants", 50) == 0);  // hashes to the smallest int
}

TEST_CASE("the first member: told its id, kept waiting for others, made leader, stable when the log has it") {
  World world;
  const auto told = world.call<JoinGroupResponse>(join(""));
  CHECK(told.error == ErrorCode::member_id_required);
  const std::string id = told.member_id;
  REQUIRE(id.size() == std::string{"payment-"}.size() + 36);
  CHECK(id.substr(0, 8) == "payment-");
  CHECK(id[8 + 14] == '4');                                          // version
  CHECK(std::string{"89ab"}.find(id[8 + 19]) != std::string::npos);  // variant

  const int joining = world.ask(join(id));
  world.pass(2'999ms);
  CHECK_FALSE(world.answered(joining));
  world.pass(1ms);  // group.initial.rebalance.delay.ms
  const auto joined = world.answer<JoinGroupResponse>(joining);
  CHECK(joined.error == ErrorCode::none);
  CHECK(joined.generation == kFirst);
  CHECK(joined.leader == id);
  CHECK(joined.protocol == "range");
  REQUIRE(joined.members.size() == 1);
  CHECK(joined.members[0].subscription.topics == std::vector{kOrders});

  world.commits_at_once = false;
  const int syncing = world.sync(id, kFirst, {{id, {TopicPartition{kOrders, 3}}}});
  world.pass(4'999us);
  CHECK(world.asked.empty());
  world.pass(1us);  // group.coordinator.append.linger.ms
  REQUIRE(world.asked.size() == 1);
  CHECK_FALSE(world.answered(syncing));
  CHECK(world.group().is(completing_rebalance));
  world.commit_all();
  CHECK(world.answer<SyncGroupResponse>(syncing).assignment == std::vector{TopicPartition{kOrders, 3}});
  CHECK(world.states() == std::vector{preparing_rebalance, completing_rebalance, stable});
}

TEST_CASE("the initial delay is extended while members come, up to the rebalance timeout") {
  struct Row {
    const char* about;
    int rebalance_timeout_ms;
    std::vector<int> joins_at_ms;
    int done_at_ms;
  };
  const Row rows[] = {
      {"alone", 60'000, {0}, 3'000},
      {"one more in the first delay", 60'000, {0, 1'000}, 6'000},
      {"one more in each of two delays", 60'000, {0, 1'000, 4'000}, 9'000},
      {"one more at the last moment of a delay", 60'000, {0, 2'999}, 6'000},
      {"no time remains", 3'000, {0, 1'000}, 3'000},
      {"the last delay is what remains", 4'000, {0, 1'000, 3'500}, 4'000},
      {"what remains is counted with the delay before", 8'000, {0, 1'000, 4'000, 7'000, 8'500}, 8'000},
  };
  for (const Row& row : rows) {
    CAPTURE(row.about);
    World world;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < row.joins_at_ms.size(); ++i) ids.push_back(world.new_member_id());
    const LocalTime start = world.now;
    int first = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const LocalTime at = start + from_millis(row.joins_at_ms[i]);
      if (at > start + from_millis(row.done_at_ms)) break;
      world.pass(at - world.now);
      JoinGroupRequest request = join(ids[i]);
      request.rebalance_timeout_ms = row.rebalance_timeout_ms;
      const int number = world.ask(request);
      if (i == 0) first = number;
    }
    world.pass(start + from_millis(row.done_at_ms) - 1ms - world.now);
    CHECK_FALSE(world.answered(first));
    world.pass(1ms);
    CHECK(world.answered(first));
  }
}

TEST_CASE("a new member makes everyone rejoin; the group waits for all of them and for pending ids") {
  World world;
  const auto ids = world.stable_group(2);
  const std::string third = world.new_member_id();
  const int joining = world.ask(join(third));
  CHECK(world.group().is(preparing_rebalance));
  CHECK(world.heartbeat(ids[0], kFirst) == ErrorCode::rebalance_in_progress);
  const int second = world.ask(join(ids[1]));
  const std::string ghost = world.new_member_id();  // has an id, has not come back with it
  const int first = world.ask(join(ids[0]));
  CHECK_FALSE(world.answered(first));
  CHECK(world.leave(ghost) == ErrorCode::none);
  REQUIRE(world.answered(first));
  CHECK(world.answer<JoinGroupResponse>(first).members.size() == 3);
  CHECK(world.answer<JoinGroupResponse>(second).members.empty());
  CHECK(world.answer<JoinGroupResponse>(joining).generation == Generation{2});
  CHECK(world.heartbeat(third, Generation{2}) == ErrorCode::none);
  CHECK(world.states() == std::vector{preparing_rebalance, completing_rebalance});
}

TEST_CASE("who does not rejoin within the rebalance timeout is removed; a leader is replaced") {
  World world;
  const auto ids = world.stable_group(2);
  const int second = world.ask(join(ids[1], ""));  // unchanged follower: told the current generation
  CHECK(world.answer<JoinGroupResponse>(second).generation == kFirst);
  JoinGroupRequest changed = join(ids[1]);
  changed.protocols[0].subscription.topics.push_back(test::kReturns);
  const int rejoining = world.ask(changed);
  for (int i = 0; i < 59; ++i) {  // it lives, but does not come
    world.pass(1s);
    CHECK(world.heartbeat(ids[0], kFirst) == ErrorCode::rebalance_in_progress);
  }
  CHECK_FALSE(world.answered(rejoining));
  world.pass(1s);
  CHECK(world.answer<JoinGroupResponse>(rejoining).leader == ids[1]);
  CHECK(world.heartbeat(ids[0], kFirst) == ErrorCode::unknown_member_id);
}

TEST_CASE("a session ends unless a heartbeat, a commit, a join or a sync puts it off") {
  World world;
  const auto ids = world.stable_group(2);
  world.pass(30s);
  CHECK(world.heartbeat(ids[0], kFirst) == ErrorCode::none);
  world.pass(14s);
  CHECK(world.commit(ids[1], kFirst, 1, 5) == ErrorCode::none);
  world.pass(30s);
  CHECK(world.group().members.size() == 2);
  CHECK(world.heartbeat(ids[1], kFirst) == ErrorCode::none);
  world.pass(2s);  // 45 s after ids[0] was heard of
  CHECK(world.group().members.size() == 1);
  CHECK(world.group().is(preparing_rebalance));
  CHECK(world.heartbeat(ids[1], kFirst) == ErrorCode::rebalance_in_progress);
  const int rejoining = world.ask(join(ids[1]));
  CHECK(world.answer<JoinGroupResponse>(rejoining).leader == ids[1]);
}

TEST_CASE("heartbeats and commits queue nothing") {
  World world;
  const auto ids = world.stable_group(3);
  world.pass(400s - world.now.time_since_epoch());  // whatever the joining left behind has come up
  const auto again = world.stable_group(3);
  const std::size_t before = world.coordinator.runtime().queued_deadlines();
  for (int i = 0; i < 10'000; ++i) {
    world.heartbeat(again[static_cast<std::size_t>(i % 3)], world.group().generation);
    if (i % 100 == 0) world.pass(1s);
  }
  CHECK(world.coordinator.runtime().queued_deadlines() <= before);
}

TEST_CASE("a leader that does not sync is removed after the rebalance timeout, and the others rejoin") {
  World world;
  const std::string leader = world.new_member_id();
  const std::string other = world.new_member_id();
  world.ask(join(leader));
  world.ask(join(other));
  world.pass(6s);
  REQUIRE(world.group().is(completing_rebalance));
  const LocalTime joined = world.now;
  const int syncing = world.sync(other, kFirst);
  while (world.now < joined + 59s) {
    world.pass(1s);
    CHECK(world.heartbeat(leader, kFirst) == ErrorCode::none);
  }
  CHECK_FALSE(world.answered(syncing));
  world.pass(1s);
  CHECK(world.answer<SyncGroupResponse>(syncing).error == ErrorCode::rebalance_in_progress);
  CHECK(world.heartbeat(leader, kFirst) == ErrorCode::unknown_member_id);
  const auto rejoined = world.call<JoinGroupResponse>(join(other));
  CHECK(rejoined.leader == other);
  CHECK(rejoined.generation == Generation{2});
}

TEST_CASE("a follower that does not sync is removed from a stable group") {
  World world;
  const std::string leader = world.new_member_id();
  const std::string other = world.new_member_id();
  world.ask(join(leader));
  world.ask(join(other));
  world.pass(6s);
  world.sync(leader, kFirst, {});
  world.settle();
  REQUIRE(world.group().is(stable));
  for (int i = 0; i < 60; ++i) {
    world.pass(1s);
    world.heartbeat(leader, world.group().generation);
    world.heartbeat(other, world.group().generation);
  }
  CHECK(world.group().members.size() == 1);
  CHECK(world.group().is(preparing_rebalance));
}

TEST_CASE("a new member's first join may be parked for five minutes, not for its session timeout") {
  World world;
  const auto ids = world.stable_group(1);
  JoinGroupRequest request = join(world.new_member_id());
  request.rebalance_timeout_ms = 900'000;
  const int joining = world.ask(request);
  while (world.now < LocalTime{} + 299s) {
    world.pass(1s);
    world.heartbeat(ids[0], kFirst);
  }
  CHECK_FALSE(world.answered(joining));
  for (int i = 0; i < 10; ++i) {
    world.pass(1s);
    world.heartbeat(ids[0], kFirst);
  }
  CHECK(world.answer<JoinGroupResponse>(joining).error == ErrorCode::unknown_member_id);
}

TEST_CASE("an id that nobody comes back with is forgotten after the session timeout") {
  World world;
  const std::string id = world.new_member_id();
  world.pass(45s);
  CHECK(world.call<JoinGroupResponse>(join(id)).error == ErrorCode::unknown_member_id);
}

TEST_CASE("the last member leaves: an empty generation is written before the answer") {
  World world;
  const auto ids = world.stable_group(1);
  world.commits_at_once = false;
  const int leaving = world.ask(LeaveGroupRequest{"payment", ids[0], ""});
  CHECK(world.group().is(empty));
  CHECK(world.group().generation == Generation{2});
  world.pass(5ms);
  CHECK_FALSE(world.answered(leaving));
  world.commit_all();
  CHECK(world.answer<LeaveGroupResponse>(leaving).error == ErrorCode::none);
  CHECK(world.states() == std::vector{preparing_rebalance, empty});
  world.commits_at_once = true;
  world.stable_group(1);  // with the initial delay again
  CHECK(world.group().generation == Generation{3});
}

TEST_CASE("leaving: who may, and what the rest hear") {
  World world;
  const auto ids = world.stable_group(2);
  CHECK(world.leave("nobody") == ErrorCode::unknown_member_id);
  CHECK(world.leave("", "no-such-instance") == ErrorCode::unknown_member_id);
  CHECK(world.group().is(stable));
  CHECK(world.leave(ids[0]) == ErrorCode::none);
  CHECK(world.heartbeat(ids[1], kFirst) == ErrorCode::rebalance_in_progress);
  CHECK(world.call<JoinGroupResponse>(join(ids[1])).leader == ids[1]);
}

TEST_CASE("why a member is no longer there, and why the others have to join anew, is told") {
  using observe::DepartureReason;
  using observe::RebalanceReason;
  const auto check_told = [](const World& world, const std::string& member, DepartureReason departure,
                             RebalanceReason rebalance) {
    std::vector<DepartureReason> departures;
    std::vector<RebalanceReason> rebalances;
    for (const observe::Fact& fact : world.facts) {
      if (const auto* one = std::get_if<observe::MemberDeparted>(&fact)) {
        CHECK(one->member == member);
        departures.push_back(one->reason);
      }
      if (const auto* one = std::get_if<observe::RebalanceBegan>(&fact)) rebalances.push_back(one->reason);
    }
    CHECK(departures == std::vector{departure});
    CHECK(rebalances == std::vector{rebalance});
  };
  World world;
  const auto ids = world.stable_group(2);
  world.facts.clear();
  SUBCASE("it was closed") {
    world.call<LeaveGroupResponse>(LeaveGroupRequest{"payment", ids[0], "", LeaveReason::closed});
    check_told(world, ids[0], DepartureReason::closed, RebalanceReason::member_left);
  }
  SUBCASE("it did not poll") {
    world.call<LeaveGroupResponse>(LeaveGroupRequest{"payment", ids[0], "", LeaveReason::poll_timeout});
    check_told(world, ids[0], DepartureReason::poll_timeout, RebalanceReason::member_left);
  }
  SUBCASE("its session is over") {
    for (int second = 0; second < 45; ++second) {
      world.pass(1s);
      world.heartbeat(ids[1], kFirst);
    }
    check_told(world, ids[0], DepartureReason::session_expired, RebalanceReason::member_expelled);
  }
  SUBCASE("it does not join anew in time") {
    world.ask(join(world.new_member_id()));
    for (int second = 0; second < 60; ++second) {
      world.pass(1s);
      if (second == 0) world.ask(join(ids[1]));
      world.heartbeat(ids[0], kFirst);
    }
    check_told(world, ids[0], DepartureReason::join_timeout, RebalanceReason::member_joined);
  }
}

TEST_CASE("the protocol is what most vote for among those all support") {
  struct Row {
    std::vector<std::vector<std::string>> supported;
    std::string want;
  };
  const Row rows[] = {
      {{{"range"}}, "range"},
      {{{"range", "sticky"}, {"sticky", "range"}, {"sticky", "range"}}, "sticky"},
      {{{"range", "sticky"}, {"range", "sticky"}, {"sticky", "range"}}, "range"},
      {{{"range", "sticky"}, {"sticky"}}, "sticky"},
      {{{"a", "range", "sticky"}, {"b", "sticky", "range"}, {"c", "sticky", "range"}}, "sticky"},
  };
  for (const Row& row : rows) {
    ClassicGroup group;
    for (const auto& names : row.supported) {
      GroupMember member;
      member.id = "m" + std::to_string(group.members.size());
      for (const std::string& name : names) member.protocols.push_back({name, {}});
      group.add(std::move(member));
    }
    CHECK(group.select_protocol() == row.want);
  }
}

TEST_CASE("what a join is refused for") {
  struct Row {
    const char* about;
    ErrorCode want;
    void (*change)(JoinGroupRequest&);
  };
  const Row rows[] = {
      {"no group", ErrorCode::invalid_group_id, [](JoinGroupRequest& r) { r.group.clear(); }},
      {"session too short", ErrorCode::invalid_session_timeout,
       [](JoinGroupRequest& r) { r.session_timeout_ms = 5'999; }},
      {"session too long", ErrorCode::invalid_session_timeout,
       [](JoinGroupRequest& r) { r.session_timeout_ms = 1'800'001; }},
      {"another protocol type", ErrorCode::inconsistent_group_protocol,
       [](JoinGroupRequest& r) { r.protocol_type = "connect"; }},
      {"no common assignor", ErrorCode::inconsistent_group_protocol,
       [](JoinGroupRequest& r) { r.protocols[0].name = "sticky"; }},
      {"an unknown member", ErrorCode::unknown_member_id,
       [](JoinGroupRequest& r) { r.member_id = "nobody"; }},
      {"an unknown group", ErrorCode::unknown_member_id,
       [](JoinGroupRequest& r) { r.group = "other", r.member_id = "nobody"; }},
      {"nothing", ErrorCode::member_id_required, [](JoinGroupRequest&) {}},
  };
  World world;
  world.stable_group(1);
  for (const Row& row : rows) {
    CAPTURE(row.about);
    JoinGroupRequest request = join("");
    row.change(request);
    CHECK(world.call<JoinGroupResponse>(request).error == row.want);
  }
}

TEST_CASE("group.max.size") {
  BrokerConfig config = test::lingering_config();
  config.group_max_size = 2;
  World world(config);
  const auto ids = world.stable_group(2);
  CHECK(world.call<JoinGroupResponse>(join("")).error == ErrorCode::group_max_size_reached);
  CHECK(world.call<JoinGroupResponse>(join(ids[1])).error == ErrorCode::none);
}

TEST_CASE("what a sync is refused for") {
  World world;
  const auto ids = world.stable_group(2);
  const auto error = [&](const std::string& id, Generation generation) {
    return world.answer<SyncGroupResponse>(world.sync(id, generation)).error;
  };
  CHECK(error("nobody", kFirst) == ErrorCode::unknown_member_id);
  CHECK(error(ids[1], Generation{0}) == ErrorCode::illegal_generation);
  CHECK(error(ids[1], kFirst) == ErrorCode::none);  // stable: the assignment again
  CHECK(world.answer<SyncGroupResponse>(world.sync(ids[1], kFirst)).assignment ==
        std::vector{TopicPartition{kOrders, 1}});
  world.ask(join(ids[0]));  // the leader rejoins
  CHECK(error(ids[1], kFirst) == ErrorCode::rebalance_in_progress);
}

// ---- Static members

struct StaticGroup {
  std::string leader;
  std::string other;
};
StaticGroup stable_static_group(World& world) {
  const int leader = world.ask(join("", "a"));
  const int other = world.ask(join("", "b"));
  world.pass(6s);
  const StaticGroup ids{world.answer<JoinGroupResponse>(leader).member_id,
                        world.answer<JoinGroupResponse>(other).member_id};
  world.sync(ids.leader, kFirst,
             {{ids.leader, {TopicPartition{kOrders, 0}}}, {ids.other, {TopicPartition{kOrders, 1}}}});
  world.sync(ids.other, kFirst);
  world.settle();
  world.facts.clear();
  return ids;
}

TEST_CASE("a static member comes back without a rebalance, and its old self is fenced") {
  World world;
  const StaticGroup ids = stable_static_group(world);
  CHECK(ids.other.substr(0, 2) == "b-");
  const auto back = world.call<JoinGroupResponse>(join("", "b"));
  CHECK(back.error == ErrorCode::none);
  CHECK(back.generation == kFirst);
  CHECK(back.leader == ids.leader);
  CHECK_FALSE(back.skip_assignment);
  CHECK(back.member_id != ids.other);
  CHECK(world.answer<SyncGroupResponse>(world.sync(back.member_id, kFirst)).assignment ==
        std::vector{TopicPartition{kOrders, 1}});
  CHECK(world.states().empty());
  CHECK(world.heartbeat(ids.other, kFirst, "b") == ErrorCode::fenced_instance_id);
  CHECK(world.heartbeat(ids.other, kFirst) == ErrorCode::unknown_member_id);
  CHECK(world.heartbeat(back.member_id, kFirst, "b") == ErrorCode::none);

  const auto leader_back = world.call<JoinGroupResponse>(join("", "a"));
  CHECK(leader_back.skip_assignment);  // it leads, but need not assign
  CHECK(leader_back.leader == leader_back.member_id);
  CHECK(leader_back.members.size() == 2);
}

TEST_CASE("a static member's new id that cannot be stored is taken back") {
  World world;
  const StaticGroup ids = stable_static_group(world);
  world.commits_at_once = false;
  const int back = world.ask(join("", "b"));
  world.pass(5ms);
  world.outcome(0, ErrorCode::not_enough_replicas);
  CHECK(world.answer<JoinGroupResponse>(back).error == ErrorCode::coordinator_not_available);
  CHECK(world.heartbeat(ids.other, kFirst, "b") == ErrorCode::none);
}

TEST_CASE("a static member that comes back during a rebalance joins it") {
  World world;
  const StaticGroup ids = stable_static_group(world);
  const int leader = world.ask(join(ids.leader, "a"));
  const int back = world.ask(join("", "b"));
  CHECK(world.answer<JoinGroupResponse>(leader).members.size() == 2);
  CHECK(world.answer<JoinGroupResponse>(back).generation == Generation{2});
  const int again = world.ask(join("", "b"));  // completing: the leader may be assigning to its old id
  CHECK_FALSE(world.answered(again));
  CHECK(world.group().is(preparing_rebalance));
}

TEST_CASE("static members that do not rejoin stay until their session ends") {
  World world;
  const StaticGroup ids = stable_static_group(world);
  const int leader = world.ask(join(ids.leader, "a"));
  for (int i = 0; i < 30; ++i) {
    world.pass(2s);
    world.heartbeat(ids.other, kFirst, "b");
  }
  CHECK(world.answer<JoinGroupResponse>(leader).members.size() == 2);  // the rebalance timeout has passed
  CHECK(world.group().members.size() == 2);
  CHECK(world.leave("", "b") == ErrorCode::none);
  CHECK(world.group().members.size() == 1);
}

// ---- Elections

TEST_CASE("who is asked before its log is loaded, or does not lead, says so") {
  World world;
  const auto ids = world.stable_group(1);
  const std::int32_t partition = test::partition_of("payment", world.config);
  const int parked = world.ask(join(ids[0]));  // alone: it completes at once
  CHECK(world.answered(parked));
  const int joining = world.ask(join(world.new_member_id()));
  world.commits_at_once = false;
  world.run([&](node::Effects& out) {
    world.coordinator.runtime().resigned(test::offsets_partition(partition), node::Env{world.now, world.rng},
                                         out);
  });
  CHECK(world.answer<JoinGroupResponse>(joining).error == ErrorCode::not_coordinator);
  CHECK(world.states().back() == dead);
  CHECK(world.heartbeat(ids[0], kFirst) == ErrorCode::not_coordinator);
  CHECK(world.commit(ids[0], kFirst, 0, 1) == ErrorCode::not_coordinator);

  world.coordinator.runtime().elected(test::offsets_partition(partition), LeaderEpoch{1});
  CHECK(world.heartbeat(ids[0], kFirst) == ErrorCode::none);  // nobody can tell yet
  CHECK(world.commit(ids[0], kFirst, 0, 1) == ErrorCode::coordinator_load_in_progress);
  CHECK(world.call<JoinGroupResponse>(join("")).error == ErrorCode::coordinator_load_in_progress);
  CHECK(world.call<LeaveGroupResponse>(LeaveGroupRequest{"payment", ids[0], ""}).error ==
        ErrorCode::coordinator_load_in_progress);
  CHECK(world.call<OffsetFetchResponse>(world.fetch_request(0, true)).error ==
        ErrorCode::coordinator_load_in_progress);
  CHECK(world.answer<SyncGroupResponse>(world.sync(ids[0], kFirst)).error ==
        ErrorCode::coordinator_load_in_progress);
}

TEST_CASE("everything that waits hears NOT_COORDINATOR when leadership is lost") {
  World world;
  const auto ids = world.stable_group(2);
  world.commits_at_once = false;
  const int commit = world.ask(world.commit_request(ids[0], kFirst, 0, 7));
  const int heartbeat = world.ask(HeartbeatRequest{"payment", kFirst, ids[1], ""});
  const int fetch = world.ask(world.fetch_request(0, true));
  world.lose_all();
  const int timer_events = world.timer_events;
  CHECK(world.answer<OffsetCommitResponse>(commit).partitions[0].error == ErrorCode::not_coordinator);
  CHECK(world.answer<HeartbeatResponse>(heartbeat).error == ErrorCode::not_coordinator);
  CHECK(world.answer<OffsetFetchResponse>(fetch).error == ErrorCode::not_coordinator);
  world.pass(400s);
  CHECK(world.timer_events == timer_events);  // nothing is left to wait for
}

TEST_CASE("the new coordinator knows members, generation and assignment; each has a full session again") {
  World world;
  const auto ids = world.stable_group(2);
  CHECK(world.commit(ids[1], kFirst, 1, 42) == ErrorCode::none);
  world.pass(44s);
  World next = test::take_over(world);
  CHECK(next.states() == std::vector{stable});
  CHECK(next.committed(1) == 42);
  next.pass(44s);
  CHECK(next.heartbeat(ids[0], kFirst) == ErrorCode::none);
  CHECK(next.answer<SyncGroupResponse>(next.sync(ids[1], kFirst)).assignment ==
        std::vector{TopicPartition{kOrders, 1}});
  next.pass(1s);  // of the other nothing was heard
  CHECK(next.group().is(preparing_rebalance));
  CHECK(next.group().members.size() == 1);
  CHECK(next.heartbeat(ids[0], kFirst) == ErrorCode::rebalance_in_progress);
}

TEST_CASE("a copy in mid-run plays on as the original") {
  World world;
  world.stable_group(3);
  world.ask(join(""));
  World copy = world;
  for (World* one : {&world, &copy}) {
    one->pass(20s);
    one->ask(join(one->new_member_id()));
    one->pass(200s);
  }
  CHECK(world.states() == copy.states());
  CHECK(world.timer_events == copy.timer_events);
  CHECK(world.group().generation == copy.group().generation);
}

}  // namespace
}  // namespace sim::group
