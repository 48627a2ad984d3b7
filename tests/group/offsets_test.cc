// The group coordinator's log: batches, what waits for them, failures, retention, and loading it elsewhere.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "group/group_world.h"

namespace sim::group {
namespace {

using test::join;
using test::kOrders;
using test::kReturns;
using test::World;

const Generation kFirstGeneration{1};
const TopicPartition kP0{kOrders, 0};

std::vector<observe::OffsetsStored> stored(const World& world) {
  std::vector<observe::OffsetsStored> list;
  for (const observe::Fact& fact : world.facts) {
    if (const auto* one = std::get_if<observe::OffsetsStored>(&fact)) list.push_back(*one);
  }
  return list;
}

TEST_CASE("what a commit is refused for, in every state of the group") {
  enum class In { absent, empty, preparing, completing, stable };
  struct Row {
    const char* about;
    In in;
    const char* member;  // "" none, "me" the member, else a stranger
    int generation;      // relative to the group's; -100: none
    ErrorCode want;
  };
  const Row rows[] = {
      {"no group, no generation: a simple group is made", In::absent, "", -100, ErrorCode::none},
      {"no group, but a generation", In::absent, "stranger", 0, ErrorCode::group_id_not_found},
      {"empty, no generation", In::empty, "", -100, ErrorCode::none},
      {"empty, a generation", In::empty, "stranger", 0, ErrorCode::unknown_member_id},
      {"preparing, no generation", In::preparing, "", -100, ErrorCode::unknown_member_id},
      {"preparing, a stranger", In::preparing, "stranger", 0, ErrorCode::unknown_member_id},
      {"preparing, another generation", In::preparing, "me", -1, ErrorCode::illegal_generation},
      {"preparing, the right generation", In::preparing, "me", 0, ErrorCode::none},
      {"completing, no generation", In::completing, "", -100, ErrorCode::unknown_member_id},
      {"completing, a stranger", In::completing, "stranger", 0, ErrorCode::unknown_member_id},
      {"completing, another generation", In::completing, "me", -1, ErrorCode::illegal_generation},
      {"completing, the right generation", In::completing, "me", 0, ErrorCode::rebalance_in_progress},
      {"stable, no generation", In::stable, "", -100, ErrorCode::unknown_member_id},
      {"stable, a member without generation", In::stable, "me", -100, ErrorCode::illegal_generation},
      {"stable, a stranger", In::stable, "stranger", 0, ErrorCode::unknown_member_id},
      {"stable, another generation", In::stable, "me", 1, ErrorCode::illegal_generation},
      {"stable, the right generation", In::stable, "me", 0, ErrorCode::none},
  };
  for (const Row& row : rows) {
    CAPTURE(row.about);
    World world;
    std::string me;
    if (row.in != In::absent) me = world.stable_group(1).front();
    if (row.in == In::empty) world.leave(me);
    if (row.in == In::preparing) world.ask(join(world.new_member_id()));
    if (row.in == In::completing) world.ask(join(me));  // the leader, alone: completes at once
    const Generation current = row.in == In::absent ? kFirstGeneration : world.group().generation;
    const Generation generation =
        row.generation == -100 ? kNoGeneration : Generation{current.value() + row.generation};
    const std::string member = std::string{row.member} == "me" ? me : row.member;
    CHECK(world.commit(member, generation, 0, 5) == row.want);
    CHECK(world.committed(0) == (row.want == ErrorCode::none ? 5 : kNoOffset));
  }
}

TEST_CASE("a static member's commit under an old id is fenced") {
  World world;
  const int joining = world.ask(join("", "a"));
  world.pass(3s);
  const std::string id = world.answer<JoinGroupResponse>(joining).member_id;
  world.sync(id, kFirstGeneration);
  world.settle();
  OffsetCommitRequest request = world.commit_request(id, kFirstGeneration, 0, 1);
  request.group_instance_id = "a";
  CHECK(world.call<OffsetCommitResponse>(request).partitions[0].error == ErrorCode::none);
  request.member_id = "a-old";
  CHECK(world.call<OffsetCommitResponse>(request).partitions[0].error == ErrorCode::fenced_instance_id);
  request.group_instance_id = "b";
  CHECK(world.call<OffsetCommitResponse>(request).partitions[0].error == ErrorCode::unknown_member_id);
}

TEST_CASE("commits share a batch for the append linger, and are acknowledged when it is committed") {
  World world;
  const auto ids = world.stable_group(2);
  world.commits_at_once = false;
  const int first = world.ask(world.commit_request(ids[0], kFirstGeneration, 0, 10));
  world.pass(4ms);
  const int second = world.ask(world.commit_request(ids[1], kFirstGeneration, 1, 20));
  const int heartbeat = world.ask(
      HeartbeatRequest{"payment", kFirstGeneration, ids[1], ""});  // waits for what was written before
  CHECK(world.asked.empty());
  world.pass(1ms);
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].records.size() == 2);
  const int third = world.ask(world.commit_request(ids[0], kFirstGeneration, 0, 11));  // the next batch
  const int unstable = world.ask(world.fetch_request(0, false));
  const int stable = world.ask(world.fetch_request(0, true));
  CHECK(world.answer<OffsetFetchResponse>(unstable).partitions[0].offset == kNoOffset);
  CHECK_FALSE(world.answered(first));
  CHECK_FALSE(world.answered(heartbeat));

