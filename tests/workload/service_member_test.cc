// The application of a service: what it handles, how long that takes, and when it commits.
#include "workload/service_member.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/process_host.h"

namespace sim::workload {
namespace {

constexpr ProcessId kMember{9};
constexpr ProcessId kGroupBroker{1};
constexpr TopicPartition kOrders{TopicId{5}, 0};

// One member and a broker that does everything at once: partition 0 holds `records` orders in batches of two.
struct MemberWorld {
  explicit MemberWorld(CommitMode commit, Duration service_time, std::string group_instance_id = {},
                       ServiceSpec spec = {}, std::optional<OnwardSpec> onward = std::nullopt) {
    spec.topic = "orders";
    spec.commit = commit;
    if (spec.workers == 1) spec.service_time = Distribution::constant(nanos(service_time));
    spec.consumer.group_id = "payment";
    spec.consumer.group_instance_id = std::move(group_instance_id);
    spec.consumer.auto_offset_reset = client::AutoOffsetReset::earliest;
    spec.consumer.max_poll_records = 3;
    spec.start_at = from_millis(10);
    if (onward) spec.produces = std::move(onward);
    member = boot_service_member(ServiceMemberBoot{
        kMember, observe::ServiceId{2}, 1, std::move(spec), {kGroupBroker}, Rng(1, "payment[1]")});
  }

  void run_until(LocalTime end) {
    while (std::optional<node::Input> input = host.next_until(end)) step(*input);
  }

  void step(node::Input& input) {
    node::Effects out;
    member->step(input, host.env(), out);
    for (const node::Effect& effect : out) {
      if (const auto* report = std::get_if<node::Report>(&effect)) note(report->fact);
    }
    host.perform(
        out, [&](Envelope&& request) { receive(request); },
        [&](const Channel&) { log.push_back("disconnect"); });
  }

  void note(const observe::Fact& fact) {
    const std::string at = std::to_string(millis(host.now.time_since_epoch())) + " ";
    if (const auto* started = std::get_if<observe::ProcessingStarted>(&fact)) {
      CHECK(started->service == observe::ServiceId{2});
      CHECK(started->member == 1);
      CHECK(started->record == RecordId{100 + started->offset});
      log.push_back(at + "start " + std::to_string(started->offset));
    } else if (const auto* done = std::get_if<observe::ProcessingDone>(&fact)) {
      log.push_back(at + "done " + std::to_string(done->offset));
    } else if (const auto* sent = std::get_if<observe::CommitSent>(&fact)) {
      log.push_back(at + "commit " + std::to_string(sent->offset));
    } else if (const auto* reset = std::get_if<observe::PositionReset>(&fact)) {
      log.push_back(at + "reset " + std::to_string(reset->to));
    }
  }

  void reply(const Envelope& request, Message message) { host.answer(request, std::move(message)); }

