#include "broker/harness.h"
#include "server/coordinators.h"

// Transactions on three brokers: the coordinator, the leaders, the group coordinator, and what a reader sees.
namespace sim {
namespace {

using namespace std::chrono_literals;
using server::PlantedDefect;
using test::fetch;
using test::from;
using test::World;

server::BrokerConfig transactions_config() {
  server::BrokerConfig config;
  config.offsets_topic_num_partitions = 3;
  config.transaction_state_log_num_partitions = 3;
  return config;
}

TopicConfig compacted() {
  TopicConfig config;
  config.cleanup_compact = true;
  config.cleanup_delete = false;
  return config;
}

// Three brokers with their internal topics, and one transactional producer.
struct Transactions {
  explicit Transactions(server::BrokerConfig config = transactions_config()) {
    world = test::brokers_up(3, config, 10ms);
    orders = world.create_topic("orders", {1, 2, 3}, {}, 3);
    world.create_topic("__transaction_state", {1, 2, 3}, compacted(), 3);
    world.create_topic("__consumer_offsets", {1, 2, 3}, compacted(), 3);
    world.run_for(200ms);
    const std::int32_t index = server::coordinator_partition(id, 3);
    log_of_transactions = TopicPartition{world.metadata().topic("__transaction_state")->id, index};
    coordinator = world.metadata().partition(log_of_transactions)->leader.value();
  }

  InitProducerIdResponse try_init(std::int32_t timeout_ms = 60'000) {
    InitProducerIdRequest request;
    request.transactional_id = id;
    request.transaction_timeout_ms = timeout_ms;
    return world.ask<InitProducerIdResponse>(coordinator, request);
  }
  // Until there is nothing left of a predecessor's transaction.
  void init(std::int32_t timeout_ms = 60'000) {
    InitProducerIdResponse answer;
    for (int i = 0; i < 50; ++i) {
      answer = try_init(timeout_ms);
      const bool again = answer.error == ErrorCode::concurrent_transactions ||
                         answer.error == ErrorCode::coordinator_load_in_progress;
      if (!again) break;
      world.run_for(20ms);
    }
    REQUIRE(answer.error == ErrorCode::none);
    pid = answer.producer_id;
    epoch = answer.producer_epoch;
    sequences.clear();
  }
  ProduceRequest request_of(TopicPartition tp, int records,
                            TransactionSupport support = TransactionSupport::add_partition) {
    std::vector<Record> list(static_cast<std::size_t>(records), Record{RecordId{0}, 0, 10, 100});
    ProduceRequest request = test::produce(tp, make_data_batch(list, pid, epoch, sequences[tp], 100, true));
    request.transactional_id = id;
    request.transaction_support = support;
    return request;
  }
  int leader_of(TopicPartition tp) const { return world.metadata().partition(tp)->leader.value(); }
  ErrorCode produce(TopicPartition tp, int records,
                    TransactionSupport support = TransactionSupport::add_partition) {
    const ErrorCode error =
        world.ask<ProduceResponse>(leader_of(tp), request_of(tp, records, support)).partitions[0].error;
    if (error == ErrorCode::none) sequences[tp] += records;
    return error;
  }
  EndTxnRequest end_request(bool committed, TransactionVersion version = kTransactionVersion2) const {
    return EndTxnRequest{id, pid, epoch, committed, version};
  }
  EndTxnResponse end(bool committed, TransactionVersion version = kTransactionVersion2) {
    const auto answer = world.ask<EndTxnResponse>(coordinator, end_request(committed, version));
    if (answer.error == ErrorCode::none && version == kTransactionVersion2) {
      pid = answer.producer_id;
      epoch = answer.producer_epoch;
      sequences.clear();
    }
    return answer;
  }
  std::vector<TransactionState> states() const {
    std::vector<TransactionState> result;
    for (int broker = 1; broker <= 3; ++broker) {
      for (const auto& fact : world.facts<observe::TransactionStateChanged>(broker))
        result.push_back(fact.state);
    }
    return result;
  }
  FetchResponse::Partition read(TopicPartition tp, Offset offset, bool committed_only) {
    FetchRequest request = fetch({from(tp, offset)}, 0);
    request.read_committed = committed_only;
    const auto answer = world.ask<FetchResponse>(leader_of(tp), request);
    return answer.partitions.empty() ? FetchResponse::Partition{} : answer.partitions[0];
  }
  Offset latest(TopicPartition tp, bool committed_only) {
    ListOffsetsRequest request;
    request.read_committed = committed_only;
    request.partitions.push_back({tp, kNoLeaderEpoch, kLatestTimestamp});
    return world.ask<ListOffsetsResponse>(leader_of(tp), request).partitions[0].offset;
  }
  // A partition of orders that another broker leads than the coordinator.
  TopicPartition led_elsewhere() const {
    for (int i = 0; i < 3; ++i) {
      if (leader_of({orders.topic, i}) != coordinator) return {orders.topic, i};
    }
    return orders;
  }

