// A transactional producer: what it asks for in which order, and what an error makes of its transaction.
#include <doctest/doctest.h>

#include "client/producer_world.h"

namespace sim::client {
namespace {

using namespace std::chrono_literals;
using test::ProducerWorld;
using State = ProducerTransactionState;
using Names = std::vector<std::string>;

ProducerConfig transactional_config() {
  return test::config([](ProducerConfig& c) { c.transactional_id = "shop"; });
}

// In a transaction, with the topic's metadata known.
void begin_first(ProducerWorld& world) {
  world.start();
  world.init_transactions();
  world.run_for(200ms);  // once its coordinator is found the request waits for retry.backoff.ms, as in Kafka
  REQUIRE(world.returned() == ErrorCode::none);
  world.events.clear();
  world.begin();
}

// One record sent and acknowledged.
void send_one(ProducerWorld& world, std::int64_t number) {
  world.send(number);
  world.run_for(200ms);
  world.answer_all();
}

std::vector<State> states(const ProducerWorld& world) {
  std::vector<State> told;
  for (const auto& fact : world.all<observe::ProducerTransactionChanged>()) told.push_back(fact.state);
  return told;
}

TEST_CASE("transaction version 2: the first batch adds its partition, EndTxn brings the next epoch") {
  ProducerWorld world(transactional_config());
  begin_first(world);
  CHECK(world.transactional == Names{"FindCoordinatorRequest", "InitProducerIdRequest"});
  world.send(1);
  world.run_for(200ms);
  REQUIRE(world.produced.size() == 1);
  const ProduceRequest& request = world.produced.front().request;
  CHECK(request.transactional_id == "shop");
  CHECK(request.transaction_support == TransactionSupport::add_partition);
  CHECK(request.partitions.front().batch->transactional);
  CHECK(request.partitions.front().batch->producer_epoch == ProducerEpoch{0});
  world.commit();
  world.run_for(1s);
  CHECK(world.transactional.size() == 2);  // the batch is not answered yet
  CHECK_FALSE(world.returned());
  world.answer_all();
  CHECK(world.transactional.back() == "EndTxnRequest");
  CHECK(world.returned() == ErrorCode::none);

  world.begin();
  world.send(2);
  world.run_for(200ms);
  REQUIRE(world.produced.size() == 1);
  CHECK(world.batches().front()->producer_epoch == ProducerEpoch{1});
  CHECK(world.batches().front()->base_sequence == 0);
  CHECK(states(world) == std::vector<State>{State::initializing, State::ready, State::in_transaction,
                                            State::committing, State::ready, State::in_transaction});
}

TEST_CASE("before version 2: partitions are added before a batch goes, the epoch stays, sequences go on") {
  ProducerWorld world(transactional_config());
  world.transaction_version = kTransactionVersion0;
  begin_first(world);
  world.held = {"AddPartitionsToTxnRequest"};
  world.send(1);
  world.run_for(1s);
  CHECK(world.produced.empty());
  REQUIRE(world.unanswered.size() == 1);
  world.answer_held(world.no_error(world.unanswered.front().message));
  world.run_for(100ms);
  REQUIRE(world.produced.size() == 1);
  CHECK(world.produced.front().request.transaction_support == TransactionSupport::generic_error);
  world.answer_all();
  world.commit();
  CHECK(world.returned() == ErrorCode::none);
  world.held.clear();
  world.begin();
  world.send(2);
  world.run_for(200ms);
  REQUIRE(world.produced.size() == 1);
  CHECK(world.batches().front()->producer_epoch == ProducerEpoch{0});
  CHECK(world.batches().front()->base_sequence == 1);
  CHECK(world.transactional == Names{"FindCoordinatorRequest", "InitProducerIdRequest",
                                     "AddPartitionsToTxnRequest", "EndTxnRequest",
                                     "AddPartitionsToTxnRequest"});
}

TEST_CASE("offsets go to the group's coordinator, before version 2 announced to the transaction's") {
  for (const TransactionVersion version : {kTransactionVersion2, kTransactionVersion0}) {
    CAPTURE(version);
    ProducerWorld world(transactional_config());
    world.transaction_version = version;
    begin_first(world);
    world.transactional.clear();
    world.send_offsets(10);
    world.run_for(500ms);
    CHECK(world.returned() == ErrorCode::none);
    world.commit();
    world.run_for(500ms);
    CHECK(world.returned() == ErrorCode::none);
    const Names with_group{"TxnOffsetCommitRequest", "EndTxnRequest"};
    Names want = version == kTransactionVersion0 ? Names{"AddOffsetsToTxnRequest"} : Names{};
    want.emplace_back("FindCoordinatorRequest");
    want.insert(want.end(), with_group.begin(), with_group.end());
    CHECK(world.transactional == want);
  }
}

TEST_CASE("a transaction in which nothing was sent is not ended at the coordinator") {
  ProducerWorld world(transactional_config());
  begin_first(world);
  world.commit();
  CHECK(world.returned() == ErrorCode::none);
  CHECK(world.transactional.back() == "InitProducerIdRequest");
  CHECK(world.producer.transaction_state() == State::ready);
}

TEST_CASE("abort fails what was not sent yet, and waits for what was") {
  ProducerWorld world(transactional_config());
  begin_first(world);
  send_one(world, 1);
  world.append(2);  // lingers
  world.abort();
  CHECK(world.produced.empty());
  CHECK(world.returned() == ErrorCode::none);
  const auto failed = world.all<observe::RecordFailed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed.front().record == RecordId{2});
  CHECK(world.transactional.back() == "EndTxnRequest");
}

TEST_CASE("what EndTxn's errors make of a commit") {
  struct Row {
    ErrorCode error;
    State want;
    bool is_asked_again;
  };
  const Row rows[] = {
      {ErrorCode::coordinator_load_in_progress, State::committing, true},
      {ErrorCode::concurrent_transactions, State::committing, true},
      {ErrorCode::not_coordinator, State::committing, true},
      {ErrorCode::coordinator_not_available, State::committing, true},
      {ErrorCode::invalid_producer_epoch, State::fatal_error, false},
      {ErrorCode::producer_fenced, State::fatal_error, false},
      {ErrorCode::invalid_txn_state, State::fatal_error, false},
      {ErrorCode::invalid_producer_id_mapping, State::fatal_error, false},
      {ErrorCode::unknown_producer_id, State::abortable_error, false},
      {ErrorCode::transaction_abortable, State::abortable_error, false},
      {ErrorCode::unknown_server_error, State::fatal_error, false},
  };
  for (const Row& row : rows) {
    CAPTURE(sim::name(row.error));
    ProducerWorld world(transactional_config());
    begin_first(world);
    send_one(world, 1);
    world.held = {"EndTxnRequest"};
    world.commit();
    world.answer_held(EndTxnResponse{row.error});
    CHECK(world.producer.transaction_state() == row.want);
    world.run_for(99ms);
    CHECK(world.unanswered.empty());
    world.run_for(100ms);  // retry.backoff.ms
    CHECK(world.unanswered.size() == (row.is_asked_again ? 1u : 0u));
    CHECK(world.returned().has_value() == !row.is_asked_again);
  }
}

TEST_CASE(
    "what errors of batches and offsets make of a transaction, and whether it can go on after an abort") {
  struct Row {
    const char* request;
    ErrorCode error;
    State want;
  };
  const Row rows[] = {
      {"Produce", ErrorCode::invalid_producer_epoch, State::abortable_error},
      {"Produce", ErrorCode::transaction_abortable, State::abortable_error},
      {"Produce", ErrorCode::invalid_txn_state, State::abortable_error},
      {"Produce", ErrorCode::producer_fenced, State::fatal_error},
      {"TxnOffsetCommit", ErrorCode::illegal_generation, State::abortable_error},
      {"TxnOffsetCommit", ErrorCode::unknown_member_id, State::abortable_error},
      {"TxnOffsetCommit", ErrorCode::fenced_instance_id, State::abortable_error},
      {"TxnOffsetCommit", ErrorCode::invalid_producer_epoch, State::fatal_error},
      {"TxnOffsetCommit", ErrorCode::offset_metadata_too_large, State::fatal_error},
  };
  for (const Row& row : rows) {
    CAPTURE(row.request);
    CAPTURE(sim::name(row.error));
    ProducerWorld world(transactional_config());
    begin_first(world);
    if (row.request == std::string("Produce")) {
      world.send(1);
      world.run_for(200ms);
      world.answer(row.error);
    } else {
      world.held = {"TxnOffsetCommitRequest"};
      world.send_offsets(10);
      world.run_for(200ms);
      TxnOffsetCommitResponse answer;
      answer.partitions.push_back({TopicPartition{test::kOrders, 0}, row.error});
      world.answer_held(answer);
      CHECK(world.returned() ==
            (row.want == State::fatal_error && row.error == ErrorCode::invalid_producer_epoch
                 ? ErrorCode::producer_fenced
                 : row.error));
    }
    CHECK(world.producer.transaction_state() == row.want);
    world.events.clear();
    world.abort();
    world.run_for(500ms);
    if (row.want == State::fatal_error) {
      CHECK(world.returned() != ErrorCode::none);
    } else {
      CHECK(world.returned() == ErrorCode::none);
      world.begin();
    }
  }
}

TEST_CASE("before version 2 a producer whose batch failed asks for another epoch when it has aborted") {
  ProducerWorld world(transactional_config());
  world.transaction_version = kTransactionVersion0;
  begin_first(world);
  world.send(1);
  world.run_for(200ms);
  world.answer(ErrorCode::invalid_record);
  REQUIRE(world.producer.transaction_state() == State::abortable_error);
  world.epoch = ProducerEpoch{1};
  world.abort();
  world.run_for(200ms);
  CHECK(world.returned() == ErrorCode::none);
  REQUIRE(world.transactional.size() >= 2);
  CHECK(world.transactional[world.transactional.size() - 2] == "EndTxnRequest");
  CHECK(world.transactional.back() == "InitProducerIdRequest");
  CHECK(world.producer.producer_id().epoch == ProducerEpoch{1});
}

TEST_CASE(
    "the first partition of a transaction is asked for again after 20 ms, a later one after "
    "retry.backoff.ms") {
  ProducerWorld world(transactional_config(), 2);
  world.transaction_version = kTransactionVersion0;
  begin_first(world);
  world.held = {"AddPartitionsToTxnRequest"};
  world.send(1, test::key(0));
  const auto refuse = [&world](Duration after, std::size_t want) {
    auto answer = std::get<AddPartitionsToTxnResponse>(world.no_error(world.unanswered.front().message));
    answer.transactions.front().partitions.front().error = ErrorCode::concurrent_transactions;
    world.answer_held(answer);
    world.run_for(after);
    CHECK(world.unanswered.size() == want);
  };
  refuse(19ms, 0);
  world.run_for(1ms);
  REQUIRE(world.unanswered.size() == 1);
  world.answer_held(world.no_error(world.unanswered.front().message));
  world.run_for(100ms);
  world.answer_all();
  for (std::int64_t other = 1; world.unanswered.empty() && other < 20; ++other)
    world.send(other + 1, test::key(other));
  REQUIRE(world.unanswered.size() == 1);
  refuse(99ms, 0);
  world.run_for(1ms);
  CHECK(world.unanswered.size() == 1);
}

TEST_CASE("a commit that takes longer than max.block.ms may be asked for again") {
  ProducerConfig config = transactional_config();
  config.max_block_ms = 2'000;
  ProducerWorld world(config);
  begin_first(world);
  send_one(world, 1);
  world.held = {"EndTxnRequest"};
  world.commit();
  world.run_for(2s);
  CHECK(world.returned() == ErrorCode::request_timed_out);
  world.commit();
  CHECK(world.unanswered.size() == 1);  // the same request
  world.answer_held(EndTxnResponse{ErrorCode::none, ProducerId{7}, ProducerEpoch{1}});
  CHECK(world.returned() == ErrorCode::none);
}

TEST_CASE("who loses its coordinator in mid-commit looks for it and asks again") {
  ProducerWorld world(transactional_config());
  begin_first(world);
  send_one(world, 1);
  world.held = {"EndTxnRequest"};
  world.commit();
  REQUIRE(world.unanswered.size() == 1);
  world.unanswered.clear();
  world.held.clear();
  world.disconnect(1);
  world.run_for(2s);
  CHECK(world.returned() == ErrorCode::none);
  const Names tail(world.transactional.end() - 2, world.transactional.end());
  CHECK(tail == Names{"FindCoordinatorRequest", "EndTxnRequest"});
}

TEST_CASE("a producer that is closed in a transaction aborts it") {
  ProducerWorld world(transactional_config());
  begin_first(world);
  world.held = {"EndTxnRequest"};
  send_one(world, 1);
  world.producer.close();
  world.poll();
  REQUIRE(world.unanswered.size() == 1);
  CHECK_FALSE(std::get<EndTxnRequest>(world.unanswered.front().message).committed);
  CHECK_FALSE(world.producer.closed());
  world.answer_held(EndTxnResponse{ErrorCode::none, ProducerId{7}, ProducerEpoch{1}});
  CHECK(world.producer.closed());
}

}  // namespace
}  // namespace sim::client