  world.outcome(0, ErrorCode::none);
  CHECK(world.answered(first));
  CHECK(world.answered(second));
  CHECK(world.answered(heartbeat));
  CHECK_FALSE(world.answered(third));
  CHECK_FALSE(world.answered(stable));
  CHECK(stored(world).size() == 2);
  CHECK(world.committed(0) == 10);
  world.settle();
  CHECK(world.answered(third));
  CHECK(world.answer<OffsetFetchResponse>(stable).partitions[0].offset == 11);
  CHECK(stored(world).back().offset == 11);
  CHECK(stored(world).back().group == "payment");
  CHECK(world.committed(0) == 11);
}

TEST_CASE("a full batch does not wait for its linger; without linger none does") {
  BrokerConfig config = test::lingering_config();
  config.log.max_message_bytes = 1'000;
  World world(config);
  world.commits_at_once = false;
  for (int i = 0; i < 50; ++i) world.ask(world.commit_request("", kNoGeneration, i, 1));
  REQUIRE(world.asked.size() >= 2);
  for (const World::Write& write : world.asked) {
    CHECK(write.records.size() > 1);
    CHECK(make_batch(write.records, 0)->size_bytes <= 1'000);
  }
  config.group_coordinator_append_linger_ms = 0;
  World eager(config);
  eager.commits_at_once = false;
  eager.ask(eager.commit_request("", kNoGeneration, 0, 1));
  CHECK(eager.asked.size() == 1);
}

TEST_CASE(
    "with an adaptive linger a batch takes what comes at the same instant, and waits for nothing later") {
  BrokerConfig config;
  REQUIRE(config.group_coordinator_append_linger_ms == -1);
  World world(config);
  world.commits_at_once = false;
  world.ask(world.commit_request("", kNoGeneration, 0, 1));
  world.ask(world.commit_request("", kNoGeneration, 1, 1));
  CHECK(world.asked.empty());
  world.pass(Duration{});
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].records.size() == 2);
}

