// Commits: auto-commit inside poll, commitSync with its retries, commitAsync, and what errors mean.
#include <doctest/doctest.h>

#include "client/consumer_world.h"

namespace sim::client {
namespace {

using namespace test;

ConsumerConfig by_hand() {
  ConsumerConfig config = ConsumerWorld::default_config();
  config.enable_auto_commit = false;
  return config;
}

// A member that has read three records of partition 0 and is at work on them.
void read_three(ConsumerWorld& world) {
  world.start_fetching();
  world.answer(world.take<FetchRequest>(), ConsumerWorld::fetched(orders(0), {batch(0, 3, LeaderEpoch{2})}));
  REQUIRE(!world.in_poll);
}

}  // namespace

TEST_CASE("auto-commit happens in the first poll after the interval, with what earlier polls returned") {
  ConsumerWorld world;
  read_three(world);
  world.advance(from_millis(7'000));
  CHECK(world.count<OffsetCommitRequest>() == 0);  // the application is at work: nothing is committed
  world.answer_heartbeats();
  world.poll();
  const Envelope commit = world.take<OffsetCommitRequest>();
  CHECK(commit.channel.lane == Lane::coordinator);
  const auto& request = std::get<OffsetCommitRequest>(commit.message);
  CHECK(request.generation == Generation{1});
  REQUIRE(request.partitions.size() == 2);
  CHECK(request.partitions[0].offset == 3);
  CHECK(request.partitions[0].leader_epoch == LeaderEpoch{2});
  CHECK(request.partitions[1].offset == 0);
  world.answer(commit, ConsumerWorld::commit_answer(commit));
  const auto sent = world.facts<observe::CommitSent>();
  const auto acknowledged = world.facts<observe::CommitAcknowledged>();
  REQUIRE(sent.size() == 2);
  REQUIRE(acknowledged.size() == 2);
  CHECK(sent[0].offset == 3);
  CHECK(acknowledged[0].offset == 3);
  CHECK(acknowledged[0].error == ErrorCode::none);

  // An application that waits in poll commits when the interval is over, changed or not.
  world.advance(from_millis(4'999));
  CHECK(world.count<OffsetCommitRequest>() == 0);
  world.advance(from_millis(1));
  CHECK(world.count<OffsetCommitRequest>() == 1);
}

TEST_CASE("a retriable failure brings auto-commit forward to the retry back-off, another does not") {
  struct Row {
    ErrorCode error;
    int after_back_off;
  };
  for (const Row row :
       {Row{ErrorCode::coordinator_load_in_progress, 1}, Row{ErrorCode::offset_metadata_too_large, 0}}) {
    CAPTURE(name(row.error));
    ConsumerWorld world;
    world.start_fetching();
    world.advance(from_millis(5'000));
    world.answer_heartbeats();
    const Envelope commit = world.take<OffsetCommitRequest>();
    world.answer(commit, ConsumerWorld::commit_answer(commit, row.error));
    world.advance(from_millis(100));
    CHECK(world.count<OffsetCommitRequest>() == row.after_back_off);
  }
}

TEST_CASE("commitSync: what errors lead to") {
  struct Row {
    ErrorCode error;
    bool retried;
    bool looks_up;
    CommitError want;  // if not retried
  };
  const Row rows[] = {
      {ErrorCode::none, false, false, CommitError::none},
      {ErrorCode::coordinator_load_in_progress, true, false, CommitError::none},
      {ErrorCode::unknown_topic_or_partition, true, false, CommitError::none},
      {ErrorCode::coordinator_not_available, true, true, CommitError::none},
      {ErrorCode::not_coordinator, true, true, CommitError::none},
      {ErrorCode::request_timed_out, true, true, CommitError::none},
      {ErrorCode::illegal_generation, false, false, CommitError::commit_failed},
      {ErrorCode::unknown_member_id, false, false, CommitError::commit_failed},
      {ErrorCode::rebalance_in_progress, false, false, CommitError::rebalance_in_progress},
      {ErrorCode::fenced_instance_id, false, false, CommitError::fenced},
      {ErrorCode::offset_metadata_too_large, false, false, CommitError::unexpected},
  };
  for (const Row& row : rows) {
    CAPTURE(name(row.error));
    ConsumerWorld world(by_hand(), 1, 2);
    read_three(world);
    world.answer(world.take<FetchRequest>(), ConsumerWorld::nothing_fetched());
    world.commit_sync();
    const int lookups = world.lookups;
    world.coordinator = 2;
    const Envelope commit = world.take<OffsetCommitRequest>();
    world.answer(commit, ConsumerWorld::commit_answer(commit, row.error));
    CHECK((world.lookups > lookups) == row.looks_up);
    if (!row.retried) {
      CHECK(world.consumer.take_commit_result() == row.want);
      continue;
    }
    CHECK(world.consumer.take_commit_result() == std::nullopt);
    CHECK(world.count<OffsetCommitRequest>() == 0);
    world.advance(from_millis(121));
    const Envelope again = world.take<OffsetCommitRequest>();
    CHECK(again.channel.server == ProcessId{row.looks_up ? 2 : 1});
    world.answer(again, ConsumerWorld::commit_answer(again));
    CHECK(world.consumer.take_commit_result() == CommitError::none);
    CHECK(world.consumer.take_commit_result() == std::nullopt);
  }
}

TEST_CASE("commitSync gives up after default.api.timeout.ms") {
  ConsumerWorld world(by_hand());
  read_three(world);
  world.commit_sync();
  world.find_coordinator_error = ErrorCode::coordinator_not_available;
  const Envelope commit = world.take<OffsetCommitRequest>();
  world.answer(commit, ConsumerWorld::commit_answer(commit, ErrorCode::not_coordinator));
  world.answer(world.take<FetchRequest>(), ConsumerWorld::nothing_fetched());
  const int lookups = world.lookups;
  world.advance(from_millis(59'999));
  CHECK(world.consumer.take_commit_result() == std::nullopt);
  CHECK(world.lookups - lookups > 50);
  CHECK(world.lookups - lookups < 90);  // the back-off grows to a second
  world.advance(from_millis(1));
  CHECK(world.consumer.take_commit_result() == CommitError::timed_out);
}

TEST_CASE("a lost connection counts as a failed commit, which commitSync repeats") {
  ConsumerWorld world(by_hand());
  read_three(world);
  world.answer(world.take<FetchRequest>(), ConsumerWorld::nothing_fetched());
  world.commit_sync();
  world.lose(world.take<OffsetCommitRequest>().channel);
  const auto acknowledged = world.facts<observe::CommitAcknowledged>();
  REQUIRE(!acknowledged.empty());
  CHECK(acknowledged[0].error == ErrorCode::network_exception);
  world.advance(from_millis(400));
  CHECK(world.count<OffsetCommitRequest>() == 1);
}

TEST_CASE("a member that has lost its generation cannot commit, and rejoins when it polls") {
  ConsumerWorld world(by_hand());
  read_three(world);
  world.commit_sync();
  const Envelope commit = world.take<OffsetCommitRequest>();
  world.answer(commit, ConsumerWorld::commit_answer(commit, ErrorCode::illegal_generation));
  CHECK(world.consumer.take_commit_result() == CommitError::commit_failed);
  world.commit_sync();
  CHECK(world.consumer.take_commit_result() == CommitError::commit_failed);  // not even sent
  CHECK(world.count<OffsetCommitRequest>() == 0);
  world.poll();
  CHECK(std::get<JoinGroupRequest>(world.take<JoinGroupRequest>().message).member_id == "m-1");
}

TEST_CASE("commitAsync is not repeated") {
  ConsumerWorld world(by_hand());
  read_three(world);
  world.commit_async();
  const Envelope commit = world.take<OffsetCommitRequest>();
  world.answer(commit, ConsumerWorld::commit_answer(commit, ErrorCode::coordinator_load_in_progress));
  world.advance(from_millis(1'000));
  CHECK(world.count<OffsetCommitRequest>() == 0);
  CHECK(world.consumer.take_async_commit_results() == std::vector<CommitError>{CommitError::retriable});
}

TEST_CASE("without anything read there is nothing to commit") {
  ConsumerWorld world(by_hand());
  world.start();
  world.commit_async();
  CHECK(world.consumer.take_async_commit_results() == std::vector<CommitError>{CommitError::none});
  CHECK(world.count<OffsetCommitRequest>() == 0);
}

TEST_CASE("a copy in mid-run plays on as the original does") {
  ConsumerWorld world;
  read_three(world);
  world.advance(from_millis(7'000));
  ConsumerWorld copy = world;
  for (ConsumerWorld* each : {&world, &copy}) {
    each->answer_heartbeats();
    each->poll();
    const Envelope commit = each->take<OffsetCommitRequest>();
    each->answer(commit, ConsumerWorld::commit_answer(commit, ErrorCode::not_coordinator));
    each->advance(from_millis(20'000));
  }
  CHECK(world.host.told.size() == copy.host.told.size());
  CHECK(world.lookups == copy.lookups);
  REQUIRE(world.requests.size() == copy.requests.size());
  for (std::size_t i = 0; i < world.requests.size(); ++i) {
    CHECK(name(world.requests[i].message) == name(copy.requests[i].message));
    CHECK(world.requests[i].correlation == copy.requests[i].correlation);
  }
}

}  // namespace sim::client
