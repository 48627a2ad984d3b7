#include "broker/harness.h"

// How a follower cut its log in Kafka's history, against a leader whose part the test plays: it had led in
// epoch 1 and comes back to one that leads in epoch 5.
namespace sim {
namespace {

using test::batch_of;
using test::World;

struct TruncatingFollower {
  explicit TruncatingFollower(History history) {
    server::BrokerConfig config;
    config.history = history;
    world.add_puppet(1);
    world.add_broker(2, config);
    world.run_for(5ms);
    tp = world.create_topic("orders", {1, 2});
    // Offsets 0 to 9 of epoch 1, 10 to 14 of epoch 3; the leader's high watermark was 7.
    const Envelope first = next();
    FetchResponse response;
    FetchResponse::Partition& answer = response.partitions.emplace_back();
    answer.tp = tp;
    answer.high_watermark = 7;
    answer.log_start_offset = 0;
    answer.batches.push_back(Batch{0, LeaderEpoch{1}, 7, batch_of(7)});
    answer.batches.push_back(Batch{7, LeaderEpoch{1}, 3, batch_of(3)});
    answer.batches.push_back(Batch{10, LeaderEpoch{3}, 2, batch_of(2)});
    answer.batches.push_back(Batch{12, LeaderEpoch{3}, 3, batch_of(3)});
    world.reply(first, response);
    pending = next();
    REQUIRE(partition().log_end_offset() == 15);
    REQUIRE(partition().high_watermark() == 7);
  }
  void elect() {
    PartitionChangeRecord record;
    record.tp = tp;
    record.leader = NodeId{1};  // in a new epoch, though it led before
    world.commit({record});
    world.run_for(5ms);
    world.reply(pending, FetchResponse{});  // the thread comes round
  }
  Envelope next() { return world.asked_of<FetchRequest>(1); }
  const FetchRequest::Partition& fetched() {
    pending = next();
    const auto& request = std::get<FetchRequest>(pending.message);
    REQUIRE(request.partitions.size() == 1);
    return request.partitions[0];
  }
  OffsetForLeaderEpochRequest::Partition asked() {
    question = world.asked_of<OffsetForLeaderEpochRequest>(1);
    const auto& request = std::get<OffsetForLeaderEpochRequest>(question.message);
    CHECK(request.replica == NodeId{2});
    REQUIRE(request.partitions.size() == 1);
    return request.partitions[0];
  }
  void tell(int leader_epoch, Offset end, ErrorCode error = ErrorCode::none) {
    OffsetForLeaderEpochResponse response;
    response.partitions.push_back({tp, error, LeaderEpoch{leader_epoch}, end});
    world.reply(question, response);
  }
  const partition::Partition& partition() { return world.partition(2, tp); }