TEST_CASE("a failed write: what each request hears") {
  struct Row {
    ErrorCode error;
    ErrorCode told;
    ErrorCode told_to_fetch;
  };
  using enum ErrorCode;
  const Row rows[] = {
      {unknown_topic_or_partition, coordinator_not_available, not_coordinator},
      {not_enough_replicas, coordinator_not_available, not_coordinator},
      {not_leader_or_follower, not_coordinator, not_coordinator},
      {kafka_storage_error, not_coordinator, not_coordinator},
      {message_too_large, unknown_server_error, unknown_server_error},
      {record_list_too_large, unknown_server_error, unknown_server_error},
      {invalid_fetch_size, unknown_server_error, unknown_server_error},
      {policy_violation, policy_violation, policy_violation},
  };
  for (const Row& row : rows) {
    CAPTURE(name(row.error));
    World world;
    const auto ids = world.stable_group(2);
    CHECK(world.commit(ids[0], kFirstGeneration, 0, 3) == none);
    world.commits_at_once = false;
    const int commit = world.ask(world.commit_request(ids[0], kFirstGeneration, 0, 4));
    const int heartbeat = world.ask(HeartbeatRequest{"payment", kFirstGeneration, ids[1], ""});
    const int fetch = world.ask(world.fetch_request(0, true));
    world.pass(5ms);
    world.outcome(0, row.error);
    CHECK(world.answer<OffsetCommitResponse>(commit).partitions[0].error == row.told);
    CHECK(world.answer<HeartbeatResponse>(heartbeat).error == row.told);
    CHECK(world.answer<OffsetFetchResponse>(fetch).error == row.told_to_fetch);
    CHECK(world.committed(0) == 3);
    world.commits_at_once = true;
    CHECK(world.call<OffsetFetchResponse>(world.fetch_request(0, true)).partitions[0].offset ==
          3);  // taken back
  }
}

TEST_CASE("what is in the log is not taken back: only the high watermark counts") {
  World world;
  const auto ids = world.stable_group(1);
  world.commits_at_once = false;
  const int first = world.ask(world.commit_request(ids[0], kFirstGeneration, 0, 1));
  world.pass(5ms);
  const World::Write write = world.asked.front();
  const auto told = [&](ErrorCode error) {
    world.run([&](node::Effects& out) {
      world.coordinator.runtime().written(write.tp, write.id, error, node::Env{world.now, world.rng}, out);
    });
  };
  told(ErrorCode::request_timed_out);
  CHECK_FALSE(world.answered(first));
  CHECK(world.committed(0) == kNoOffset);
  told(ErrorCode::not_enough_replicas_after_append);
  CHECK(world.answer<OffsetCommitResponse>(first).partitions[0].error == ErrorCode::none);
  CHECK(world.committed(0) == 1);
  told(ErrorCode::not_enough_replicas);  // a stale report
  CHECK(world.committed(0) == 1);
}

TEST_CASE("a write that fails before a later one: only its own changes are taken back") {
  World world;
  const auto ids = world.stable_group(1);
  world.commits_at_once = false;
  world.ask(world.commit_request(ids[0], kFirstGeneration, 0, 1));
  world.ask(world.commit_request(ids[0], kFirstGeneration, 1, 1));
  world.pass(5ms);
  world.ask(world.commit_request(ids[0], kFirstGeneration, 0, 2));
  world.pass(5ms);
  REQUIRE(world.asked.size() == 2);
  world.outcome(0, ErrorCode::not_enough_replicas);
  const int fetch = world.ask(OffsetFetchRequest{"payment", "", true, {}});
  world.outcome(0, ErrorCode::none);
  const auto all = world.answer<OffsetFetchResponse>(fetch).partitions;
  REQUIRE(all.size() == 1);
  CHECK(all[0].tp == kP0);
  CHECK(all[0].offset == 2);
}

TEST_CASE("a group whose first record cannot be written never was") {
  World world;
  world.commits_at_once = false;
  const int told = world.ask(join(""));
  const std::string id = world.answer<JoinGroupResponse>(told).member_id;
  const int joining = world.ask(join(id));
  world.pass(5ms);
  world.outcome(0, ErrorCode::not_enough_replicas);
  CHECK(world.answer<JoinGroupResponse>(joining).error == ErrorCode::coordinator_not_available);
  CHECK(world.coordinator.find_group("payment") == nullptr);
  CHECK(world.call<JoinGroupResponse>(join(id)).error == ErrorCode::unknown_member_id);
  world.facts.clear();
  world.pass(1h);
  CHECK(world.facts.empty());  // none of its deadlines is left
  CHECK(world.asked.empty());
}

