// Rules that no sweep would miss: one replica, asked by hand.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "raft/outages.h"

namespace sim::raft::test {
namespace {

TEST_CASE("a Prospective that is reminded of the leader it knows goes on asking") {
  World world(WorldSpec{});
  REQUIRE(a_cold_start(world));
  REQUIRE(world.run_until([&] { return world.leader().has_value(); }));
  const std::size_t leader = *world.leader();
  const std::size_t follower = (leader + 1) % 3;
  world.isolate(follower);
  REQUIRE(
      world.run_until([&] { return std::holds_alternative<Prospective>(world.replica(follower).role()); }));
  const QuorumEpoch epoch = world.replica(leader).epoch();
  CHECK(world.replica(follower).leader() == world.key(leader).id);
  world.ask(follower, BeginQuorumEpochRequest{world.key(follower), world.key(leader).id,
                                              world.as_voter(leader).endpoint, epoch});
  CHECK(std::holds_alternative<Prospective>(world.replica(follower).role()));
  // A later leader is another matter.
  world.ask(follower, BeginQuorumEpochRequest{world.key(follower), world.key(leader).id,
                                              world.as_voter(leader).endpoint, epoch.next()});
  CHECK(std::holds_alternative<Follower>(world.replica(follower).role()));
}

TEST_CASE(
    "a voter that is asked to stop while it is cut off ends when its time is over, and idles until then") {
  World world(WorldSpec{});
  REQUIRE(a_cold_start(world));
  REQUIRE(world.run_until([&] { return world.leader().has_value(); }));
  const std::size_t follower = (*world.leader() + 1) % 3;
  world.isolate(follower);
  REQUIRE(
      world.run_until([&] { return std::holds_alternative<Prospective>(world.replica(follower).role()); }));
  const Instant asked = world.now();
  world.shut_down(follower);
  REQUIRE(world.run_until([&] { return world.shut_downs() == 1; }));
  CHECK(world.now() - asked >= RaftConfig{}.shutdown_timeout);
  CHECK(world.now() - asked < RaftConfig{}.shutdown_timeout + 10ms);
}

TEST_CASE("a leader that returns as Resigned still says where it is") {
  World world(WorldSpec{});
  REQUIRE(a_cold_start(world));
  REQUIRE(world.run_until([&] { return world.leader().has_value(); }));
  const std::size_t leader = *world.leader();
  world.crash(leader, Crash::kill);
  world.restart(leader);
  REQUIRE(std::holds_alternative<Resigned>(world.replica(leader).role()));
  VoteRequest vote;
  vote.voter = world.key(leader);
  vote.candidate = world.key((leader + 1) % 3);
  vote.candidate_epoch = world.replica(leader).epoch();
  vote.last_offset_epoch = LeaderEpoch{0};
  vote.last_offset = 0;
  world.ask(leader, vote);
  const auto& answer = std::get<VoteResponse>(world.answers.back());
  CHECK(!answer.vote_granted);
  CHECK(answer.current.leader == world.key(leader).id);
  CHECK(answer.current.endpoint == world.as_voter(leader).endpoint);
}

TEST_CASE("where a fetch goes on: validateOffsetAndEpoch") {
  RaftLog log(nullptr, VoterSet());
  for (const int epoch : {1, 2, 2, 4}) {  // one record each
    std::vector<MetadataRecord> records{NoOpRecord{}};
    log.append_as_leader(make_batch(std::move(records), 0), LeaderEpoch{epoch});
  }
  const auto is_valid = [&](Offset offset, int epoch) {
    return std::holds_alternative<RaftLog::Valid>(log.validate(offset, LeaderEpoch{epoch}));
  };
  const auto diverges = [&](Offset offset, int epoch, int at_epoch, Offset at) {
    const auto answer = log.validate(offset, LeaderEpoch{epoch});
    const auto* end = std::get_if<RaftLog::Diverging>(&answer);
    return end != nullptr && end->end.leader_epoch == LeaderEpoch{at_epoch} && end->end.end_offset == at;
  };
  const auto from_snapshot = [&](Offset offset, int epoch) {
    return std::holds_alternative<RaftLog::FromSnapshot>(log.validate(offset, LeaderEpoch{epoch}));
  };
  CHECK(is_valid(0, 0));
  CHECK(is_valid(1, 1));
  CHECK(is_valid(3, 2));
  CHECK(is_valid(4, 4));
  CHECK(diverges(2, 1, 1, 1));  // epoch 1 ended before
  CHECK(diverges(4, 3, 2, 3));  // no epoch 3 here
  CHECK(diverges(5, 4, 4, 4));  // ahead of us
  CHECK(diverges(4, 5, 4, 4));

  auto snapshot = std::make_shared<MetadataSnapshot>();
  snapshot->id = SnapshotId{2, LeaderEpoch{2}};
  log.add_snapshot(snapshot);
  CHECK(from_snapshot(1, 1));  // older than the earliest snapshot, though the log still goes back to it
  CHECK(is_valid(2, 2));
  log.clean(2);
  CHECK(from_snapshot(1, 1));
  CHECK(from_snapshot(2, 4));  // at the start, but not what the snapshot ends with
  CHECK(is_valid(2, 2));
  CHECK(is_valid(4, 4));
}

}  // namespace
}  // namespace sim::raft::test
