#include <algorithm>
#include <utility>

#include "replica/replica_manager.h"

// Before the first batch of a transaction is appended (ReplicaManager.handleProduceAppend,
// maybeSendPartitionsToTransactionCoordinator in Kafka 4.1.2; KIP-890): its coordinator is asked whether the
// partition is in the transaction, or to add it. The producer of a transaction that has just begun often
// comes before the last one is over, and is made to wait rather than to come again. And the end of producers
// that are not heard of any more.
namespace sim::replica {

namespace {

// What an older producer knows to be retriable, and needs no new metadata for.
ErrorCode told_of_verification(ErrorCode error, TransactionSupport support) {
  switch (error) {
    case ErrorCode::network_exception:
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator: return ErrorCode::not_enough_replicas;
    case ErrorCode::concurrent_transactions:
      return support == TransactionSupport::add_partition ? error : ErrorCode::not_enough_replicas;
    default: return error;
  }
}

}  // namespace

// Without a transactional id nothing is to be verified, and before KIP-890 nothing was.
bool ReplicaManager::must_verify(const ProduceRequest& request, const Context& context) const {
  if (request.transactional_id.empty()) return false;
  const bool is_transactional =
      std::any_of(request.partitions.begin(), request.partitions.end(),
                  [](const ProduceRequest::Partition& one) { return one.batch->transactional; });
  if (!is_transactional) return false;
  if (request.transaction_support == TransactionSupport::add_partition) return true;
  return context.config.history.transaction_verification &&
         context.config.transaction_partition_verification_enable &&
         context.config.defect != server::PlantedDefect::verification_skipped;
}

void ReplicaManager::verify_then_append(ProduceRequest& request, const ReplyTo& to, const Context& context) {
  Verification verification;
  for (const ProduceRequest::Partition& one : request.partitions) {
    if (!one.batch->transactional) continue;
    verification.producer_id = one.batch->producer_id;
    verification.producer_epoch = one.batch->producer_epoch;
    verification.partitions.emplace_back(one.tp, one.batch->base_sequence);
  }
  verification.transactional_id = request.transactional_id;
  verification.support = request.transaction_support;
  verification.began = context.now();
  verification.produce = Verification::Produce{std::move(request), to};
  begin_verification(next_verification_++, std::move(verification), context);
}

VerificationId ReplicaManager::verify(TopicPartition tp, const std::string& transactional_id,
                                      ProducerId producer_id, ProducerEpoch producer_epoch,
                                      TransactionSupport support, const Context& context) {
  const VerificationId id = next_verification_++;
  Verification verification;
  verification.transactional_id = transactional_id;
  verification.producer_id = producer_id;
  verification.producer_epoch = producer_epoch;
  verification.support = support;
  verification.partitions.emplace_back(tp, -1);
  verification.began = context.now();
  const bool asks = support == TransactionSupport::add_partition ||
                    (context.config.history.transaction_verification &&
                     context.config.transaction_partition_verification_enable &&
                     context.config.defect != server::PlantedDefect::verification_skipped);
  if (asks) {
    begin_verification(id, std::move(verification), context);
  } else {
    finish_verification(id, std::move(verification), context);
  }
  return id;
}

void ReplicaManager::begin_verification(VerificationId id, Verification verification,
                                        const Context& context) {
  verification.outcome = {};
  const bool adds = verification.support == TransactionSupport::add_partition;
  VerificationAsked question{
      id, verification.transactional_id, verification.producer_id, verification.producer_epoch,
      {}, verification.support};
  for (const auto& [tp, sequence] : verification.partitions) {
    partition::ProducerStates::Verification began;
    const LocalIndex local = table_.find(tp);
    if (local == kNotLocal) {
      began.error = missing(tp, context);
    } else {
      began = table_.at(local).start_verification(verification.producer_id, verification.producer_epoch,
                                                  sequence, adds, context.now_ms());
      if (began.error == ErrorCode::invalid_producer_epoch) {
        const ProducerEpoch current = table_.at(local).producers().epoch_of(verification.producer_id);
        node::report(context.out,
                     observe::ProducerFenced{verification.transactional_id, verification.producer_id,
                                             verification.producer_epoch, current, tp});
      }
    }
    if (began.error != ErrorCode::none) {
      verification.outcome.errors.push_back({tp, began.error});
    } else if (began.guard != partition::kNoGuard) {
      verification.outcome.guards.emplace_back(tp, began.guard);
      question.partitions.push_back(tp);
    }
  }
  if (question.partitions.empty()) return finish_verification(id, std::move(verification), context);
  verifying_.insert_or_assign(id, std::move(verification));
  events_.emplace_back(std::move(question));
}

// For a produce request that adds its partitions CONCURRENT_TRANSACTIONS is waited out, for
// add.partitions.to.txn.retry.backoff.max.ms: to come again would take the producer longer, and cost more.
void ReplicaManager::verified(VerificationId id, const std::vector<NotVerified>& errors,
                              const Context& context) {
  const auto it = verifying_.find(id);
  if (it == verifying_.end()) return;
  Verification& verification = it->second;
  const auto most =
      std::min(context.config.add_partitions_to_txn_retry_backoff_max_ms, context.config.request_timeout_ms);
  const bool may_retry = verification.produce.has_value() &&
                         verification.support == TransactionSupport::add_partition &&
                         context.now() - verification.began < from_millis(most);
  const bool is_concurrent = std::any_of(errors.begin(), errors.end(), [](const NotVerified& one) {
    return one.error == ErrorCode::concurrent_transactions;
  });
  if (may_retry && is_concurrent) {
    const LocalTime due = context.now() + from_millis(context.config.add_partitions_to_txn_retry_backoff_ms);
    if (verifications_to_retry_.empty())
      context.out.emplace_back(node::SetTimer{timer_of(Task::retry_verification), due});
    verifications_to_retry_.push_back({due, id});
    return;
  }
  for (const NotVerified& one : errors) verification.outcome.errors.push_back(one);
  Verification done = std::move(verification);
  verifying_.erase(it);
  finish_verification(id, std::move(done), context);
}

void ReplicaManager::retry_verifications(const Context& context) {
  while (!verifications_to_retry_.empty() && verifications_to_retry_.front().due <= context.now()) {
    const VerificationId id = verifications_to_retry_.front().id;
    verifications_to_retry_.pop_front();
    const auto it = verifying_.find(id);
    if (it == verifying_.end()) continue;
    Verification again = std::move(it->second);
    verifying_.erase(it);
    begin_verification(id, std::move(again), context);
  }
  if (!verifications_to_retry_.empty()) {
    context.out.emplace_back(
        node::SetTimer{timer_of(Task::retry_verification), verifications_to_retry_.front().due});
  }
}

void ReplicaManager::finish_verification(VerificationId id, Verification verification,
                                         const Context& context) {
  VerifiedPartitions& outcome = verification.outcome;
  if (verification.produce) {
    for (NotVerified& one : outcome.errors) one.error = told_of_verification(one.error, verification.support);
    append_produced(verification.produce->request, verification.produce->to, &outcome, context);
    return;
  }
  Verified verified{id, ErrorCode::none, partition::kNoGuard};
  if (!outcome.errors.empty()) verified.error = outcome.errors.front().error;
  if (!outcome.guards.empty()) verified.guard = outcome.guards.front().second;
  events_.emplace_back(verified);
}

// ---- Producers that are not heard of any more

void ReplicaManager::expire_producers(const Context& context) {
  producer_expiry_timer_.fired();
  bool any_left = false;
  for (LocalIndex local = 0; local < table_.size(); ++local) {
    if (!table_.occupied(local)) continue;
    any_left |=
        table_.at(local).remove_expired_producers(context.now_ms(), context.config.producer_id_expiration_ms);
  }
  if (any_left) producer_expiry_timer_.arm(context.now(), context.out);
}

}  // namespace sim::replica