TEST_CASE("an assignment that cannot be written: everyone hears it, and rejoins") {
  World world;
  const std::string leader = world.new_member_id();
  const std::string other = world.new_member_id();
  world.ask(join(leader));
  world.ask(join(other));
  world.pass(6s);
  world.commits_at_once = false;
  const int first = world.sync(leader, kFirstGeneration, {{leader, {kP0}}});
  const int second = world.sync(other, kFirstGeneration);
  world.pass(5ms);
  world.outcome(0, ErrorCode::not_enough_replicas);
  CHECK(world.answer<SyncGroupResponse>(first).error == ErrorCode::coordinator_not_available);
  CHECK(world.answer<SyncGroupResponse>(second).error == ErrorCode::coordinator_not_available);
  CHECK(world.heartbeat(leader, kFirstGeneration) == ErrorCode::rebalance_in_progress);
  CHECK(world.group().members[0].assignment.empty());
}

TEST_CASE("an assignment committed after the group has moved on is not handed out") {
  World world;
  const std::string leader = world.new_member_id();
  world.ask(join(leader));
  world.pass(3s);
  world.commits_at_once = false;
  const int syncing = world.sync(leader, kFirstGeneration, {{leader, {kP0}}});
  const int id = world.ask(join(""));
  world.ask(join(world.answer<JoinGroupResponse>(id).member_id));
  CHECK(world.answer<SyncGroupResponse>(syncing).error == ErrorCode::rebalance_in_progress);
  world.settle();
  CHECK(world.group().is(GroupState::preparing_rebalance));
  CHECK(world.group().members[0].assignment.empty());
}

