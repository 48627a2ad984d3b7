#include "partition/partition.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/rng.h"
#include "protocol/batch_builder.h"

// What one partition decides: epochs, what may be appended, the high watermark, the ISR.
namespace sim::partition {
namespace {

constexpr TopicPartition kOrders0{TopicId{1}, 0};
constexpr NodeId kLeaderBroker{1};

BatchDataPtr batch_of(int records, ProducerId producer = kNoProducerId, int sequence = -1, int epoch = 0) {
  return make_data_batch(
      std::vector<Record>(static_cast<std::size_t>(records), Record{RecordId{0}, 0, 10, 100}), producer,
      producer == kNoProducerId ? kNoProducerEpoch : ProducerEpoch{static_cast<std::int16_t>(epoch)},
      sequence);
}

// One partition, its metadata, and a clock.
struct LeaderPartition {
  explicit LeaderPartition(std::vector<int> replicas = {1, 2, 3}, int min_isr = 1) {
    for (const int id : {1, 2, 3, 4}) {
      image.replay(
          RegisterBrokerRecord{NodeId{id}, 1, BrokerEpoch{10 * id}, ProcessId{id}, "", false, false});
    }
    topic.config.min_insync_replicas = min_isr;
    for (const int id : replicas) registration.replicas.push_back(NodeId{id});
    registration.isr = registration.replicas;
    registration.leader = kLeaderBroker;
    registration.leader_epoch = LeaderEpoch{3};
    registration.partition_epoch = PartitionEpoch{5};
  }

  Context context() {
    return Context{
        node::Env{now, rng}, out, image, config, kLeaderBroker, image.broker(kLeaderBroker)->broker_epoch};
  }
  void lead() { partition.become_leader(registration, topic, context()); }
  void set_isr(std::vector<int> isr) {
    registration.isr.clear();
    for (const int id : isr) registration.isr.push_back(NodeId{id});
    registration.partition_epoch = registration.partition_epoch.next();
    lead();
  }
  void append(int records) { partition.append(partition.assign(batch_of(records)), true, context()); }
  Partition::FollowerFetch fetch(int broker, Offset offset) {
    return partition.follower_fetched(NodeId{broker}, BrokerEpoch{10 * broker}, offset, 0, context());
  }
  void fence(int broker, bool fenced) {
    const auto change = static_cast<std::int8_t>(fenced ? 1 : -1);
    image.replay(BrokerRegistrationChangeRecord{NodeId{broker}, BrokerEpoch{10 * broker}, change, 0});
  }
  AlterPartitionResponse::Partition granted(std::vector<int> isr) {
    AlterPartitionResponse::Partition answer;
    answer.tp = kOrders0;
    answer.leader = kLeaderBroker;
    answer.leader_epoch = partition.leader_epoch();
    answer.partition_epoch = partition.partition_epoch().next();
    for (const int id : isr) answer.isr.push_back(NodeId{id});
    return answer;
  }

  // The high watermark is 4 when it is elected again, in epoch 4, with 1 and 2 in the ISR; 3 is fenced or
  // not.
  void lead_anew_with_three_outside(bool three_is_fenced) {
    set_isr({1, 2});
    append(6);
    fetch(2, 4);
    REQUIRE(partition.high_watermark() == 4);
    registration.leader_epoch = LeaderEpoch{4};
    set_isr({1, 2});
    append(1);
    fence(3, three_is_fenced);
  }