  void receive(const Envelope& request) {
    if (std::holds_alternative<ApiVersionsRequest>(request.message))
      return reply(request, ApiVersionsResponse{});
    if (std::holds_alternative<MetadataRequest>(request.message)) return reply(request, metadata());
    if (std::holds_alternative<FindCoordinatorRequest>(request.message)) {
      return reply(request, FindCoordinatorResponse{ErrorCode::none, NodeId{1}, kGroupBroker});
    }
    if (const auto* join = std::get_if<JoinGroupRequest>(&request.message)) {
      client_id = join->client_id;
      instance_id = join->group_instance_id;
      ++joins;
      JoinGroupResponse response;
      response.generation = Generation{joins};
      response.protocol = join->protocols.at(0).name;
      response.leader = response.member_id = "m";
      response.members.push_back({"m", join->group_instance_id, join->protocols.at(0).subscription});
      return reply(request, std::move(response));
    }
    if (const auto* sync = std::get_if<SyncGroupRequest>(&request.message)) {
      return reply(request, SyncGroupResponse{ErrorCode::none, sync->assignments.at(0).partitions});
    }
    if (std::holds_alternative<HeartbeatRequest>(request.message)) return reply(request, HeartbeatResponse{});
    if (std::holds_alternative<LeaveGroupRequest>(request.message)) {
      ++leaves;
      return reply(request, LeaveGroupResponse{});
    }
    if (std::holds_alternative<OffsetFetchRequest>(request.message)) {
      OffsetFetchResponse response;
      response.partitions.push_back({kOrders, ErrorCode::none, committed, kNoLeaderEpoch});
      return reply(request, std::move(response));
    }
    if (std::holds_alternative<ListOffsetsRequest>(request.message)) {
      ListOffsetsResponse response;
      response.partitions.push_back({kOrders, ErrorCode::none, 0, LeaderEpoch{0}});
      return reply(request, std::move(response));
    }
    if (const auto* commit = std::get_if<OffsetCommitRequest>(&request.message)) {
      const ErrorCode error = commit_errors.empty() ? ErrorCode::none : commit_errors.front();
      if (!commit_errors.empty()) commit_errors.pop_front();
      if (error == ErrorCode::none) committed = commit->partitions.at(0).offset;
      OffsetCommitResponse response;
      response.partitions.push_back({kOrders, error});
      return reply(request, std::move(response));
    }
    if (const auto* init = std::get_if<InitProducerIdRequest>(&request.message)) {
      transactional_id = init->transactional_id;
      return reply(request, InitProducerIdResponse{ErrorCode::none, ProducerId{7}, ProducerEpoch{0}});
    }
    if (const auto* produce = std::get_if<ProduceRequest>(&request.message)) {
      ProduceResponse response;
      for (const ProduceRequest::Partition& partition : produce->partitions) {
        for (const Record& record : partition.batch->application_records())
          log.push_back(now() + "send " + std::to_string(number_of(record.id) - 100) + " hop " +
                        std::to_string(hop_of(record.id)));
        ProduceResponse::Partition answer;
        answer.tp = partition.tp;
        answer.base_offset = 0;
        response.partitions.push_back(answer);
      }
      return reply(request, std::move(response));
    }
    if (const auto* offsets = std::get_if<TxnOffsetCommitRequest>(&request.message)) {
      group_generation = offsets->generation;
      const ErrorCode error = commit_errors.empty() ? ErrorCode::none : commit_errors.front();
      if (!commit_errors.empty()) commit_errors.pop_front();
      TxnOffsetCommitResponse response;
      for (const auto& one : offsets->partitions) {
        response.partitions.push_back({one.tp, error});
        log.push_back(now() + "offset " + std::to_string(one.offset));
      }
      return reply(request, std::move(response));
    }
    if (const auto* end = std::get_if<EndTxnRequest>(&request.message)) {
      log.push_back(now() + (end->committed ? "end: commit" : "end: abort"));
      return reply(request, EndTxnResponse{end_error, ProducerId{7}, ProducerEpoch{++epoch}});
    }
    if (const auto* fetch = std::get_if<FetchRequest>(&request.message)) {
      if (fetch->session_epoch < 0) return reply(request, FetchResponse{});
      if (!fetch->partitions.empty()) position = fetch->partitions[0].fetch_offset;
      if (position >= records) return;  // parked for ever
      FetchResponse response;
      response.session_id = 7;
      FetchResponse::Partition partition;
      partition.tp = kOrders;
      partition.error = fetch_error;
      for (Offset base = position; base < records && fetch_error == ErrorCode::none; base += 2)
        partition.batches.push_back(batch(base));
      response.partitions.push_back(std::move(partition));
      return reply(request, std::move(response));
    }
    FAIL("an unexpected request");
  }

  std::string now() const { return std::to_string(millis(host.now.time_since_epoch())) + " "; }

  MetadataResponse metadata() const {
    MetadataResponse response;
    response.brokers.push_back({NodeId{1}, kGroupBroker, {}});
    MetadataResponse::Topic topic;
    topic.name = "orders";
    topic.id = kOrders.topic;
    MetadataResponse::Partition partition;
    partition.leader = NodeId{1};
    partition.leader_epoch = LeaderEpoch{0};
    topic.partitions.push_back(partition);
    response.topics.push_back(topic);
    response.topics.push_back(topic);
    response.topics.back().name = "payments";
    response.topics.back().id = TopicId{6};
    return response;
  }

  Batch batch(Offset base) const {
    auto data = std::make_shared<BatchData>();
    const Offset end = std::min(base + 2, records);
    std::vector<Record> list;
    for (Offset offset = base; offset < end; ++offset)
      list.push_back(Record{RecordId{100 + offset}, 0, -1, 10});
    data->records = std::move(list);
    return Batch{base, LeaderEpoch{0}, static_cast<std::int32_t>(end - base), std::move(data)};
  }