TEST_CASE("after offsets.commit.timeout.ms the client is not kept waiting, but the write stands") {
  World world;
  const auto ids = world.stable_group(1);
  world.commits_at_once = false;
  const int first = world.ask(world.commit_request(ids[0], kFirstGeneration, 0, 1));
  world.pass(2s);
  const int second = world.ask(world.commit_request(ids[0], kFirstGeneration, 0, 2));
  world.pass(2'999ms);
  CHECK_FALSE(world.answered(first));
  world.pass(1ms);
  CHECK(world.answer<OffsetCommitResponse>(first).partitions[0].error ==
        ErrorCode::coordinator_not_available);
  CHECK_FALSE(world.answered(second));
  CHECK(world.committed(0) == kNoOffset);
  world.outcome(0, ErrorCode::none);
  CHECK(world.committed(0) == 1);
  world.pass(2s);
  CHECK(world.answer<OffsetCommitResponse>(second).partitions[0].error ==
        ErrorCode::coordinator_not_available);
  world.outcome(0, ErrorCode::none);
  CHECK(world.committed(0) == 2);
}

TEST_CASE("a parked join hears when its write takes too long, and still counts as joined") {
  World world;
  const auto ids = world.stable_group(2);
  world.commits_at_once = false;
  world.ask(world.commit_request(ids[0], kFirstGeneration, 0, 1));
  const int joining = world.ask(join(ids[0]));  // waits for the other, behind the commit
  world.pass(5s);
  CHECK(world.answer<JoinGroupResponse>(joining).error == ErrorCode::coordinator_not_available);
  const int other = world.ask(join(ids[1]));
  CHECK(world.answer<JoinGroupResponse>(other).generation == Generation{2});
  CHECK(world.group().members.size() == 2);
}

// ---- Retention

BrokerConfig short_retention() {
  BrokerConfig config = test::lingering_config();
  config.offsets_retention_minutes = 60;
  return config;  // scanned every ten minutes
}

TEST_CASE("an empty group's offsets expire when it has been empty for the retention time, then the group") {
  World world(short_retention());
  const auto ids = world.stable_group(1);
  world.commit(ids[0], kFirstGeneration, 0, 9);
  world.leave(ids[0]);
  world.pass(11min);  // what its member left behind has come up, and the scan for empty groups
  const int timer_events = world.timer_events;
  world.pass(58min);
  CHECK(world.committed(0) == 9);
  CHECK(world.timer_events == timer_events);  // nothing ticks meanwhile
  world.pass(2min);                           // the first scan after an hour
  world.settle();
  CHECK(world.coordinator.find_group("payment") == nullptr);
  const std::vector<Batch>& log = world.log.begin()->second;
  const auto& last = std::get<std::vector<CoordinatorRecord>>(log.back().data->records);
  REQUIRE(last.size() == 2);
  CHECK(std::get<OffsetCommitRecord>(last[0]).offset == kNoOffset);
  CHECK(std::get<GroupMetadataRecord>(last[1]).tombstone);
  World next = test::take_over(world);
  CHECK(next.coordinator.find_group("payment") == nullptr);
  const int after = world.timer_events;
  world.pass(24h);
  CHECK(world.timer_events - after <= 1);
}

TEST_CASE("in a stable group only offsets of topics it does not subscribe to expire") {
  World world(short_retention());
  const auto ids = world.stable_group(1);
  OffsetCommitRequest request = world.commit_request(ids[0], kFirstGeneration, 0, 9);
  request.partitions.push_back({TopicPartition{kReturns, 0}, 4, LeaderEpoch{0}});
  world.call<OffsetCommitResponse>(request);
  for (int i = 0; i < 3 * 71; ++i) {
    world.pass(20s);
    world.heartbeat(ids[0], kFirstGeneration);
  }
  const auto all = world.call<OffsetFetchResponse>(OffsetFetchRequest{"payment", "", true, {}}).partitions;
  REQUIRE(all.size() == 1);
  CHECK(all[0].tp == kP0);
}

TEST_CASE("a simple group's offsets expire each from its own commit") {
  World world(short_retention());
  world.commit("", kNoGeneration, 0, 1);
  world.pass(30min);
  world.commit("", kNoGeneration, 1, 2);
  world.pass(41min);
  CHECK(world.committed(0) == kNoOffset);
  CHECK(world.committed(1) == 2);
  world.pass(30min);
  CHECK(world.coordinator.find_group("payment") == nullptr);
}

TEST_CASE("tombstones that cannot be written leave everything as it was, and are tried again") {
  World world(short_retention());
  world.commit("", kNoGeneration, 0, 1);
  world.commits_at_once = false;
  world.pass(71min);
  REQUIRE(world.asked.size() == 1);
  CHECK(world.coordinator.find_group("payment") == nullptr);
  world.outcome(0, ErrorCode::not_enough_replicas);
  CHECK(world.committed(0) == 1);
  world.pass(10min);
  REQUIRE(world.asked.size() == 1);
  world.outcome(0, ErrorCode::none);
  CHECK(world.committed(0) == kNoOffset);
}

TEST_CASE("an empty group without offsets goes with the next scan") {
  World world;
  world.new_member_id();
  world.pass(9min);
  CHECK(world.coordinator.find_group("payment") != nullptr);
  world.pass(2min);
  CHECK(world.coordinator.find_group("payment") == nullptr);
}

// ---- Loading

TEST_CASE("what the loaded log holds above the high watermark is told when it is committed") {
  World world;
  world.commit("", kNoGeneration, 0, 1);
  world.commit("", kNoGeneration, 0, 2);
  World next = test::take_over(world, 1);
  CHECK(next.committed(0) == 1);
  const int fetch = next.ask(next.fetch_request(0, true));
  CHECK_FALSE(next.answered(fetch));
  const std::int32_t partition = test::partition_of("payment", next.config);
  next.run([&](node::Effects& out) {
    next.coordinator.runtime().high_watermark_advanced(test::offsets_partition(partition), 2,
                                                       node::Env{next.now, next.rng}, out);
  });
  CHECK(next.answer<OffsetFetchResponse>(fetch).partitions[0].offset == 2);
  CHECK(next.committed(0) == 2);
  CHECK(stored(next).size() == 1);

  World other = test::take_over(world, 1);  // its own write says as much
  CHECK(other.commit("", kNoGeneration, 5, 1) == ErrorCode::none);
  CHECK(other.committed(0) == 2);
}

TEST_CASE("offsets are read in parts while the high watermark advances") {
  World world;
  for (Offset offset = 1; offset <= 4; ++offset) world.commit("", kNoGeneration, 0, offset);
  const auto [partition, log] = *world.log.begin();
  World next(world.config, 3);
  next.lose_all();
  next.coordinator.runtime().elected(test::offsets_partition(partition), LeaderEpoch{1});
  next.coordinator.runtime().replay(test::offsets_partition(partition), {log[0], log[1]}, 1);
  next.coordinator.runtime().replay(test::offsets_partition(partition), {log[2], log[3]}, 4);
  next.run([&, at = partition](node::Effects& out) {
    next.coordinator.runtime().loaded(test::offsets_partition(at), node::Env{next.now, next.rng}, out);
  });
  CHECK(next.committed(0) == 4);
  CHECK(next.call<OffsetFetchResponse>(next.fetch_request(0, true)).partitions[0].offset == 4);
}

// What a member of the random play below knows of itself.
struct Client {
  std::string group;
  std::string instance;
  std::string id;
  Generation generation = kNoGeneration;
  int join = 0;
  int sync = 0;
};

class Play {
 public:
  Play(std::uint64_t seed, bool with_failures)
      : world_(config(), seed), dice_(seed, "dice"), with_failures_(with_failures) {
    world_.commits_at_once = false;
    for (int i = 0; i < 9; ++i) {
      Client& client = clients_.emplace_back();
      client.group = "group-" + std::to_string(i % 3);
      if (i % 4 == 1) client.instance = "instance-" + std::to_string(i);
    }
  }

  void run() {
    for (int i = 0; i < 600; ++i) {
      const std::uint64_t which = dice_.below(clients_.size());
      act(clients_[which]);
      outcomes();
      if (i % 100 == 99) calm_down();
      const std::uint64_t wait = dice_.below(10);
      world_.pass(wait == 0 ? 20s : wait < 5 ? 300ms : 2ms);
    }
    world_.pass(5ms);
    world_.commit_all();
    compare();
  }
  std::set<GroupState> seen;
  int failures = 0;
  int compared_members = 0;

 private:
  static BrokerConfig config() {
    BrokerConfig config = test::lingering_config();
    config.offsets_retention_minutes = 20;
    return config;
  }

  // For a while everyone does what is expected of it.
  void calm_down() {
    for (int round = 0; round < 12; ++round) {
      for (Client& client : clients_) {
        listen(client);
        const ClassicGroup* group = world_.coordinator.find_group(client.group);
        const bool joined = group != nullptr && client.id != "" && client.generation == group->generation;
        const bool rejoins = !joined || group->is(GroupState::preparing_rebalance);
        if (rejoins && client.join == 0) ask_to_join(client, false);
        if (!rejoins && group->is(GroupState::completing_rebalance) && client.sync == 0) sync(client);
      }
      outcomes();
      world_.pass(1s);
    }
  }

  void outcomes() {
    while (!world_.asked.empty() && dice_.below(3) != 0) {
      const bool fails = with_failures_ && dice_.below(8) == 0;
      failures += fails ? 1 : 0;
      const std::size_t index = fails ? dice_.below(world_.asked.size()) : 0;
      world_.outcome(index, fails ? ErrorCode::not_enough_replicas : ErrorCode::none);
    }
  }

  void act(Client& client) {
    listen(client);
    switch (dice_.below(8)) {
      case 0:
      case 1:
      case 2: {
        if (client.join == 0) ask_to_join(client, dice_.below(6) == 0);
        return;
      }
      case 3: {
        if (client.sync == 0) sync(client);
        return;
      }
      case 4:
        world_.ask(HeartbeatRequest{client.group, client.generation, client.id, client.instance});
        return;
      case 5: {
        if (dice_.below(10) != 0) return;
        world_.ask(LeaveGroupRequest{client.group, client.id, ""});
        client = Client{client.group, client.instance, {}, kNoGeneration, 0, 0};
        return;
      }
      default: {
        const std::uint64_t partition = dice_.below(4);
        OffsetCommitRequest request = world_.commit_request(
            client.id, client.generation, static_cast<std::int32_t>(partition), next_offset_++);
        request.group = client.group;
        world_.ask(request);
      }
    }
  }

  void ask_to_join(Client& client, bool for_returns) {
    JoinGroupRequest request = join(client.id, client.instance);
    request.group = client.group;
    if (for_returns) request.protocols[0].subscription.topics.push_back(kReturns);
    client.join = world_.ask(request);
  }
  void sync(Client& client) {
    const ClassicGroup* group = world_.coordinator.find_group(client.group);
    if (group == nullptr || client.id.empty()) return;
    std::vector<SyncGroupRequest::Assignment> assignments;
    if (group->leader == client.id) {
      std::int32_t partition = 0;
      for (const GroupMember& member : group->members)
        assignments.push_back({member.id, {{kOrders, partition++}}});
    }
    client.sync = world_.sync(client.id, client.generation, std::move(assignments), client.group);
  }

  void listen(Client& client) {
    if (client.join != 0 && world_.answered(client.join)) {
      const auto answer = world_.answer<JoinGroupResponse>(std::exchange(client.join, 0));
      if (answer.error == ErrorCode::none) client.generation = answer.generation;
      if (answer.error == ErrorCode::none || answer.error == ErrorCode::member_id_required)
        client.id = answer.member_id;
      if (answer.error == ErrorCode::unknown_member_id || answer.error == ErrorCode::fenced_instance_id)
        client.id.clear();
    }
    if (client.sync != 0 && world_.answered(client.sync)) client.sync = 0;
    if (const ClassicGroup* group = world_.coordinator.find_group(client.group)) seen.insert(group->state);
  }

  void compare() {
    World next = test::take_over(world_);
    for (const std::string name : {"group-0", "group-1", "group-2"}) {
      CAPTURE(name);
      const ClassicGroup* live = world_.coordinator.find_group(name);
      const ClassicGroup* read = next.coordinator.find_group(name);
      const auto all_of = [&](World& world) {
        std::map<TopicPartition, Offset> offsets;
        for (const auto& one :
             world.call<OffsetFetchResponse>(OffsetFetchRequest{name, "", true, {}}).partitions) {
          offsets[one.tp] = one.offset;
        }
        return offsets;
      };
      CHECK(all_of(world_) == all_of(next));
      if (with_failures_) continue;  // members' doings are not undone with a failed write
      REQUIRE((live == nullptr) == (read == nullptr));
      if (live == nullptr) continue;
      if (!live->is(GroupState::stable) && !live->is(GroupState::empty)) continue;
      CHECK(live->generation == read->generation);
      CHECK(live->state == read->state);
      CHECK(live->leader == read->leader);
      CHECK(live->protocol == read->protocol);
      CHECK(live->subscribed == read->subscribed);
      REQUIRE(live->members.size() == read->members.size());
      for (std::size_t i = 0; i < live->members.size(); ++i) {
        CHECK(live->members[i].id == read->members[i].id);
        CHECK(live->members[i].instance_id == read->members[i].instance_id);
        CHECK(live->members[i].assignment == read->members[i].assignment);
        ++compared_members;
      }
    }
  }

  World world_;
  Rng dice_;
  bool with_failures_;
  std::vector<Client> clients_;
  Offset next_offset_ = 1;
};

TEST_CASE("a coordinator read from the log is the one that wrote it") {
  std::set<GroupState> seen;
  int compared_members = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Play play(seed, false);
    play.run();
    seen.insert(play.seen.begin(), play.seen.end());
    compared_members += play.compared_members;
  }
  CHECK(seen.size() == 4);
  CHECK(compared_members > 20);
}

TEST_CASE("offsets are those in the log whatever writes fail") {
  int failures = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Play play(seed, true);
    play.run();
    failures += play.failures;
  }
  CHECK(failures > 200);
}

}  // namespace
}  // namespace sim::group