  LocalTime now{1h};
  Rng rng{1, "test"};
  node::Effects out;
  metadata::MetadataImage image;
  server::BrokerConfig config;
  metadata::TopicImage topic{"orders", kOrders0.topic, {}, {}};
  metadata::PartitionRegistration registration;
  Partition partition{kOrders0, log::LogImage{}};
};

std::vector<int> members(const std::vector<AlterPartitionRequest::IsrMember>& isr) {
  std::vector<int> ids;
  for (const auto& member : isr) ids.push_back(member.broker.value());
  return ids;
}

TEST_CASE("a request from another leader epoch is refused, before anyone asks who leads") {
  struct Row {
    const char* asked_from;
    int epoch;
    bool leads;
    ErrorCode want;
  };
  const Row rows[] = {
      {"the past", 2, true, ErrorCode::fenced_leader_epoch},
      {"the present", 3, true, ErrorCode::none},
      {"the future", 4, true, ErrorCode::unknown_leader_epoch},
      {"nowhere", -1, true, ErrorCode::none},
      {"the past of a follower", 2, false, ErrorCode::fenced_leader_epoch},
      {"the present of a follower", 3, false, ErrorCode::not_leader_or_follower},
      {"the future of a follower", 4, false, ErrorCode::unknown_leader_epoch},
      {"nowhere, of a follower", -1, false, ErrorCode::not_leader_or_follower},
  };
  for (const Row& row : rows) {
    CAPTURE(row.asked_from);
    LeaderPartition fixture;
    if (row.leads) {
      fixture.lead();
    } else {
      fixture.registration.leader = NodeId{2};
      fixture.partition.become_follower(fixture.registration, fixture.topic, fixture.context());
    }
    CHECK(fixture.partition.check_access(LeaderEpoch{row.epoch}, true) == row.want);
  }
}

TEST_CASE("metadata older than what is known is ignored") {
  LeaderPartition fixture;
  fixture.lead();
  fixture.registration.partition_epoch = PartitionEpoch{4};
  fixture.registration.leader_epoch = LeaderEpoch{9};
  CHECK_FALSE(fixture.partition.become_leader(fixture.registration, fixture.topic, fixture.context()));
  CHECK_FALSE(fixture.partition.become_follower(fixture.registration, fixture.topic, fixture.context()));
  CHECK(fixture.partition.leader_epoch() == LeaderEpoch{3});
}

TEST_CASE("what a leader refuses to append, in Kafka's order") {
  // Each row fails for all the reasons named in those below it, too.
  LeaderPartition fixture({1, 2, 3}, 3);
  fixture.topic.config.max_message_bytes = 300;
  fixture.topic.config.segment_bytes = 200;
  fixture.topic.config.cleanup_compact = true;
  fixture.set_isr({1, 2});
  const std::int64_t now_ms = 1'000;
  const auto batch = [](int records, int key_bytes, std::int64_t timestamp_ms, int sequence) {
    return make_data_batch(std::vector<Record>(static_cast<std::size_t>(records),
                                               Record{RecordId{0}, timestamp_ms, key_bytes, 50}),
                           ProducerId{1}, ProducerEpoch{0}, sequence);
  };
  const auto check = [&](const BatchDataPtr& data, int acks) {
    return fixture.partition.check_append(*data, static_cast<std::int16_t>(acks), now_ms).error;
  };
  const std::int64_t future = now_ms + 3'600'001;
  fixture.partition.append(fixture.partition.assign(batch(1, 1, 0, 0)), true,
                           fixture.context());  // the next sequence is 1

  CHECK(check(batch(5, -1, future, 7), -1) == ErrorCode::not_enough_replicas);
  CHECK(check(batch(5, -1, future, 7), 1) == ErrorCode::message_too_large);
  CHECK(check(batch(3, -1, future, 7), 1) == ErrorCode::invalid_record);
  CHECK(check(batch(3, 1, future, 7), 1) == ErrorCode::invalid_timestamp);
  CHECK(check(batch(3, 1, future - 1, 7), 1) == ErrorCode::record_list_too_large);
  CHECK(check(batch(1, 1, 0, 7), 1) == ErrorCode::out_of_order_sequence_number);
  CHECK(check(batch(1, 1, 0, 1), 1) == ErrorCode::none);
  fixture.registration.leader = NodeId{2};
  fixture.partition.become_follower(fixture.registration, fixture.topic, fixture.context());
  CHECK(check(batch(5, -1, future, 7), -1) == ErrorCode::not_leader_or_follower);
}

TEST_CASE("how far a producer's clock may be off, unless the leader's own counts") {
  struct Row {
    const char* what;
    std::int64_t before_max_ms, after_max_ms;
    bool log_append_time;
    std::vector<std::int64_t> timestamps_ms;  // at 100 000 ms
    ErrorCode want;
  };
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const Row rows[] = {
      {"any past", kMax, 3'600'000, false, {-864'000'000}, ErrorCode::none},
      {"an hour ahead", kMax, 3'600'000, false, {3'700'000}, ErrorCode::none},
      {"more than an hour ahead", kMax, 3'600'000, false, {100'000, 3'700'001}, ErrorCode::invalid_timestamp},
      {"as old as allowed", 5'000, 3'600'000, false, {95'000, 100'000}, ErrorCode::none},
      {"one record too old", 5'000, 3'600'000, false, {94'999, 100'000}, ErrorCode::invalid_timestamp},
      {"no future at all", kMax, 0, false, {100'001}, ErrorCode::invalid_timestamp},
      {"not its own time", 5'000, 0, true, {0, 200'000}, ErrorCode::none},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    LeaderPartition fixture;
    fixture.topic.config.message_timestamp_before_max_ms = row.before_max_ms;
    fixture.topic.config.message_timestamp_after_max_ms = row.after_max_ms;
    fixture.topic.config.log_append_time = row.log_append_time;
    fixture.lead();
    std::vector<Record> records;
    for (const std::int64_t timestamp_ms : row.timestamps_ms)
      records.push_back(Record{RecordId{0}, timestamp_ms, -1, 50});
    CHECK(fixture.partition.check_append(*make_data_batch(std::move(records)), 1, 100'000).error == row.want);
  }
}

TEST_CASE("with the leader's time every record bears it, and the batch is as large as before") {
  const BatchDataPtr sent =
      make_data_batch({Record{RecordId{1}, 7, -1, 50}, Record{RecordId{2}, 900, -1, 50}});
  const BatchDataPtr stamped = with_append_time(*sent, 500);
  CHECK(stamped->max_timestamp_ms == 500);
  for (const Record& record : stamped->application_records()) CHECK(record.timestamp_ms == 500);
  CHECK(stamped->size_bytes == sent->size_bytes);
  CHECK(stamped->application_records()[1].id == RecordId{2});
}

TEST_CASE("what becomes of an idempotent producer's batch") {
  struct Row {
    const char* what;
    int epoch, sequence, records;
    ErrorCode error;
    Offset duplicate_of;
  };
  // In the log of epoch 1: seven batches of two, sequences 0 to 13; the last five are remembered.
  const Row rows[] = {
      {"the next", 1, 14, 2, ErrorCode::none, kNoOffset},
      {"the newest again", 1, 12, 2, ErrorCode::none, 12},
      {"the oldest that is remembered", 1, 4, 2, ErrorCode::none, 4},
      {"one that is forgotten", 1, 2, 2, ErrorCode::out_of_order_sequence_number, kNoOffset},
      {"the newest, cut in another way", 1, 12, 1, ErrorCode::out_of_order_sequence_number, kNoOffset},
      {"one too far", 1, 15, 2, ErrorCode::out_of_order_sequence_number, kNoOffset},
      {"of an older epoch, even if the sequence is known", 0, 12, 2, ErrorCode::invalid_producer_epoch,
       kNoOffset},
      {"of a newer epoch, from the start", 2, 0, 2, ErrorCode::none, kNoOffset},
      {"of a newer epoch, from elsewhere", 2, 14, 2, ErrorCode::out_of_order_sequence_number, kNoOffset},
  };
  LeaderPartition fixture;
  fixture.lead();
  const auto append = [&](ProducerId producer, int sequence) {
    fixture.partition.append(fixture.partition.assign(batch_of(2, producer, sequence, 1)), true,
                             fixture.context());
  };
  for (int sequence = 0; sequence < 14; sequence += 2) append(ProducerId{1}, sequence);
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto check =
        fixture.partition.check_append(*batch_of(row.records, ProducerId{1}, row.sequence, row.epoch), 1, 0);
    CHECK(check.error == row.error);
    CHECK(check.duplicate_of.value_or(kNoOffset) == row.duplicate_of);
  }
  CHECK(fixture.partition.check_append(*batch_of(2, ProducerId{2}, 77), 1, 0).error == ErrorCode::none);

  SUBCASE("after the largest sequence comes 0") {
    append(ProducerId{3}, 2'147'483'646);
    CHECK(fixture.partition.check_append(*batch_of(2, ProducerId{3}, 0, 1), 1, 0).error == ErrorCode::none);
    CHECK(fixture.partition.check_append(*batch_of(2, ProducerId{3}, 1, 1), 1, 0).error ==
          ErrorCode::out_of_order_sequence_number);
  }
  SUBCASE("what was cut from the log is forgotten") {
    fixture.partition.truncate_to(10, fixture.context());
    CHECK(fixture.partition.check_append(*batch_of(2, ProducerId{1}, 10, 1), 1, 0).error == ErrorCode::none);
  }
}

TEST_CASE("the high watermark is the least end of those who count") {
  struct Row {
    const char* what;
    std::vector<int> isr;
    int min_isr;
    Offset end_of_2, end_of_3;  // -1: has not fetched
    bool fenced_3;
    Offset want;
  };
  const Row rows[] = {
      {"all in sync: the slowest", {1, 2, 3}, 1, 10, 4, false, 4},
      {"one has not fetched in this epoch", {1, 2, 3}, 1, 10, -1, false, 0},
      {"outside the ISR, and not caught up for long: does not count", {1, 2}, 1, 8, 4, false, 8},
      {"alone", {1}, 1, -1, -1, false, 10},
      {"fewer in sync than min.insync.replicas: frozen", {1}, 2, -1, -1, false, 0},
      {"exactly min.insync.replicas", {1, 2}, 2, 9, -1, false, 9},
      {"min.insync.replicas above the replication factor counts as that", {1, 2, 3}, 7, 9, 9, false, 9},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    LeaderPartition fixture({1, 2, 3}, row.min_isr);
    fixture.set_isr(row.isr);
    fixture.append(10);
    fixture.now += 31s;
    if (row.end_of_2 >= 0) fixture.fetch(2, row.end_of_2);
    if (row.end_of_3 >= 0) fixture.fetch(3, row.end_of_3);
    CHECK(fixture.partition.high_watermark() == row.want);
  }
}

TEST_CASE("the high watermark waits for a follower that is caught up and may join") {
  LeaderPartition fixture({1, 2});
  fixture.set_isr({1});
  fixture.append(1);  // alone: committed at once
  CHECK(fixture.partition.high_watermark() == 1);
  fixture.fence(2, true);
  fixture.fetch(2, 1);  // caught up, but fenced: cannot join, does not count
  fixture.append(1);
  CHECK(fixture.partition.high_watermark() == 2);
  fixture.fence(2, false);
  fixture.append(1);  // unfenced: may join at its next fetch
  CHECK(fixture.partition.high_watermark() == 2);
  fixture.now += 31s;
  fixture.append(1);  // but not for ever
  CHECK(fixture.partition.high_watermark() == 4);
}

TEST_CASE("who may join the ISR") {
  struct Row {
    const char* what;
    Offset offset;
    bool fenced;
    std::int64_t broker_epoch;
    bool joins;
  };
  // High watermark 4, and the epoch began at 6; broker 3 is not in the ISR.
  const Row rows[] = {
      {"holds all that the epoch began with", 6, false, 30, true},
      {"holds more", 7, false, 30, true},
      {"holds what was exposed, not what the epoch began with", 5, false, 30, false},
      {"is fenced", 7, true, 30, false},
      {"does not tell its broker epoch", 7, false, -1, true},
      {"is of a later life than we know of", 7, false, 31, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    LeaderPartition fixture;
    fixture.lead_anew_with_three_outside(row.fenced);
    const auto fetched = fixture.partition.follower_fetched(NodeId{3}, BrokerEpoch{row.broker_epoch},
                                                            row.offset, 0, fixture.context());
    REQUIRE(fetched.isr_change.has_value() == row.joins);
    if (!row.joins) continue;
    CHECK(members(fetched.isr_change->request.new_isr) == std::vector{1, 2, 3});
    CHECK(fetched.isr_change->request.new_isr[0].broker_epoch == BrokerEpoch{10});
    CHECK(fetched.isr_change->request.new_isr[2].broker_epoch == BrokerEpoch{row.broker_epoch});
    CHECK(fixture.partition.maximal_isr_size() == 3);
    CHECK(fixture.partition.isr().size() == 2);
  }
}

TEST_CASE("a fetch of an earlier life of a follower counts for nothing") {
  LeaderPartition fixture;
  fixture.lead();
  const auto fetched =
      fixture.partition.follower_fetched(NodeId{2}, BrokerEpoch{19}, 0, 0, fixture.context());
  CHECK(fetched.error == ErrorCode::not_leader_or_follower);
  CHECK(fixture.partition.follower(NodeId{2})->log_end_offset == kNoOffset);
}

TEST_CASE("who leaves the ISR") {
  struct Row {
    const char* what;
    Offset first_fetch, second_fetch;  // at 10 s and 20 s after the append of ten
    Duration now;
    bool leaves;
  };
  const Row rows[] = {
      {"holds everything, however long silent", 10, 10, 500s, false},
      {"30 s after it was in sync, not yet", 5, 5, 30s, false},
      {"later", 5, 5, 30s + 1ns, true},
      {"reached our end of a fetch ago: in sync then", 10, 10, 49s, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    LeaderPartition fixture({1, 2});
    const LocalTime start = fixture.now;
    fixture.lead();
    fixture.append(10);
    fixture.now = start + 10s;
    fixture.fetch(2, row.first_fetch);
    fixture.now = start + 20s;
    fixture.fetch(2, row.second_fetch);
    fixture.now = start + row.now;
    const auto change = fixture.partition.shrink_isr(fixture.context());
    CHECK(change.has_value() == row.leaves);
    if (change) CHECK(members(change->request.new_isr) == std::vector{1});
  }
}

TEST_CASE("a follower that always lags a little was in sync when it reached where we had been") {
  LeaderPartition fixture({1, 2});
  const LocalTime start = fixture.now;
  fixture.lead();
  for (int i = 0; i < 12; ++i) {  // each fetch reaches the end as of the one before
    fixture.append(1);
    fixture.now += 5s;
    fixture.fetch(2, i);
  }
  CHECK(fixture.now - start == 60s);
  CHECK(fixture.partition.follower(NodeId{2})->last_caught_up == start + 55s);
  CHECK_FALSE(fixture.partition.shrink_isr(fixture.context()));
}

TEST_CASE("an append that adds nothing finds out that time has let go of who held the high watermark back") {
  LeaderPartition fixture;
  fixture.lead();
  fixture.fetch(2, 0);
  fixture.fetch(3, 0);
  fixture.set_isr({1, 2});  // 3 is out, and seems about to come back
  fixture.append(1);
  fixture.fetch(2, 1);
  CHECK(fixture.partition.high_watermark() == 0);
  fixture.now += 30s;  // replica.lag.time.max.ms
  CHECK_FALSE(fixture.partition.appended_nothing(fixture.context()));
  fixture.now += 1ms;
  CHECK(fixture.partition.high_watermark() == 0);
  CHECK(fixture.partition.appended_nothing(fixture.context()));
  CHECK(fixture.partition.high_watermark() == 1);
  CHECK_FALSE(fixture.partition.appended_nothing(fixture.context()));
}

TEST_CASE("while an ISR change is pending, the high watermark waits for both sides of it") {
  LeaderPartition fixture;
  fixture.set_isr({1, 2});
  fixture.append(1);
  fixture.fetch(2, 1);
  const auto change = fixture.fetch(3, 1).isr_change;
  REQUIRE(change);
  fixture.append(1);
  fixture.fetch(2, 2);
  CHECK(fixture.partition.high_watermark() == 1);
  CHECK_FALSE(fixture.fetch(3, 1).isr_change);  // one at a time

  struct Row {
    ErrorCode error;
    std::size_t isr, maximal;
    bool retries;
  };
  const Row rows[] = {
      {ErrorCode::none, 3, 3, false},
      {ErrorCode::ineligible_replica, 2, 2, false},
      {ErrorCode::operation_not_attempted, 2, 2, false},
      {ErrorCode::fenced_leader_epoch, 2, 3, false},
      {ErrorCode::invalid_update_version, 2, 3, false},
      {ErrorCode::invalid_request, 2, 3, false},
      {ErrorCode::unknown_topic_or_partition, 2, 3, false},
      {ErrorCode::unknown_topic_id, 2, 3, false},
      {ErrorCode::new_leader_elected, 2, 3, false},
      {ErrorCode::request_timed_out, 2, 3, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.error);
    LeaderPartition copy = fixture;
    AlterPartitionResponse::Partition answer = copy.granted({1, 2, 3});
    answer.error = row.error;
    CHECK_FALSE(copy.partition.isr_answered(change->change + 1, answer, copy.context()).retry);
    const auto result = copy.partition.isr_answered(change->change, answer, copy.context());
    CHECK(copy.partition.isr().size() == row.isr);
    CHECK(copy.partition.maximal_isr_size() == row.maximal);
    CHECK(result.retry == row.retries);
  }

  SUBCASE("metadata that says what was known makes the leader forget it, and the answer is ignored") {
    fixture.lead();
    CHECK(fixture.partition.maximal_isr_size() == 2);
    const auto tells_of_it = [](const node::Effect& effect) {
      const auto* report = std::get_if<node::Report>(&effect);
      return report != nullptr && std::holds_alternative<observe::IsrProposalDropped>(report->fact);
    };
    CHECK(std::count_if(fixture.out.begin(), fixture.out.end(), tells_of_it) == 1);
    fixture.partition.isr_answered(change->change, fixture.granted({1, 2, 3}), fixture.context());
    CHECK(fixture.partition.isr().size() == 2);
  }
  SUBCASE("metadata that comes first overtakes it") {
    fixture.set_isr({1, 2, 3});
    CHECK(fixture.partition.isr().size() == 3);
    AlterPartitionResponse::Partition late = fixture.granted({1, 2});
    fixture.partition.isr_answered(change->change, late, fixture.context());
    CHECK(fixture.partition.isr().size() == 3);
  }
}

TEST_CASE("replicated as promised, or not") {
  LeaderPartition fixture({1, 2, 3}, 2);
  fixture.lead();
  fixture.append(5);
  CHECK(fixture.partition.replicated(5) == std::nullopt);
  fixture.fetch(2, 5);
  fixture.fetch(3, 5);
  CHECK(fixture.partition.replicated(5) == ErrorCode::none);
  fixture.set_isr({1});
  CHECK(fixture.partition.replicated(5) == ErrorCode::not_enough_replicas_after_append);
  fixture.registration.leader = NodeId{2};
  fixture.partition.become_follower(fixture.registration, fixture.topic, fixture.context());
  CHECK(fixture.partition.replicated(5) == ErrorCode::not_leader_or_follower);
}

// A log of epochs 1 (0 to 4), 2 (5 to 9) and 4 (10 to 14).
Partition with_epochs(LeaderPartition& fixture) {
  log::LogImage image;
  Offset offset = 0;
  for (const int epoch : {1, 2, 4}) {
    image.perform(log::AppendBatch{kOrders0, Batch{offset, LeaderEpoch{epoch}, 5, batch_of(5)}});
    offset += 5;
  }
  Partition partition(kOrders0, image);
  fixture.registration.leader_epoch = LeaderEpoch{6};
  partition.become_leader(fixture.registration, fixture.topic, fixture.context());
  return partition;
}

TEST_CASE("a fetch tells where a follower's log leaves ours") {
  struct Row {
    const char* what;
    Offset offset;
    int last_epoch;
    ErrorCode error;
    int diverging_epoch;
    Offset diverging_end;
  };
  const Row rows[] = {
      {"agrees", 12, 4, ErrorCode::none, -1, kNoOffset},
      {"agrees with an older epoch", 10, 2, ErrorCode::none, -1, kNoOffset},
      {"has more of an epoch than we", 12, 2, ErrorCode::none, 2, 10},
      {"has an epoch that we never had", 12, 3, ErrorCode::none, 2, 10},
      {"has one that is newer than all", 16, 7, ErrorCode::offset_out_of_range, -1, kNoOffset},
      {"does not say", 12, -1, ErrorCode::none, -1, kNoOffset},
      {"does not say, and is ahead", 16, -1, ErrorCode::offset_out_of_range, -1, kNoOffset},
  };
  LeaderPartition fixture;
  const Partition partition = with_epochs(fixture);
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto read = partition.read({row.offset, LeaderEpoch{row.last_epoch}, true, 1 << 20, true});
    CHECK(read.error == row.error);
    CHECK(read.diverging_epoch.leader_epoch == LeaderEpoch{row.diverging_epoch});
    CHECK(read.diverging_epoch.end_offset == row.diverging_end);
  }
}

TEST_CASE("where a follower cuts its log") {
  struct Row {
    const char* what;
    int leader_epoch;
    Offset leader_end;
    Offset want;
  };
  const Row rows[] = {
      {"the leader has less of an epoch we know", 4, 12, 12},
      {"the leader has more of it", 4, 20, 15},
      {"an older epoch ended earlier there", 2, 7, 7},
      {"an older epoch ended earlier here", 2, 12, 10},
      {"an epoch we never had: to the end of the one before", 3, 12, 10},
      {"before all our epochs", 0, 3, 0},
  };
  LeaderPartition fixture;
  const Partition partition = with_epochs(fixture);
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(partition.truncation_point({LeaderEpoch{row.leader_epoch}, row.leader_end}) == row.want);
  }
}

TEST_CASE("a new leader does not tell the end before it knows how far its predecessor had exposed the log") {
  LeaderPartition fixture;
  Partition partition = with_epochs(fixture);  // the high watermark was never checkpointed: 0
  ListOffsetsRequest::Partition latest{kOrders0, kNoLeaderEpoch, kLatestTimestamp};
  CHECK(partition.list_offset(latest, false).error == ErrorCode::offset_not_available);
  CHECK(partition.list_offset(latest, true).offset == 15);
  CHECK(partition.list_offset({kOrders0, kNoLeaderEpoch, kEarliestTimestamp}, false).offset == 0);
  for (const int id : {2, 3})
    partition.follower_fetched(NodeId{id}, BrokerEpoch{10 * id}, 15, 0, fixture.context());
  CHECK(partition.list_offset(latest, false).offset == 15);
}

TEST_CASE("a follower's high watermark is the leader's, as far as it has the data") {
  LeaderPartition fixture;
  fixture.registration.leader = NodeId{2};
  fixture.partition.become_follower(fixture.registration, fixture.topic, fixture.context());
  const Batch batch{0, LeaderEpoch{3}, 4, batch_of(4)};
  fixture.partition.assign_as_is(batch);
  fixture.partition.append(batch, false, fixture.context());
  CHECK(fixture.partition.follow_high_watermark(9));
  CHECK(fixture.partition.high_watermark() == 4);
  CHECK(fixture.partition.follow_high_watermark(3));  // a leader that knows less than its predecessor
  CHECK(fixture.partition.high_watermark() == 3);
  CHECK_FALSE(fixture.partition.follow_high_watermark(3));
  fixture.partition.truncate_to(0, fixture.context());
  CHECK(fixture.partition.high_watermark() == 0);
}

// ---- History: each guard, with it and without it

TEST_CASE("who may join the ISR, before each of its guards") {
  struct Row {
    const char* what;
    bool History::*guard;
    Offset offset;
    bool fenced;
    std::int64_t broker_epoch;
  };
  // Each lacks just what its guard looks at. High watermark 4, the epoch began at 6; broker 3 is not in the
  // ISR.
  const Row rows[] = {
      {"holds what was exposed, not what the epoch began with", &History::isr_epoch_start_check, 5, false,
       30},
      {"is fenced", &History::isr_unfenced_only, 7, true, 30},
  };
  for (const Row& row : rows) {
    for (const bool guarded : {true, false}) {
      CAPTURE(row.what);
      CAPTURE(guarded);
      LeaderPartition fixture;
      fixture.config.history.*row.guard = guarded;
      fixture.lead_anew_with_three_outside(row.fenced);
      const auto fetched = fixture.partition.follower_fetched(NodeId{3}, BrokerEpoch{row.broker_epoch},
                                                              row.offset, 0, fixture.context());
      CHECK(fetched.isr_change.has_value() == !guarded);
    }
  }
}

TEST_CASE("what a pending change of the ISR means for the high watermark, with and without the maximal ISR") {
  struct Row {
    const char* what;
    bool maximal;
    bool expands;
    std::size_t counted;
    Offset high_watermark;
  };
  const Row rows[] = {
      {"who joins is waited for", true, true, 3, 4},
      {"who joins is not yet waited for", false, true, 2, 6},
      {"who leaves is still waited for", true, false, 3, 4},
      {"who leaves is no longer waited for", false, false, 2, 6},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    LeaderPartition fixture({1, 2, 3}, 2);
    fixture.config.history.isr_maximal = row.maximal;
    fixture.set_isr(row.expands ? std::vector{1, 2} : std::vector{1, 2, 3});
    fixture.append(4);
    fixture.fetch(2, 4);
    if (row.expands) {
      REQUIRE(fixture.fetch(3, 4).isr_change);
      fixture.now += 31s;  // caught up no longer: who is not in the ISR does not count
    } else {
      fixture.fetch(3, 4);
    }
    fixture.append(2);
    fixture.fetch(2, 6);
    if (!row.expands) {
      fixture.now += 31s;
      fixture.fetch(2, 6);
      REQUIRE(fixture.partition.shrink_isr(fixture.context()));
      fixture.fetch(2, 5);
      fixture.fetch(2, 6);  // moved: the high watermark is looked at
    }
    CHECK(fixture.partition.isr().size() == (row.expands ? 2 : 3));
    CHECK(fixture.partition.maximal_isr_size() == row.counted);
    CHECK(fixture.partition.high_watermark() == row.high_watermark);
  }
}

TEST_CASE("below min.insync.replicas the high watermark stands still since Kafka 3.7") {
  for (const bool strict : {true, false}) {
    CAPTURE(strict);
    LeaderPartition fixture({1, 2, 3}, 2);
    fixture.config.history.high_watermark_min_isr = strict;
    fixture.set_isr({1});
    fixture.append(3);
    CHECK(fixture.partition.high_watermark() == (strict ? 0 : 3));
    // What waits for acks=all is told that it is in the log, but not as promised.
    if (!strict) CHECK(fixture.partition.replicated(3) == ErrorCode::not_enough_replicas_after_append);
    CHECK(fixture.partition.check_append(*batch_of(1), -1, 0).error == ErrorCode::not_enough_replicas);
  }
}

TEST_CASE("where a leader says that an epoch ended, to who asks but once (KIP-101)") {
  struct Row {
    const char* what;
    int epoch;
    Offset want;
  };
  const Row rows[] = {
      {"none", -1, kNoOffset},
      {"before all that are known", 0, kNoOffset},
      {"the latest", 6, 15},
      {"one that is known: where the next begins", 2, 10},
      {"one that never was here: where the next begins as well", 3, 10},
      {"above all", 7, kNoOffset},
  };
  LeaderPartition fixture;
  const Partition partition = with_epochs(fixture);
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(partition.end_offset_before_search(LeaderEpoch{row.epoch}) == row.want);
  }
}

}  // namespace
}  // namespace sim::partition
