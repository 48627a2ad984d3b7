#include "check/transaction_invariants.h"

#include <algorithm>

namespace sim::check {

using State = observe::ProducerTransactionState;

// ---- At the clients

TransactionInvariants::Producer& TransactionInvariants::producer_of(ProcessId process) {
  const auto index = static_cast<std::size_t>(process.value());
  if (index >= producers_.size()) producers_.resize(index + 1);
  return producers_[index];
}

void TransactionInvariants::on(const observe::ProducerTransactionChanged& fact) {
  Producer& producer = producer_of(process_);
  const State before = std::exchange(producer.state, fact.state);
  if (fact.state == State::in_transaction) {
    producer.current = transactions_.size();
    transactions_.push_back(Transaction{fact.transactional_id});
    return;
  }
  if (producer.current == kNone) return;
  // With a new epoch to ask for, a transaction ends by way of INITIALIZING.
  if (fact.state == State::ready || fact.state == State::initializing) {
    if (before == State::committing) told(producer.current, Told::committed);
    if (before == State::aborting) told(producer.current, Told::aborted);
    producer.current = kNone;
  } else if (fact.state == State::fatal_error) {
    producer.current = kNone;
  }
}

void TransactionInvariants::on(const observe::ProcessStopped&) {
  producer_of(process_) = Producer{};
}

void TransactionInvariants::on(const observe::OffsetsAddedToTransaction& fact) {
  const Producer& producer = producer_of(process_);
  if (producer.current != kNone) offsets_[{fact.producer_id, fact.producer_epoch}] = producer.current;
}

void TransactionInvariants::on(const observe::BatchDrained& fact) {
  if (!fact.batch->transactional) return;
  const Producer& producer = producer_of(process_);
  if (producer.current == kNone) return;
  const BatchData& batch = *fact.batch;
  sent_[{fact.tp, batch.producer_id, batch.producer_epoch, batch.base_sequence}] = producer.current;
}

// ---- In the logs

std::size_t TransactionInvariants::transaction_of(TopicPartition tp, const BatchData& batch) const {
  if (!batch.application_records().empty()) {
    const auto found = sent_.find({tp, batch.producer_id, batch.producer_epoch, batch.base_sequence});
    return found == sent_.end() ? kNone : found->second;
  }
  const auto found = offsets_.find({batch.producer_id, batch.producer_epoch});
  return found == offsets_.end() ? kNone : found->second;
}

void TransactionInvariants::on(const observe::BatchAppended& fact) {
  const BatchData& batch = *fact.batch.data;
  if (batch.producer_id == kNoProducerId) return;
  Partition& partition = partitions_[fact.tp];
  const std::size_t transaction =
      batch.transactional && !batch.control ? transaction_of(fact.tp, batch) : kNone;
  if (fact.batch.leader_epoch < partition.leader_epoch) {  // in the log of one that was replaced
    if (transaction != kNone) transactions_[transaction].is_disturbed = true;
    return;
  }
  if (!batch.transactional) return;
  const auto [epoch, is_first] = partition.epochs.try_emplace(batch.producer_id, batch.producer_epoch);
  if (batch.producer_epoch < epoch->second) {
    violated("fenced-never-writes", topics_[fact.tp] + ": producer " +
                                        std::to_string(batch.producer_id.value()) + " wrote in epoch " +
                                        std::to_string(batch.producer_epoch.value()) + " at offset " +
                                        std::to_string(fact.batch.base_offset) + ", after epoch " +
                                        std::to_string(epoch->second.value()));
  }
  epoch->second = std::max(epoch->second, batch.producer_epoch);
  if (batch.control) return ended(fact.tp, partition, fact.batch);
  const auto of_it = [&](const Open& one) { return one.producer_id == batch.producer_id; };
  auto open = std::find_if(partition.open.begin(), partition.open.end(), of_it);
  if (open == partition.open.end()) open = partition.open.insert(open, Open{batch.producer_id, {}});
  open->pieces.push_back(Piece{transaction, fact.batch.base_offset, fact.batch.end_offset()});
}

void TransactionInvariants::ended(TopicPartition tp, Partition& partition, const Batch& marker) {
  const auto of_it = [&](const Open& one) { return one.producer_id == marker.data->producer_id; };
  const auto open = std::find_if(partition.open.begin(), partition.open.end(), of_it);
  if (open == partition.open.end() || marker.data->end_transaction_marker() == nullptr) return;
  const bool committed = marker.data->end_transaction_marker()->committed;
  const std::vector<Piece> pieces = std::move(open->pieces);
  partition.open.erase(open);
  for (const Piece& piece : pieces) {
    if (!committed) {
      const Range range{piece.from, piece.to};
      const auto before = [](const Range& a, const Range& b) { return a.from < b.from; };
      partition.aborted.insert(
          std::upper_bound(partition.aborted.begin(), partition.aborted.end(), range, before), range);
    }
    if (piece.transaction == kNone) continue;
    Transaction& transaction = transactions_[piece.transaction];
    (committed ? transaction.is_committed_somewhere : transaction.is_aborted_somewhere) = true;
    judge(piece.transaction, tp);
  }
}

void TransactionInvariants::told(std::size_t transaction, Told what) {
  transactions_[transaction].told = what;
  judge(transaction, TopicPartition{});
}

void TransactionInvariants::judge(std::size_t index, TopicPartition tp) {
  Transaction& transaction = transactions_[index];
  if (transaction.is_disturbed || transaction.is_torn) return;
  const bool is_split = transaction.is_committed_somewhere && transaction.is_aborted_somewhere;
  const bool is_not_as_told = (transaction.told == Told::committed && transaction.is_aborted_somewhere) ||
                              (transaction.told == Told::aborted && transaction.is_committed_somewhere);
  if (!is_split && !is_not_as_told) return;
  transaction.is_torn = true;
  const std::string what = "a transaction of " + transaction.transactional_id +
                           (is_split ? " is committed in part and aborted in part"
                            : transaction.told == Told::committed ? " was told as committed and is aborted"
                                                                  : " was told as aborted and is committed");
  torn_.push_back(TornTransaction{now_, tp, what});
  violated("transaction-all-or-nothing", (tp.topic == kNoTopic ? "" : topics_[tp] + ": ") + what);
}

void TransactionInvariants::on(const observe::TookOver& change) {
  Partition& partition = partitions_[change.by.tp];
  partition.leader_epoch = change.by.leader_epoch;
  const Offset end = change.by.epoch_start;
  for (Open& open : partition.open) {
    for (const Piece& piece : open.pieces) {
      if (piece.to > end && piece.transaction != kNone) transactions_[piece.transaction].is_disturbed = true;
    }
    std::erase_if(open.pieces, [end](const Piece& piece) { return piece.to > end; });
  }
  std::erase_if(partition.aborted, [end](const Range& range) { return range.to > end; });
}

// ---- At the consumers

void TransactionInvariants::on(const observe::RecordsPolled& fact) {
  const auto service = static_cast<std::size_t>(fact.service.value());
  if (service >= read_committed_.size() || !read_committed_[service]) return;
  const Partition* partition = partitions_.find(fact.tp);
  if (partition == nullptr || (partition->open.empty() && partition->aborted.empty())) return;
  const auto broken = [&](const char* how, Offset offset) {
    violated("read-committed-only", topics_[fact.tp] + ": service " + std::to_string(service) +
                                        " got offset " + std::to_string(offset) + " of an " + how +
                                        " transaction");
  };
  for (const Open& open : partition->open) {
    for (const Piece& piece : open.pieces) {
      if (piece.from < fact.to && fact.from < piece.to)
        return broken("open", std::max(piece.from, fact.from));
    }
  }
  auto range = std::upper_bound(partition->aborted.begin(), partition->aborted.end(), fact.from,
                                [](Offset from, const Range& one) { return from < one.to; });
  if (range != partition->aborted.end() && range->from < fact.to)
    broken("aborted", std::max(range->from, fact.from));
}

}  // namespace sim::check