  World world;
  TopicPartition tp;
  Envelope pending, question;
};

History of(Truncation truncation) {
  History history;
  history.truncation = truncation;
  return history;
}

TEST_CASE("who follows in a new epoch: 4.1 cuts nothing and says how its log ends") {
  TruncatingFollower follower(of(Truncation::fetch));
  follower.elect();
  const auto& fetch = follower.fetched();
  CHECK(fetch.fetch_offset == 15);
  CHECK(fetch.last_fetched_epoch == LeaderEpoch{3});
  CHECK(fetch.current_leader_epoch == LeaderEpoch{1});
  CHECK(follower.partition().log_end_offset() == 15);
}

TEST_CASE("by high watermark: cuts whatever it does not know to be committed, at once and on disk") {
  TruncatingFollower follower(of(Truncation::high_watermark));
  follower.elect();
  const auto& fetch = follower.fetched();
  CHECK(fetch.fetch_offset == 7);
  CHECK(fetch.last_fetched_epoch == kNoLeaderEpoch);
  CHECK(follower.partition().log_end_offset() == 7);
  CHECK(follower.world.image(2).logs.at(follower.tp).end_offset() == 7);
  CHECK(follower.world.facts<observe::LogTruncated>(2).size() == 1);
}

TEST_CASE("by epoch: asks once, and cuts to the offset it is told") {
  struct Row {
    const char* what;
    int leader_epoch;  // not looked at
    Offset told, end;
  };
  const Row rows[] = {
      {"where the leader's part of the epoch ended", -1, 12, 12},
      {"the leader never had the epoch: it is told where the next begins, behind our end: nothing is cut", -1,
       40, 15},
      {"the leader does not know: to the high watermark", -1, kNoOffset, 7},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    TruncatingFollower follower(of(Truncation::epoch));
    follower.elect();
    const auto asked = follower.asked();
    CHECK(asked.leader_epoch == LeaderEpoch{3});
    CHECK(asked.current_leader_epoch == LeaderEpoch{1});
    follower.tell(row.leader_epoch, row.told);
    const auto& fetch = follower.fetched();
    CHECK(fetch.fetch_offset == row.end);
    CHECK(fetch.last_fetched_epoch == kNoLeaderEpoch);
    CHECK(follower.partition().log_end_offset() == row.end);
    CHECK(follower.world.image(2).logs.at(follower.tp).end_offset() == row.end);
  }
}

TEST_CASE("by search: asks on until the epoch is one that both have had") {
  TruncatingFollower follower(of(Truncation::epoch_search));
  follower.elect();
  CHECK(follower.asked().leader_epoch == LeaderEpoch{3});
  SUBCASE("the leader has the epoch") {
    follower.tell(3, 12);
    CHECK(follower.fetched().fetch_offset == 12);
  }
  SUBCASE("it has an older one, which we do not: back to the end of what is older still, and again") {
    follower.tell(2, 20);
    CHECK(follower.asked().leader_epoch == LeaderEpoch{1});
    CHECK(follower.partition().log_end_offset() == 10);
    follower.tell(1, 8);
    CHECK(follower.fetched().fetch_offset == 8);
  }
  SUBCASE("it has an older one, which we have too") {
    follower.tell(1, 9);
    CHECK(follower.fetched().fetch_offset == 9);
  }
  SUBCASE("it is not there yet: again a second later") {
    const LocalTime before = follower.world.now();
    follower.tell(-1, kNoOffset, ErrorCode::unknown_leader_epoch);
    CHECK(follower.asked().leader_epoch == LeaderEpoch{3});
    CHECK(follower.world.now() - before >= 1s);
    CHECK(follower.partition().log_end_offset() == 15);
  }
  SUBCASE("the connection breaks: again a second later") {
    const LocalTime before = follower.world.now();
    follower.world.disconnect(follower.question.channel);
    CHECK(follower.asked().leader_epoch == LeaderEpoch{3});
    CHECK(follower.world.now() - before >= 1s);
  }
  SUBCASE("it leads in a later epoch: nothing more until the metadata names it") {
    follower.tell(-1, kNoOffset, ErrorCode::fenced_leader_epoch);
    follower.world.run_for(5s);
    CHECK(follower.partition().log_end_offset() == 15);
  }
  SUBCASE("another epoch meanwhile: the answer is of the old one, and not used") {
    PartitionChangeRecord record;
    record.tp = follower.tp;
    record.leader = NodeId{1};
    follower.world.commit({record});
    follower.world.run_for(5ms);
    follower.tell(3, 12);
    const auto asked = follower.asked();
    CHECK(asked.current_leader_epoch == LeaderEpoch{2});
    CHECK(asked.leader_epoch == LeaderEpoch{3});
    CHECK(follower.partition().log_end_offset() == 15);
  }
}

TEST_CASE(
    "where logs differ unnoticed, a batch may begin below our end: nothing more until there is another "
    "epoch") {
  TruncatingFollower follower(of(Truncation::high_watermark));
  follower.elect();
  CHECK(follower.fetched().fetch_offset == 7);
  FetchResponse response;
  FetchResponse::Partition& answer = response.partitions.emplace_back();
  answer.tp = follower.tp;
  answer.high_watermark = 9;
  answer.log_start_offset = 0;
  answer.batches.push_back(Batch{5, LeaderEpoch{1}, 4, batch_of(4)});
  follower.world.reply(follower.pending, response);
  follower.world.run_for(5s);
  CHECK(follower.partition().log_end_offset() == 7);
  CHECK(follower.partition().high_watermark() == 7);
  PartitionChangeRecord record;
  record.tp = follower.tp;
  record.leader = NodeId{1};
  follower.world.commit({record});
  CHECK(follower.fetched().fetch_offset == 7);
}

TEST_CASE("before KIP-320 and KIP-903, a fetch tells neither the epoch it is of nor the life of its broker") {
  History history;
  history.fetch_leader_epoch = false;
  history.isr_broker_epoch = false;
  TruncatingFollower follower(history);
  follower.elect();
  CHECK(follower.fetched().current_leader_epoch == kNoLeaderEpoch);
  CHECK(std::get<FetchRequest>(follower.pending.message).replica_epoch == kNoBrokerEpoch);
}

}  // namespace
}  // namespace sim