  // ---- Offsets of a group, in the transaction
  int group_coordinator() const {
    const std::int32_t index = server::coordinator_partition("payment", 3);
    return leader_of({world.metadata().topic("__consumer_offsets")->id, index});
  }
  ErrorCode commit_offset(Offset offset) {
    TxnOffsetCommitRequest request;
    request.transactional_id = id;
    request.group = "payment";
    request.producer_id = pid;
    request.producer_epoch = epoch;
    request.partitions.push_back({orders, offset, kNoLeaderEpoch});
    return world.ask<TxnOffsetCommitResponse>(group_coordinator(), request).partitions[0].error;
  }
  OffsetFetchResponse::Partition offset_of_group(bool stable) {
    OffsetFetchRequest request;
    request.group = "payment";
    request.require_stable = stable;
    request.partitions.push_back(orders);
    return world.ask<OffsetFetchResponse>(group_coordinator(), request).partitions[0];
  }

  std::string id = "payments-1";
  World world;
  TopicPartition orders;
  TopicPartition log_of_transactions;
  int coordinator = 0;
  ProducerId pid = kNoProducerId;
  ProducerEpoch epoch = kNoProducerEpoch;
  std::map<TopicPartition, std::int32_t> sequences;
};

TEST_CASE("a committed transaction: answered when it is decided, then marked, then seen") {
  Transactions one;
  one.init();
  CHECK(one.epoch == ProducerEpoch{0});
  CHECK(one.produce(one.orders, 3) == ErrorCode::none);
  CHECK(one.latest(one.orders, false) == 3);
  CHECK(one.latest(one.orders, true) == 0);
  CHECK(one.read(one.orders, 0, true).batches.empty());
  CHECK(one.read(one.orders, 0, true).last_stable_offset == 0);
  CHECK(test::records_in(one.read(one.orders, 0, false)) == 3);

  const EndTxnResponse answer = one.end(true);
  CHECK(answer.error == ErrorCode::none);
  CHECK(answer.producer_epoch == ProducerEpoch{1});
  one.world.run_for(100ms);
  CHECK(one.states() == std::vector{TransactionState::empty, TransactionState::ongoing,
                                    TransactionState::prepare_commit, TransactionState::complete_commit});
  const FetchResponse::Partition seen = one.read(one.orders, 0, true);
  REQUIRE(seen.batches.size() == 2);
  CHECK(seen.last_stable_offset == 4);  // the marker takes an offset
  CHECK(seen.aborted_transactions.empty());
  const BatchData& marker = *seen.batches[1].data;
  CHECK(marker.control);
  CHECK(marker.producer_epoch == ProducerEpoch{1});  // data of epoch 0, its marker of the bumped one
  CHECK(marker.end_transaction_marker()->committed);
  // On followers, too, which may lead next.
  for (int broker = 1; broker <= 3; ++broker)
    CHECK(one.world.partition(broker, one.orders).last_stable_offset() == 4);
}

TEST_CASE("an aborted transaction: its records are told to be dropped") {
  Transactions one;
  one.init();
  CHECK(one.produce(one.orders, 3) == ErrorCode::none);
  CHECK(one.end(false).error == ErrorCode::none);
  one.world.run_for(100ms);
  const FetchResponse::Partition seen = one.read(one.orders, 0, true);
  REQUIRE(seen.aborted_transactions.size() == 1);
  CHECK(seen.aborted_transactions[0].first_offset == 0);
  CHECK(seen.aborted_transactions[0].producer_id == one.pid);
  CHECK(one.read(one.orders, 0, false).aborted_transactions.empty());
  CHECK(one.produce(one.orders, 1) == ErrorCode::none);  // with the new epoch, from sequence 0 on
}

TEST_CASE("the next transaction's first batch waits for the end of the last, in steps of 20 ms") {
  Transactions one;
  one.init();
  const TopicPartition tp = one.led_elsewhere();
  CHECK(one.produce(tp, 1) == ErrorCode::none);
  CHECK(one.end(true).error == ErrorCode::none);
  const LocalTime asked = one.world.now();
  CHECK(one.produce(tp, 1) == ErrorCode::none);  // the leader waits in the producer's place
  CHECK(one.world.answered_at - asked >= 20ms);
  CHECK(one.world.answered_at - asked < 40ms);
  one.world.run_for(300ms);
  CHECK(one.end(true).error == ErrorCode::none);
  one.world.run_for(300ms);
  const LocalTime later = one.world.now();
  CHECK(one.produce(tp, 1) == ErrorCode::none);  // that one has ended meanwhile
  CHECK(one.world.answered_at - later < 20ms);
}

TEST_CASE("a producer of an older protocol is told CONCURRENT_TRANSACTIONS itself, or what it knows of") {
  Transactions one;
  one.init();
  const TopicPartition tp = one.led_elsewhere();
  AddPartitionsToTxnRequest add;
  add.transactions.push_back({one.id, one.pid, one.epoch, false, {tp}});
  CHECK(one.world.ask<AddPartitionsToTxnResponse>(one.coordinator, add).transactions[0].partitions[0].error ==
        ErrorCode::none);
  CHECK(one.produce(tp, 2, TransactionSupport::generic_error) == ErrorCode::none);
  CHECK(one.end(true, kTransactionVersion0).error == ErrorCode::none);
  CHECK(one.epoch == ProducerEpoch{0});  // the epoch stays
  CHECK(one.world.ask<AddPartitionsToTxnResponse>(one.coordinator, add).transactions[0].partitions[0].error ==
        ErrorCode::concurrent_transactions);
  one.world.run_for(300ms);
  CHECK(one.world.ask<AddPartitionsToTxnResponse>(one.coordinator, add).transactions[0].partitions[0].error ==
        ErrorCode::none);
  CHECK(one.produce(tp, 1, TransactionSupport::generic_error) == ErrorCode::none);    // the sequence goes on
  CHECK(one.read(tp, 2, false).batches[0].data->producer_epoch == ProducerEpoch{0});  // as does the epoch

  add.transactions[0].partitions = {tp, {tp.topic, 99}};
  const auto refused = one.world.ask<AddPartitionsToTxnResponse>(one.coordinator, add).transactions[0];
  CHECK(refused.partitions[0].error == ErrorCode::operation_not_attempted);
  CHECK(refused.partitions[1].error == ErrorCode::unknown_topic_or_partition);
}

TEST_CASE("a batch whose partition is not in the transaction is refused, as of Kafka 3.6") {
  struct Row {
    const char* what;
    bool history;
    bool enabled;
    TransactionSupport support;
    ErrorCode want;
  };
  const Row rows[] = {
      {"a client that knows the error", true, true, TransactionSupport::generic_error,
       ErrorCode::transaction_abortable},
      {"an older one", true, true, TransactionSupport::default_error, ErrorCode::invalid_txn_state},
      {"not verified", true, false, TransactionSupport::default_error, ErrorCode::none},
      {"before Kafka 3.6", false, true, TransactionSupport::default_error, ErrorCode::none},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    server::BrokerConfig config = transactions_config();
    config.history.transaction_verification = row.history;
    config.transaction_partition_verification_enable = row.enabled;
    Transactions one(config);
    one.init();
    CHECK(one.produce(one.orders, 1, row.support) == row.want);
    one.world.run_for(100ms);
    // Whoever lets it in has a transaction that nobody will end.
    const bool hangs = row.want == ErrorCode::none;
    CHECK(one.world.partition(1, one.orders).last_stable_offset() == 0);
    CHECK((one.latest(one.orders, false) > one.latest(one.orders, true)) == hangs);
  }
}

TEST_CASE("who initialises anew fences its predecessor and aborts what it has left open") {
  Transactions one;
  one.init();
  CHECK(one.produce(one.orders, 3) == ErrorCode::none);
  const ProducerEpoch zombie = one.epoch;
  const auto sequences = one.sequences;
  CHECK(one.try_init().error == ErrorCode::concurrent_transactions);
  one.init();
  CHECK(one.epoch == ProducerEpoch{2});  // 1 was the abort's
  one.world.run_for(100ms);
  CHECK(one.read(one.orders, 0, true).aborted_transactions.size() == 1);

  const ProducerEpoch successor = std::exchange(one.epoch, zombie);
  one.sequences = sequences;
  CHECK(one.end(true).error == ErrorCode::producer_fenced);
  CHECK(one.produce(one.orders, 1) == ErrorCode::invalid_producer_epoch);
  InitProducerIdRequest resume;
  resume.transactional_id = one.id;
  resume.producer_id = one.pid;
  resume.producer_epoch = zombie;
  CHECK(one.world.ask<InitProducerIdResponse>(one.coordinator, resume).error == ErrorCode::producer_fenced);
  std::size_t fenced = 0;
  for (int broker = 1; broker <= 3; ++broker)
    fenced += one.world.facts<observe::ProducerFenced>(broker).size();
  CHECK(fenced == 3);
  one.epoch = successor;
  one.sequences.clear();
  CHECK(one.produce(one.orders, 1) == ErrorCode::none);
}

TEST_CASE("what stays open for too long is aborted by the coordinator, at its next scan") {
  Transactions one;
  one.init(1'000);
  CHECK(one.produce(one.orders, 3) == ErrorCode::none);
  one.world.run_for(900ms);
  CHECK(one.latest(one.orders, true) == 0);
  one.world.run_for(11s);
  CHECK(one.latest(one.orders, true) == 4);
  CHECK(one.states().back() == TransactionState::complete_abort);
  CHECK(one.end(true).error == ErrorCode::invalid_txn_state);  // a retry by its epoch, of the other outcome
  CHECK(one.produce(one.orders, 1) == ErrorCode::invalid_producer_epoch);
  CHECK(one.try_init(900'001).error == ErrorCode::invalid_transaction_timeout);
  CHECK(one.try_init(0).error == ErrorCode::invalid_transaction_timeout);
}

TEST_CASE("a decision survives its coordinator: the next one sends the markers") {
  Transactions one;
  one.init();
  const TopicPartition tp = one.led_elsewhere();
  CHECK(one.produce(tp, 3) == ErrorCode::none);
  CHECK(one.end(true).error == ErrorCode::none);
  // It dies while it is still connecting to send its markers.
  const int leader = one.leader_of(tp);
  const int third = 6 - leader - one.coordinator;
  one.world.crash(one.coordinator);
  one.world.elect(one.log_of_transactions, third, {leader, third});
  one.world.elect(tp, leader, {leader, third});
  one.world.run_for(200ms);
  CHECK(one.latest(tp, true) == 4);
  const FetchResponse::Partition seen = one.read(tp, 3, true);
  REQUIRE(seen.batches.size() == 1);
  CHECK(seen.batches[0].data->end_transaction_marker()->coordinator_epoch == CoordinatorEpoch{1});
  one.coordinator = third;
  CHECK(one.produce(tp, 1) == ErrorCode::none);
}

TEST_CASE("markers find the new leader of a partition") {
  Transactions one;
  one.init();
  const TopicPartition tp = one.led_elsewhere();
  CHECK(one.produce(tp, 3) == ErrorCode::none);
  CHECK(one.end(false).error == ErrorCode::none);
  const int old_leader = one.leader_of(tp);
  one.world.crash(old_leader);
  one.world.elect(tp, one.coordinator, {one.coordinator});
  one.world.run_for(1s);
  CHECK(one.latest(tp, true) == 4);
  CHECK(one.read(tp, 0, true).aborted_transactions.size() == 1);
}

TEST_CASE("offsets of a transaction are pending until it is committed, and gone when it is aborted") {
  for (const bool committed : {true, false}) {
    CAPTURE(committed);
    Transactions one;
    one.init();
    CHECK(one.produce(one.orders, 1) == ErrorCode::none);
    CHECK(one.commit_offset(10) == ErrorCode::none);
    CHECK(one.offset_of_group(true).error == ErrorCode::unstable_offset_commit);
    CHECK(one.offset_of_group(false).error == ErrorCode::none);
    CHECK(one.offset_of_group(false).offset == kNoOffset);
    CHECK(one.end(committed).error == ErrorCode::none);
    one.world.run_for(100ms);
    CHECK(one.offset_of_group(true).error == ErrorCode::none);
    CHECK(one.offset_of_group(true).offset == (committed ? 10 : kNoOffset));
    CHECK(one.offset_of_group(false).offset == (committed ? 10 : kNoOffset));

    // The same from the log, by another coordinator.
    const std::int32_t index = server::coordinator_partition("payment", 3);
    const TopicPartition tp{one.world.metadata().topic("__consumer_offsets")->id, index};
    one.world.elect(tp, one.group_coordinator() % 3 + 1, {1, 2, 3});
    one.world.run_for(100ms);
    CHECK(one.offset_of_group(true).offset == (committed ? 10 : kNoOffset));
  }
}

TEST_CASE("a group coordinator that takes over in mid-transaction knows what is pending") {
  Transactions one;
  one.init();
  CHECK(one.commit_offset(10) == ErrorCode::none);
  const std::int32_t index = server::coordinator_partition("payment", 3);
  const TopicPartition tp{one.world.metadata().topic("__consumer_offsets")->id, index};
  one.world.elect(tp, one.group_coordinator() % 3 + 1, {1, 2, 3});
  one.world.run_for(100ms);
  CHECK(one.offset_of_group(true).error == ErrorCode::unstable_offset_commit);
  CHECK(one.end(true).error == ErrorCode::none);
  one.world.run_for(100ms);
  CHECK(one.offset_of_group(true).offset == 10);
}

TEST_CASE("a zombie's offsets are refused: its transaction is over") {
  Transactions one;
  one.init();
  CHECK(one.commit_offset(10) == ErrorCode::none);
  const ProducerEpoch zombie = one.epoch;
  one.init();
  one.world.run_for(100ms);
  one.epoch = zombie;
  CHECK(one.commit_offset(20) == ErrorCode::invalid_producer_epoch);
  CHECK(one.offset_of_group(true).offset == kNoOffset);
}

TEST_CASE("an epoch that is used up is followed by another producer id") {
  Transactions one;
  one.init();
  InitProducerIdRequest bump;
  bump.transactional_id = one.id;
  const ProducerId first = one.pid;
  for (int i = 0; i < 32'766; ++i) {
    const auto answer = one.world.ask<InitProducerIdResponse>(one.coordinator, bump);
    REQUIRE(answer.error == ErrorCode::none);
    REQUIRE(answer.producer_id == first);
  }
  const auto next = one.world.ask<InitProducerIdResponse>(one.coordinator, bump);
  CHECK(next.producer_id != first);
  CHECK(next.producer_epoch == ProducerEpoch{0});
}

// ---- Planted mistakes do what they say

TEST_CASE("planted: an open transaction does not hold back the last stable offset") {
  server::BrokerConfig config = transactions_config();
  config.defect = PlantedDefect::stable_offset_ignores_open;
  Transactions one(config);
  one.init();
  CHECK(one.produce(one.orders, 3) == ErrorCode::none);
  CHECK(test::records_in(one.read(one.orders, 0, true)) == 3);
}

TEST_CASE("planted: what was aborted is not told") {
  server::BrokerConfig config = transactions_config();
  config.defect = PlantedDefect::aborted_transactions_omitted;
  Transactions one(config);
  one.init();
  CHECK(one.produce(one.orders, 3) == ErrorCode::none);
  CHECK(one.end(false).error == ErrorCode::none);
  one.world.run_for(100ms);
  CHECK(one.read(one.orders, 0, true).batches.size() == 2);
  CHECK(one.read(one.orders, 0, true).aborted_transactions.empty());
}

TEST_CASE("planted: a marker is lost with its connection") {
  server::BrokerConfig config = transactions_config();
  config.defect = PlantedDefect::transaction_marker_lost;
  Transactions one(config);
  one.init();
  const TopicPartition tp = one.led_elsewhere();
  CHECK(one.produce(tp, 3) == ErrorCode::none);
  CHECK(one.end(true).error == ErrorCode::none);
  const int old_leader = one.leader_of(tp);
  one.world.crash(old_leader);
  one.world.elect(tp, one.coordinator, {one.coordinator});
  PartitionChangeRecord shrunk;  // so that the coordinator can write without it
  shrunk.tp = one.log_of_transactions;
  shrunk.has_isr = true;
  for (int broker = 1; broker <= 3; ++broker) {
    if (broker != old_leader) shrunk.isr.push_back(NodeId{broker});
  }
  const BrokerEpoch broker_epoch{100 + old_leader};
  one.world.commit({BrokerRegistrationChangeRecord{NodeId{old_leader}, broker_epoch, 1, 0}, shrunk});
  one.world.run_for(1s);
  CHECK(one.states().back() == TransactionState::complete_commit);
  CHECK(one.latest(tp, false) == 3);  // without its marker
  CHECK(one.latest(tp, true) == 0);
}

TEST_CASE("planted: a leader takes what it should have asked about") {
  server::BrokerConfig config = transactions_config();
  config.defect = PlantedDefect::verification_skipped;
  Transactions one(config);
  one.init();
  CHECK(one.produce(one.orders, 1, TransactionSupport::generic_error) == ErrorCode::none);
}

TEST_CASE("planted: offsets of an open transaction are told") {
  server::BrokerConfig config = transactions_config();
  config.defect = PlantedDefect::pending_offsets_exposed;
  Transactions one(config);
  one.init();
  CHECK(one.commit_offset(10) == ErrorCode::none);
  CHECK(one.offset_of_group(true).offset == 10);
}

}  // namespace
}  // namespace sim