  std::vector<std::string> play(LocalTime end = local_at(0) + from_millis(4'000)) {
    host.inputs.push_back(node::Started{});
    run_until(end);
    return log;
  }

  std::unique_ptr<node::Node> member;
  test::ProcessHost host{Rng(1, "world")};
  std::vector<std::string> log;
  Offset records = 4;
  Offset position = 0;
  Offset committed = kNoOffset;
  std::deque<ErrorCode> commit_errors;
  ErrorCode fetch_error = ErrorCode::none;
  std::int32_t joins = 0;
  std::int32_t leaves = 0;
  std::string client_id, instance_id;
  std::string transactional_id;
  Generation group_generation = kNoGeneration;
  ErrorCode end_error = ErrorCode::none;
  std::int16_t epoch = 0;
};

OnwardSpec onward(const std::string& transactional_id) {
  OnwardSpec spec;
  spec.topic = "payments";
  spec.hop = 4;
  spec.producer.transactional_id = transactional_id;
  spec.producer.linger_ms = 0;
  return spec;
}

using Log = std::vector<std::string>;

}  // namespace

TEST_CASE("each commit mode commits when its name says") {
  struct Row {
    CommitMode mode;
    Log want;  // max.poll.records is 3: four orders are two polls
  };
  const Row rows[] = {
      {CommitMode::auto_commit,
       {"10 reset 0", "10 start 0", "20 done 0", "20 start 1", "30 done 1", "30 start 2", "40 done 2",
        "40 start 3", "50 done 3"}},
      {CommitMode::after_batch,
       {"10 reset 0", "10 start 0", "20 done 0", "20 start 1", "30 done 1", "30 start 2", "40 done 2",
        "40 commit 3", "40 start 3", "50 done 3", "50 commit 4"}},
      {CommitMode::after_each,
       {"10 reset 0", "10 start 0", "20 done 0", "20 commit 1", "20 start 1", "30 done 1", "30 commit 2",
        "30 start 2", "40 done 2", "40 commit 3", "40 start 3", "50 done 3", "50 commit 4"}},
      {CommitMode::before,
       {"10 reset 0", "10 commit 3", "10 start 0", "20 done 0", "20 start 1", "30 done 1", "30 start 2",
        "40 done 2", "40 commit 4", "40 start 3", "50 done 3"}},
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.mode));
    MemberWorld world(row.mode, from_millis(10));
    CHECK(world.play() == row.want);
  }
}

