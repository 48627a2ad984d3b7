#include "partition/producer_state.h"

#include <doctest/doctest.h>

#include <vector>

#include "log/partition_log.h"
#include "protocol/batch_builder.h"

// What a partition knows of producers and their transactions.
namespace sim::partition {
namespace {

constexpr ProducerId kProducer{7};
constexpr ProducerId kOther{8};
constexpr std::int64_t kDay = 86'400'000;

BatchDataPtr data(ProducerId producer, int epoch, int sequence, int records = 1, bool transactional = true) {
  return make_data_batch(
      std::vector<Record>(static_cast<std::size_t>(records), Record{RecordId{0}, 1'000, 10, 100}), producer,
      ProducerEpoch{static_cast<std::int16_t>(epoch)}, sequence, 100, transactional);
}
BatchDataPtr marker(ProducerId producer, int epoch, bool committed, int coordinator_epoch = 0) {
  return make_marker_batch(EndTransactionMarker{committed, CoordinatorEpoch{coordinator_epoch}}, producer,
                           ProducerEpoch{static_cast<std::int16_t>(epoch)}, 2'000);
}

// A log, and what is known of its producers; what is appended needs no verification unless a test asks for
// it.
struct ProducersOfLog {
  ProducersOfLog() { rules.verifies_transactions = false; }

  ErrorCode check(const BatchDataPtr& batch, const ProducerStates::Append& append = {}) const {
    return states.check(*batch, append, rules).error;
  }
  ErrorCode check_marker(const BatchDataPtr& batch, TransactionVersion version = 0) const {
    return check(batch, {AppendOrigin::coordinator, kNoGuard, version});
  }
  Offset append(BatchDataPtr batch) {
    Batch placed = log.assign(std::move(batch), LeaderEpoch{0});
    const Offset base = placed.base_offset;
    states.note(placed);
    log.append(std::move(placed));
    return base;
  }
  // The first unstable offset once everything is replicated.
  Offset stable() {
    states.high_watermark_advanced(log.log_end_offset());
    return states.first_unstable_offset() == kNoOffset ? log.log_end_offset()
                                                       : states.first_unstable_offset();
  }

  log::PartitionLog log{log::LogImage{}};
  ProducerStates states;
  AppendRules rules;
};

TEST_CASE("an open transaction holds back what is stable, until the high watermark has passed its marker") {
  ProducersOfLog one;
  one.append(data(kNoProducerId, 0, -1, 3, false));
  CHECK(one.states.first_unstable_offset() == kNoOffset);
  CHECK(one.append(data(kProducer, 0, 0, 2)) == 3);
  CHECK(one.append(data(kOther, 0, 0, 2)) == 5);
  CHECK(one.states.first_unstable_offset() == 3);
  CHECK(one.append(marker(kProducer, 1, true)) == 7);
  CHECK(one.states.first_unstable_offset() == 3);  // the marker is not replicated
  one.states.high_watermark_advanced(7);
  CHECK(one.states.first_unstable_offset() == 3);
  one.states.high_watermark_advanced(8);
  CHECK(one.states.first_unstable_offset() == 5);  // the other one's
  one.append(marker(kOther, 1, false));
  CHECK(one.stable() == 9);
}

TEST_CASE("aborted transactions are told as far as they overlap with what is read") {
  ProducersOfLog one;
  one.append(data(kProducer, 0, 0, 2));     // 0, 1
  one.append(marker(kProducer, 1, false));  // 2
  one.append(data(kProducer, 1, 0, 2));     // 3, 4
  one.append(data(kOther, 0, 0, 2));        // 5, 6
  one.append(marker(kProducer, 2, false));  // 7
  one.append(marker(kOther, 1, true));      // 8
  one.append(data(kOther, 1, 0, 1));        // 9
  one.append(marker(kOther, 2, false));     // 10
  using Aborted = std::vector<FetchResponse::AbortedTransaction>;
  CHECK(one.states.aborted_between(0, 2) == Aborted{{kProducer, 0}});
  CHECK(one.states.aborted_between(0, 11) == Aborted{{kProducer, 0}, {kProducer, 3}, {kOther, 9}});
  CHECK(one.states.aborted_between(3, 9) == Aborted{{kProducer, 3}});
  CHECK(one.states.aborted_between(8, 9) == Aborted{});
  CHECK(one.states.aborted_between(7, 10) == Aborted{{kProducer, 3}, {kOther, 9}});
  one.states.log_start_raised(5);  // of the first nothing is left
  CHECK(one.states.aborted_between(0, 11) == Aborted{{kProducer, 3}, {kOther, 9}});
}

TEST_CASE("what is known is the same when it is read from the log again") {
  ProducersOfLog one;
  one.append(data(kProducer, 0, 0, 2));
  one.append(marker(kProducer, 1, false));
  one.append(data(kOther, 4, 0, 2));
  ProducerStates again;
  again.rebuild(one.log, one.log.log_end_offset());
  CHECK(again.first_unstable_offset() == 3);
  CHECK(again.aborted_between(0, 5) == one.states.aborted_between(0, 5));
  CHECK(again.epoch_of(kProducer) == ProducerEpoch{1});
  CHECK(again.has_ongoing_transaction(kOther, ProducerEpoch{4}));
  CHECK_FALSE(again.has_ongoing_transaction(kOther, ProducerEpoch{3}));
  ProducerStates unreplicated;  // the marker lies above the high watermark
  unreplicated.rebuild(one.log, 2);
  CHECK(unreplicated.first_unstable_offset() == 0);
}

TEST_CASE("sequence numbers begin anew with each epoch, also when it was a marker that brought it") {
  ProducersOfLog one;
  one.append(data(kProducer, 0, 0, 3));
  CHECK(one.check(data(kProducer, 0, 3)) == ErrorCode::none);
  one.append(marker(kProducer, 1, true));
  CHECK(one.check(data(kProducer, 0, 3)) == ErrorCode::invalid_producer_epoch);
  CHECK(one.check(data(kProducer, 1, 3)) == ErrorCode::out_of_order_sequence_number);
  CHECK(one.check(data(kProducer, 1, 0)) == ErrorCode::none);

  // Before KIP-890 the marker has the epoch of the data, and the sequence goes on.
  ProducersOfLog old;
  old.append(data(kProducer, 0, 0, 3));
  old.append(marker(kProducer, 0, true));
  CHECK(old.check(data(kProducer, 0, 3)) == ErrorCode::none);
  CHECK(old.check(data(kProducer, 0, 0)) == ErrorCode::out_of_order_sequence_number);
  CHECK(old.states.check(*data(kProducer, 0, 0, 3), {}, old.rules).duplicate_of == 0);
}

TEST_CASE("five batches are remembered, by their exact first and last sequence number") {
  ProducersOfLog one;
  for (int i = 0; i < 6; ++i) one.append(data(kProducer, 0, 2 * i, 2, false));
  const auto duplicate = [&](int sequence, int records) {
    return one.states.check(*data(kProducer, 0, sequence, records, false), {}, one.rules);
  };
  CHECK(duplicate(0, 2).error == ErrorCode::out_of_order_sequence_number);  // the sixth from the end
  for (int i = 1; i < 6; ++i) CHECK(duplicate(2 * i, 2).duplicate_of == 2 * i);
  CHECK(duplicate(10, 1).error == ErrorCode::out_of_order_sequence_number);  // not quite the same
  CHECK(duplicate(8, 4).error == ErrorCode::out_of_order_sequence_number);
  CHECK(duplicate(12, 1).error == ErrorCode::none);
  // A coordinator's batches have no sequence, and are no duplicates.
  const BatchDataPtr commit =
      make_transactional_batch({OffsetCommitRecord{"g", {}, 1}}, kOther, ProducerEpoch{0}, 0);
  one.append(commit);
  CHECK(one.check(commit, {AppendOrigin::coordinator}) == ErrorCode::none);
}

TEST_CASE("what is not of the open transaction does not get between") {
  ProducersOfLog one;
  one.append(data(kProducer, 0, 0));
  CHECK(one.check(data(kProducer, 0, 1, 1, false)) == ErrorCode::invalid_txn_state);
  CHECK(one.check(data(kProducer, 0, 1)) == ErrorCode::none);
}

TEST_CASE("markers of older epochs are refused") {
  ProducersOfLog one;
  one.append(data(kProducer, 3, 0));
  CHECK(one.check_marker(marker(kProducer, 2, true)) == ErrorCode::invalid_producer_epoch);
  CHECK(one.check_marker(marker(kProducer, 3, true)) == ErrorCode::none);
  one.append(marker(kProducer, 3, true, 5));
  CHECK(one.check_marker(marker(kProducer, 3, true, 4)) == ErrorCode::transaction_coordinator_fenced);
  CHECK(one.check_marker(marker(kProducer, 3, true, 5)) == ErrorCode::none);  // once more
  CHECK(one.check_marker(marker(kOther, 0, true, 0)) == ErrorCode::none);     // nothing known

  // KIP-1228: where each transaction has an epoch of its own, the marker's is a newer one.
  one.append(data(kProducer, 3, 1));
  CHECK(one.check_marker(marker(kProducer, 3, true, 5), kTransactionVersion2) ==
        ErrorCode::invalid_producer_epoch);
  CHECK(one.check_marker(marker(kProducer, 4, true, 5), kTransactionVersion2) == ErrorCode::none);
  one.rules.checks_marker_version = false;
  CHECK(one.check_marker(marker(kProducer, 3, true, 5), kTransactionVersion2) == ErrorCode::none);

  one.rules.refuses_late_markers = false;  // planted
  CHECK(one.check_marker(marker(kProducer, 2, true, 0)) == ErrorCode::none);
}

TEST_CASE("a transaction's first batch is let in by its verification, and by no other") {
  ProducersOfLog one;
  one.rules.verifies_transactions = true;
  CHECK(one.check(data(kProducer, 0, 0)) == ErrorCode::invalid_txn_state);
  const ProducerStates::Verification asked =
      one.states.start_verification(kProducer, ProducerEpoch{0}, 0, true, 0);
  CHECK(asked.error == ErrorCode::none);
  CHECK(asked.guard != kNoGuard);
  CHECK(one.check(data(kProducer, 0, 0), {AppendOrigin::client, kNoGuard}) == ErrorCode::invalid_txn_state);
  CHECK(one.check(data(kProducer, 0, 0), {AppendOrigin::client, asked.guard}) == ErrorCode::none);
  one.append(data(kProducer, 0, 0));
  CHECK(one.check(data(kProducer, 0, 1)) == ErrorCode::none);  // it is open: nothing more to verify
  CHECK(one.states.start_verification(kProducer, ProducerEpoch{0}, 1, true, 0).guard == kNoGuard);

  // The answer comes after the transaction was ended: it counts for nothing.
  one.append(marker(kProducer, 1, false));
  const auto late = one.states.start_verification(kProducer, ProducerEpoch{1}, 0, true, 0);
  one.append(marker(kProducer, 2, false));
  CHECK(one.check(data(kProducer, 2, 0), {AppendOrigin::client, late.guard}) == ErrorCode::invalid_txn_state);
  CHECK(one.states.start_verification(kProducer, ProducerEpoch{1}, 0, true, 0).error ==
        ErrorCode::invalid_producer_epoch);
}

TEST_CASE("the marker of the transaction before leaves the verification of the next one alone") {
  ProducersOfLog one;
  one.rules.verifies_transactions = true;
  one.states.start_verification(kProducer, ProducerEpoch{0}, 0, true, 0);
  one.append(data(kProducer, 0, 0));
  const auto next = one.states.start_verification(kProducer, ProducerEpoch{1}, 0, true, 0);
  REQUIRE(next.guard != kNoGuard);
  one.append(marker(kProducer, 1, true));  // of epoch 0's transaction, with the bumped epoch
  CHECK(one.check(data(kProducer, 1, 0), {AppendOrigin::client, next.guard}) == ErrorCode::none);
}

TEST_CASE("what is being verified lets no later sequence number in before it") {
  ProducersOfLog one;
  one.rules.verifies_transactions = true;
  const auto second = one.states.start_verification(kProducer, ProducerEpoch{0}, 5, false, 0);
  CHECK(one.check(data(kProducer, 0, 5), {AppendOrigin::client, second.guard}) == ErrorCode::none);
  const auto first = one.states.start_verification(kProducer, ProducerEpoch{0}, 0, false, 0);
  CHECK(first.guard == second.guard);
  CHECK(one.check(data(kProducer, 0, 5), {AppendOrigin::client, second.guard}) ==
        ErrorCode::out_of_order_sequence_number);
  CHECK(one.check(data(kProducer, 0, 0), {AppendOrigin::client, first.guard}) == ErrorCode::none);

  // With implicit adding a producer of which nothing is known begins at 0.
  const auto added = one.states.start_verification(kOther, ProducerEpoch{0}, 5, true, 0);
  CHECK(one.check(data(kOther, 0, 5), {AppendOrigin::client, added.guard}) ==
        ErrorCode::out_of_order_sequence_number);
}

TEST_CASE("producers are forgotten after a day of silence, but for an open transaction") {
  ProducersOfLog one;
  one.append(data(kProducer, 0, 0, 1, false));  // at 1'000 ms
  one.append(data(kOther, 0, 0));
  CHECK(one.states.remove_expired(1'000 + kDay - 1, kDay));
  CHECK(one.states.size() == 2);
  CHECK(one.states.remove_expired(1'000 + kDay, kDay));
  CHECK(one.states.size() == 1);
  CHECK(one.check(data(kProducer, 0, 17, 1, false)) == ErrorCode::none);  // any sequence is a beginning
  one.append(marker(kOther, 1, true));
  CHECK_FALSE(one.states.remove_expired(2'000 + kDay, kDay));
}

}  // namespace
}  // namespace sim::partition