TEST_CASE("auto-commit covers what was polled before it, at the interval") {
  MemberWorld world(CommitMode::auto_commit, from_millis(2'000));
  world.records = 6;
  const Log log = world.play(local_at(0) + from_millis(13'000));
  // Three orders were polled at 10 ms; the next poll, at 6010 ms, commits them before it returns more.
  const auto commit = std::find(log.begin(), log.end(), "6010 commit 3");
  REQUIRE(commit != log.end());
  CHECK(*(commit + 1) == "6010 start 3");
  CHECK(log.back() == "12010 commit 6");
}

TEST_CASE(
    "after a CommitFailedException the rest of the batch is left to others, and read again from the "
    "committed offset") {
  MemberWorld world(CommitMode::after_each, from_millis(10));
  world.commit_errors = {ErrorCode::none, ErrorCode::illegal_generation};
  const Log log = world.play();
  CHECK(world.joins == 2);
  CHECK(log == Log{"10 reset 0", "10 start 0", "20 done 0", "20 commit 1", "20 start 1", "30 done 1",
                   "30 commit 2", "30 start 1", "40 done 1", "40 commit 2", "40 start 2", "50 done 2",
                   "50 commit 3", "50 start 3", "60 done 3", "60 commit 4"});
}

TEST_CASE("before: what could not be committed is not handled") {
  MemberWorld world(CommitMode::before, from_millis(10));
  world.commit_errors = {ErrorCode::offset_metadata_too_large};
  CHECK(world.play() == Log{"10 reset 0", "10 commit 3", "10 commit 4", "10 start 3", "20 done 3"});
}

TEST_CASE("work that takes no time takes no event") {
  MemberWorld world(CommitMode::after_batch, Duration{0});
  CHECK(world.play() == Log{"10 reset 0", "10 start 0", "10 done 0", "10 start 1", "10 done 1", "10 start 2",
                            "10 done 2", "10 commit 3", "10 start 3", "10 done 3", "10 commit 4"});
  CHECK(world.client_id == "consumer-payment-2");
}

TEST_CASE("static members have instance ids of their own") {
  MemberWorld world(CommitMode::after_batch, Duration{0}, "till");
  world.play();
  CHECK(world.instance_id == "till-1");
}

TEST_CASE("an exception ends the application, which closes its consumer") {
  MemberWorld world(CommitMode::after_batch, Duration{0});
  world.fetch_error = ErrorCode::corrupt_message;
  CHECK(world.play() == Log{"10 reset 0", "disconnect", "disconnect"});
  CHECK(world.host.timers.size() <= 2);  // of its connections
}

ServiceSpec pool_of(std::int32_t workers, WorkOrder order, CommitPosition position,
                    Distribution service_time) {
  ServiceSpec spec;
  spec.workers = workers;
  spec.order = order;
  spec.commit_position = position;
  spec.service_time = std::move(service_time);
  return spec;
}

TEST_CASE("a pool handles orders side by side as far as their order allows, and polls ahead") {
  const auto played = [](WorkOrder order) {
    MemberWorld world(CommitMode::after_batch, {}, {},
                      pool_of(2, order, CommitPosition::low_water, Distribution::constant(10'000'000)));
    return world.play();
  };
  CHECK(played(WorkOrder::none) == Log{"10 reset 0", "10 start 0", "10 start 1", "20 done 0", "20 start 2",
                                       "20 done 1", "20 start 3", "20 commit 2", "30 done 2", "30 commit 3",
                                       "30 done 3", "30 commit 4"});
  CHECK(played(WorkOrder::partition) == Log{"10 reset 0", "10 start 0", "20 done 0", "20 start 1",
                                            "30 done 1", "30 start 2", "40 done 2", "40 start 3",
                                            "40 commit 3", "50 done 3", "50 commit 4"});
}

// The highest offset committed above an order that was not done then; 0: there is none.
Offset committed_above_unfinished(CommitPosition position) {
  MemberWorld world(CommitMode::after_batch, {}, {},
                    pool_of(4, WorkOrder::none, position, Distribution::uniform(1'000'000, 900'000'000)));
  world.records = 40;
  Offset worst = 0;
  std::vector<bool> done(40, false);
  for (const std::string& line : world.play(local_at(0) + from_millis(30'000))) {
    const std::string what = line.substr(line.find(' ') + 1);
    const Offset offset = std::stoll(what.substr(what.find(' ') + 1));
    if (what.starts_with("done")) done[static_cast<std::size_t>(offset)] = true;
    if (!what.starts_with("commit")) continue;
    const bool all = std::all_of(done.begin(), done.begin() + offset, [](bool one) { return one; });
    if (!all) worst = std::max(worst, offset);
  }
  CHECK(world.committed == 40);
  return worst;
}

TEST_CASE("a pool commits the contiguous low-water mark, or the highest that is done whatever lies below") {
  CHECK(committed_above_unfinished(CommitPosition::low_water) == 0);
  CHECK(committed_above_unfinished(CommitPosition::highest) > 0);
}

TEST_CASE("asked to stop, a member handles and commits what it has polled, leaves its group and ends") {
  struct Row {
    CommitMode mode;
    int stop_at_ms;
    Offset committed;
    int ends_at_ms;
  };
  const Row rows[] = {
      {CommitMode::after_batch, 5, kNoOffset, 5},  // before it began
      {CommitMode::after_batch, 15, 3, 40},        // in the middle of three orders
      {CommitMode::after_each, 15, 3, 40},
      {CommitMode::before, 15, 3, 40},
      {CommitMode::auto_commit, 15, 3, 40},
      {CommitMode::auto_commit, 1'000, 4, 30'040},  // when the fetch that nobody answers is given up
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.mode));
    CAPTURE(row.stop_at_ms);
    MemberWorld world(row.mode, from_millis(10));
    world.play(local_at(0) + from_millis(row.stop_at_ms));
    world.host.inputs.push_back(node::StopRequested{});
    world.run_until(local_at(0) + from_millis(40'000));
    CHECK(world.committed == row.committed);
    CHECK(world.leaves == (row.stop_at_ms == 5 ? 0 : 1));
    REQUIRE(world.host.exited_at.has_value());
    CHECK(millis(world.host.exited_at->time_since_epoch()) == row.ends_at_ms);
  }
}

TEST_CASE("a clone plays on as the original does") {
  MemberWorld original(CommitMode::after_each, from_millis(10));
  original.records = 40;
  original.host.inputs.push_back(node::Started{});
  original.run_until(local_at(0) + from_millis(105));
  MemberWorld copy(CommitMode::after_each, from_millis(10));
  copy.member = original.member->clone();
  copy.host = original.host;
  copy.records = original.records;
  copy.position = original.position;
  copy.committed = original.committed;
  const std::size_t before = original.log.size();
  original.run_until(local_at(0) + from_millis(1'000));
  copy.run_until(local_at(0) + from_millis(1'000));
  REQUIRE(original.log.size() > before + 50);
  CHECK(copy.log == Log(original.log.begin() + static_cast<std::ptrdiff_t>(before), original.log.end()));
}

namespace {

// What is sent, its offsets and its end; without what is handled.
Log of_producer(const Log& log) {
  Log found;
  for (const std::string& line : log) {
    if (line.find("send") != std::string::npos || line.find("offset") != std::string::npos ||
        line.find("end:") != std::string::npos)
      found.push_back(line);
  }
  return found;
}

}  // namespace

// The first request to each coordinator waits for retry.backoff.ms once that is found; and while a
// transactional request is under way, no batch is sent (Sender).
TEST_CASE("commit: transaction: what a poll leads to, and its offsets, are one transaction") {
  MemberWorld world(CommitMode::transaction, from_millis(10), {}, {}, onward("payment"));
  const Log log = world.play();
  CHECK(world.transactional_id == "payment-1");
  CHECK(world.group_generation == Generation{1});
  const Log want{"120 send 0 hop 4", "130 send 1 hop 4", "240 offset 3",     "240 send 2 hop 4",
                 "240 end: commit",  "250 offset 4",     "250 send 3 hop 4", "250 end: commit"};
  CHECK(of_producer(log) == want);
}

TEST_CASE(
    "without group metadata no generation goes with the offsets; an id per start is another each time") {
  OnwardSpec spec = onward("payment");
  spec.sends_group_metadata = false;
  spec.id_per_start = true;
  MemberWorld world(CommitMode::transaction, from_millis(10), {}, {}, spec);
  world.play();
  CHECK(world.group_generation == kNoGeneration);
  CHECK(world.transactional_id.starts_with("payment-1-"));
}

TEST_CASE(
    "offsets that are refused for the generation: the transaction is aborted, its orders are handled again") {
  MemberWorld world(CommitMode::transaction, from_millis(10), {}, {}, onward("payment"));
  world.commit_errors = {ErrorCode::illegal_generation};
  const Log log = world.play();
  const Log want{"120 send 0 hop 4", "130 send 1 hop 4", "240 offset 3",     "240 end: abort",
                 "250 send 0 hop 4", "260 send 1 hop 4", "270 offset 3",     "270 send 2 hop 4",
                 "270 end: commit",  "280 offset 4",     "280 send 3 hop 4", "280 end: commit"};
  CHECK(of_producer(log) == want);
}

TEST_CASE("a member that is fenced closes its clients and does no more") {
  MemberWorld world(CommitMode::transaction, from_millis(10), {}, {}, onward("payment"));
  world.end_error = ErrorCode::producer_fenced;
  const Log log = world.play();
  CHECK(std::count(log.begin(), log.end(), "240 end: commit") == 1);
  CHECK(std::none_of(log.begin(), log.end(), [](const auto& line) { return line.ends_with("start 3"); }));
  CHECK(world.leaves == 1);
}

TEST_CASE("without transactions what is sent on is acknowledged before its offset is committed") {
  MemberWorld world(CommitMode::after_batch, from_millis(10), {}, {}, onward(""));
  const Log log = world.play();
  const auto sent = std::find(log.begin(), log.end(), "40 send 2 hop 4");
  const auto committed = std::find(log.begin(), log.end(), "40 commit 3");
  REQUIRE(sent != log.end());
  REQUIRE(committed != log.end());
  CHECK(sent < committed);
}

}  // namespace sim::workload
