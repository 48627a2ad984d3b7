#include "transaction/shard.h"

#include <algorithm>

#include "base/overloaded.h"
#include "coordinator/errors.h"

namespace sim::transaction {

using coordinator::told_to_client;
using server::send;

namespace {

constexpr Duration kCompletionRetry = std::chrono::seconds(1);

InitProducerIdResponse init_error(ErrorCode error) {
  InitProducerIdResponse response;
  response.error = error;
  return response;
}

bool is_prepared(TransactionState state) {
  return state == TransactionState::prepare_commit || state == TransactionState::prepare_abort;
}

// Whether the client may have been given a new producer id for an epoch that was used up.
bool is_retry_on_overflow(const TransactionMetadata& metadata, const ProducerIdAndEpoch& producer) {
  return metadata.now.previous_producer_id == producer.id && producer.epoch == kLastEpoch &&
         metadata.now.producer_epoch == ProducerEpoch{0};
}

}  // namespace

const TransactionMetadata* TransactionShard::find(const std::string& id) const {
  const auto it = transactions_.find(id);
  return it == transactions_.end() ? nullptr : &it->second;
}

TransactionMetadata* TransactionShard::find(const std::string& id) {
  return const_cast<TransactionMetadata*>(std::as_const(*this).find(id));
}

void TransactionShard::report_fenced(const std::string& id, const ProducerIdAndEpoch& producer,
                                     const TransactionMetadata& metadata, node::Effects& out) {
  node::report(out,
               observe::ProducerFenced{id, producer.id, producer.epoch, metadata.now.producer_epoch, {}});
}

// ---- The log

void TransactionShard::replay(const Record& record, Changes*) {
  if (record.tombstone) {
    transactions_.erase(record.transactional_id);
  } else {
    transactions_.insert_or_assign(record.transactional_id, metadata_of(record));
  }
}

void TransactionShard::loaded(const Step& step) {
  for (auto& [id, metadata] : transactions_) {
    if (!is_prepared(metadata.now.state)) continue;
    send_markers(id, metadata, step);
    maybe_complete(id, step);
  }
}

// TransactionStateManager.appendTransactionToLog
void TransactionShard::write(const std::string& id, const TransactionFields& fields, Deferred work,
                             const Step& step) {
  step.append(record_of(id, fields));
  step.defer(std::move(work), from_millis(fields.timeout_ms));
}

void TransactionShard::complete(const std::string& id, TransactionMetadata& metadata,
                                const TransactionFields& fields, const Step& step) {
  metadata.complete(fields);
  node::report(step.out, observe::TransactionStateChanged{id, fields.producer_id, fields.producer_epoch,
                                                          fields.state, fields.partitions});
}

void TransactionShard::succeeded(Deferred& work, const Step& step) {
  std::visit(
      Overloaded{
          [&](InitWritten& one) {
            TransactionMetadata* metadata = find(one.id);
            if (metadata == nullptr || metadata->pending != one.fields.state)
              return send(one.to, init_error(ErrorCode::not_coordinator), step.out);
            complete(one.id, *metadata, one.fields, step);
            send(one.to,
                 InitProducerIdResponse{ErrorCode::none, one.fields.producer_id, one.fields.producer_epoch},
                 step.out);
          },
          [&](PartitionsWritten& one) {
            TransactionMetadata* metadata = find(one.id);
            const bool is_pending = metadata != nullptr && metadata->pending == one.fields.state;
            if (is_pending) complete(one.id, *metadata, one.fields, step);
            added_.push_back({one.answer, is_pending ? ErrorCode::none : ErrorCode::not_coordinator});
          },
          [&](EndWritten& one) { decided(one, step); },
          [&](CompletionWritten& one) {
            TransactionMetadata* metadata = find(one.id);
            if (metadata != nullptr && metadata->pending == one.fields.state)
              complete(one.id, *metadata, one.fields, step);
          },
          [&](ExpiryWritten& one) {
            TransactionMetadata* metadata = find(one.id);
            if (metadata == nullptr || metadata->pending != TransactionState::dead ||
                metadata->now.producer_epoch != one.epoch)
              return;
            node::report(step.out,
                         observe::TransactionStateChanged{
                             one.id, metadata->now.producer_id, one.epoch, TransactionState::dead, {}});
            transactions_.erase(one.id);
          },
      },
      work);
}

void TransactionShard::failed(Deferred& work, ErrorCode error, const Step& step) {
  const ErrorCode told = told_to_client(error);
  const auto give_up = [this](const std::string& id) {
    if (TransactionMetadata* metadata = find(id)) metadata->pending.reset();
  };
  std::visit(Overloaded{
                 [&](InitWritten& one) {
                   give_up(one.id);
                   send(one.to, init_error(told), step.out);
                 },
                 [&](PartitionsWritten& one) {
                   give_up(one.id);
                   added_.push_back({one.answer, told});
                 },
                 [&](EndWritten& one) {
                   give_up(one.id);
                   TransactionMetadata* metadata = find(one.id);
                   if (metadata != nullptr && one.is_epoch_fence && !one.bumps_epoch)
                     metadata->has_failed_epoch_fence = true;
                   answer_end(one.answer, told, {}, step.out);
                 },
                 [&](CompletionWritten& one) {  // stays pending while it is tried again
                   TransactionMetadata* metadata = find(one.id);
                   if (metadata == nullptr) return;
                   if (told != ErrorCode::coordinator_not_available) return metadata->pending.reset();
                   metadata->completion = one.fields;
                   completions_to_retry_.push_back(one.id);
                   if (!step.is_armed(retry_)) step.arm(retry_, Timer{}, kCompletionRetry);
                 },
                 [&](ExpiryWritten& one) { give_up(one.id); },
             },
             work);
}

void TransactionShard::timer_passed(const Timer&, const Step& step) {
  for (const std::string& id : std::exchange(completions_to_retry_, {})) maybe_complete(id, step);
}

// ---- InitProducerId

void TransactionShard::init_producer_id(const InitProducerIdRequest& request, const ReplyTo& to,
                                        const GenerateProducerId& generate, const Step& step) {
  const std::string& id = request.transactional_id;
  TransactionMetadata* metadata = find(id);
  if (metadata == nullptr) {
    const std::optional<ProducerId> producer_id = generate();
    if (!producer_id) return send(to, init_error(ErrorCode::coordinator_load_in_progress), step.out);
    metadata = &transactions_[id];
    metadata->now.producer_id = *producer_id;
    metadata->now.timeout_ms = request.transaction_timeout_ms;
    metadata->now.last_update_timestamp_ms = step.env.wall_ms();
  }
  TransactionFields fields;
  const ErrorCode error = prepare_init(*metadata, request, generate, fields, step);
  if (error != ErrorCode::none) return send(to, init_error(error), step.out);
  if (fields.state != TransactionState::prepare_epoch_fence) {
    return write(id, fields, InitWritten{id, fields, to}, step);
  }
  // Its predecessor has left a transaction open, which is aborted first; it is told to ask again.
  const bool bumps_epoch = step.config().history.transaction_epoch_bump;
  end({id, {fields.producer_id, fields.producer_epoch}, false, false}, bumps_epoch,
      {EndAnswer::Whom::initialisation, to}, generate, step);
}

// prepareInitProducerIdTransit
ErrorCode TransactionShard::prepare_init(TransactionMetadata& metadata, const InitProducerIdRequest& request,
                                         const GenerateProducerId& generate, TransactionFields& fields,
                                         const Step& step) {
  const ProducerIdAndEpoch expected{request.producer_id, request.producer_epoch};
  const bool has_expected = expected.id != kNoProducerId;
  if (metadata.pending) return ErrorCode::concurrent_transactions;
  const bool is_known = !has_expected || metadata.now.producer_epoch == kNoProducerEpoch ||
                        expected.id == metadata.now.producer_id ||
                        (expected.id == metadata.now.previous_producer_id && is_exhausted(expected.epoch));
  if (!is_known) {
    report_fenced(request.transactional_id, expected, metadata, step.out);
    return ErrorCode::producer_fenced;
  }
  const std::int64_t now_ms = step.env.wall_ms();
  switch (metadata.now.state) {
    case TransactionState::prepare_commit:
    case TransactionState::prepare_abort: return ErrorCode::concurrent_transactions;
    case TransactionState::ongoing: fields = metadata.prepare_fence_epoch(); return ErrorCode::none;
    case TransactionState::empty:
    case TransactionState::complete_commit:
    case TransactionState::complete_abort: break;
    case TransactionState::dead:
    case TransactionState::prepare_epoch_fence: SIM_CHECK(false, "these states are only pending");
  }
  const bool rotates = is_exhausted(metadata.now.producer_epoch) &&
                       (!has_expected || expected.epoch == metadata.now.producer_epoch);
  if (rotates) {
    const std::optional<ProducerId> next = generate();
    if (!next) return ErrorCode::coordinator_load_in_progress;
    fields =
        metadata.prepare_producer_id_rotation(*next, request.transaction_timeout_ms, now_ms, has_expected);
    return ErrorCode::none;
  }
  std::optional<ProducerEpoch> expected_epoch;
  if (has_expected) expected_epoch = expected.epoch;
  TransactionMetadata::Increment increment =
      metadata.prepare_increment_epoch(request.transaction_timeout_ms, expected_epoch, now_ms);
  fields = std::move(increment.fields);
  if (increment.error != ErrorCode::none)
    report_fenced(request.transactional_id, expected, metadata, step.out);
  return increment.error;
}

// ---- AddPartitionsToTxn, AddOffsetsToTxn

void TransactionShard::add_partitions(const Transaction& what, TransactionVersion client_version,
                                      const AddAnswer& answer, const Step& step) {
  TransactionMetadata* metadata = find(what.id);
  const auto refuse = [&](ErrorCode error) { added_.push_back({answer, error}); };
  if (metadata == nullptr) return refuse(ErrorCode::invalid_producer_id_mapping);
  // First of all: with an overflow of the epoch the producer may use an id that is only pending.
  if (metadata->pending) return refuse(ErrorCode::concurrent_transactions);
  if (metadata->now.producer_id != what.producer.id) return refuse(ErrorCode::invalid_producer_id_mapping);
  if (metadata->now.producer_epoch != what.producer.epoch) {
    report_fenced(what.id, what.producer, *metadata, step.out);
    return refuse(ErrorCode::producer_fenced);
  }
  if (is_prepared(metadata->now.state)) return refuse(ErrorCode::concurrent_transactions);
  if (metadata->now.state == TransactionState::ongoing && metadata->contains_all(what.partitions))
    return refuse(ErrorCode::none);  // there is nothing to write
  const TransactionFields fields =
      metadata->prepare_add_partitions(what.partitions, step.env.wall_ms(), client_version);
  write(what.id, fields, PartitionsWritten{what.id, fields, answer}, step);
}

// handleVerifyPartitionsInTransaction: a pending state does not matter, as the append checks once more.
std::vector<AddPartitionsToTxnResponse::Partition> TransactionShard::verify(const Transaction& what,
                                                                            const Step& step) const {
  const TransactionMetadata* metadata = find(what.id);
  ErrorCode error = ErrorCode::none;
  if (metadata == nullptr || metadata->now.producer_id != what.producer.id) {
    error = ErrorCode::invalid_producer_id_mapping;
  } else if (metadata->now.producer_epoch != what.producer.epoch) {
    report_fenced(what.id, what.producer, *metadata, step.out);
    error = ErrorCode::producer_fenced;
  } else if (is_prepared(metadata->now.state)) {
    error = ErrorCode::concurrent_transactions;
  }
  std::vector<AddPartitionsToTxnResponse::Partition> result;
  for (const TopicPartition tp : what.partitions) {
    const bool is_missing = error == ErrorCode::none && !metadata->contains(tp);
    result.push_back({tp, is_missing ? ErrorCode::transaction_abortable : error});
  }
  return result;
}

// ---- EndTxn, and the coordinator's own aborts

void TransactionShard::end_transaction(const EndTxnRequest& request, const ReplyTo& to,
                                       const GenerateProducerId& generate, const Step& step) {
  end({request.transactional_id, {request.producer_id, request.producer_epoch}, request.committed, true},
      request.transaction_version >= kTransactionVersion2, {EndAnswer::Whom::client, to}, generate, step);
}

void TransactionShard::answer_end(const EndAnswer& answer, ErrorCode error,
                                  const ProducerIdAndEpoch& producer, node::Effects& out) {
  switch (answer.whom) {
    case EndAnswer::Whom::nobody: return;
    case EndAnswer::Whom::client:
      return send(answer.to, EndTxnResponse{error, producer.id, producer.epoch}, out);
    case EndAnswer::Whom::initialisation:
      return send(answer.to,
                  init_error(error != ErrorCode::none ? error : ErrorCode::concurrent_transactions), out);
  }
}

void TransactionShard::end(const End& what, bool bumps_epoch, const EndAnswer& answer,
                           const GenerateProducerId& generate, const Step& step) {
  TransactionMetadata* metadata = find(what.id);
  if (metadata == nullptr) return answer_end(answer, ErrorCode::invalid_producer_id_mapping, {}, step.out);
  const ProducerIdAndEpoch before{metadata->now.producer_id, metadata->now.producer_epoch};
  TransactionFields fields;
  bool is_epoch_fence = false;
  bool is_done_already = false;  // a retry of what has succeeded
  ErrorCode error = ErrorCode::none;
  if (bumps_epoch) {
    error = prepare_end_with_bump(*metadata, what, generate, fields, is_epoch_fence, step);
  } else {
    error = prepare_end(*metadata, what, fields, is_epoch_fence, step);
  }
  is_done_already = error == ErrorCode::none && metadata->pending != fields.state;
  if (is_done_already)
    return answer_end(answer, error, bumps_epoch ? before : ProducerIdAndEpoch{}, step.out);
  if (error == ErrorCode::producer_fenced) report_fenced(what.id, what.producer, *metadata, step.out);
  if (error != ErrorCode::none) return answer_end(answer, error, {}, step.out);
  write(what.id, fields,
        EndWritten{what.id, fields, what.producer, what.committed, is_epoch_fence, bumps_epoch, answer},
        step);
}

// endTransactionWithTV1. none and nothing pending: it is done already.
ErrorCode TransactionShard::prepare_end(TransactionMetadata& metadata, const End& what,
                                        TransactionFields& fields, bool& is_epoch_fence, const Step& step) {
  constexpr ErrorCode kInvalid = ErrorCode::invalid_txn_state;
  const ProducerEpoch epoch = what.producer.epoch;
  if (metadata.now.producer_id != what.producer.id) return ErrorCode::invalid_producer_id_mapping;
  if ((what.is_from_client && epoch != metadata.now.producer_epoch) || epoch < metadata.now.producer_epoch)
    return ErrorCode::producer_fenced;
  const bool is_fenced = metadata.pending == TransactionState::prepare_epoch_fence;
  if (metadata.pending && !is_fenced) return ErrorCode::concurrent_transactions;
  switch (metadata.now.state) {
    case TransactionState::ongoing: break;
    case TransactionState::complete_commit: return what.committed ? ErrorCode::none : kInvalid;
    case TransactionState::complete_abort: return what.committed ? kInvalid : ErrorCode::none;
    case TransactionState::prepare_commit:
      return what.committed ? ErrorCode::concurrent_transactions : kInvalid;
    case TransactionState::prepare_abort:
      return what.committed ? kInvalid : ErrorCode::concurrent_transactions;
    case TransactionState::empty:
    case TransactionState::dead:
    case TransactionState::prepare_epoch_fence: return kInvalid;
  }
  if (is_fenced && !what.committed) {
    is_epoch_fence = true;
    metadata.pending.reset();
    metadata.now.producer_epoch = epoch;
    metadata.now.last_producer_epoch = kNoProducerEpoch;
  }
  if (metadata.pending) return ErrorCode::concurrent_transactions;
  const TransactionState next =
      what.committed ? TransactionState::prepare_commit : TransactionState::prepare_abort;
  fields =
      metadata.prepare_abort_or_commit(next, kTransactionVersion0, kNoProducerId, step.env.wall_ms(), false);
  return ErrorCode::none;
}

// endTransaction, as of transaction.version 2: what a retry is can be told by the epoch alone.
ErrorCode TransactionShard::prepare_end_with_bump(TransactionMetadata& metadata, const End& what,
                                                  const GenerateProducerId& generate,
                                                  TransactionFields& fields, bool& is_epoch_fence,
                                                  const Step& step) {
  constexpr ErrorCode kInvalid = ErrorCode::invalid_txn_state;
  const std::int32_t epoch = what.producer.epoch.value();
  const std::int32_t current = metadata.now.producer_epoch.value();
  is_epoch_fence = metadata.pending == TransactionState::prepare_epoch_fence;
  const bool overflowed = !is_epoch_fence && is_retry_on_overflow(metadata, what.producer);
  const bool bumped = !is_epoch_fence && current == epoch + 1;
  const bool is_retry = overflowed || bumped;
  if (metadata.pending && !is_epoch_fence) return ErrorCode::concurrent_transactions;
  if (metadata.now.producer_id != what.producer.id && !overflowed)
    return ErrorCode::invalid_producer_id_mapping;

  const TransactionState state = metadata.now.state;
  bool is_valid_epoch = false;
  if (is_epoch_fence) {
    is_valid_epoch = (!what.is_from_client || epoch == current) && epoch >= current;
  } else if (is_prepared(state)) {
    is_valid_epoch = bumped;
  } else if (state == TransactionState::complete_commit || state == TransactionState::complete_abort) {
    is_valid_epoch = is_retry || epoch == current;
  } else {
    is_valid_epoch = epoch == current;
  }
  if (!is_valid_epoch) return ErrorCode::producer_fenced;

  bool no_partition_added = true;  // such a transaction may be aborted, for the epoch's sake
  switch (state) {
    case TransactionState::ongoing: no_partition_added = false; break;
    case TransactionState::complete_commit:
      if (is_retry) return what.committed ? ErrorCode::none : kInvalid;
      if (what.committed) return kInvalid;
      break;
    case TransactionState::complete_abort:
      if (what.committed) return kInvalid;
      if (is_retry) return ErrorCode::none;
      break;
    case TransactionState::empty:
      if (what.committed) return kInvalid;
      break;
    case TransactionState::prepare_commit:
      return what.committed ? ErrorCode::concurrent_transactions : kInvalid;
    case TransactionState::prepare_abort:
      return what.committed ? kInvalid : ErrorCode::concurrent_transactions;
    case TransactionState::dead:
    case TransactionState::prepare_epoch_fence: return kInvalid;
  }
  ProducerId next_id = kNoProducerId;
  if (!is_epoch_fence && is_exhausted(metadata.now.producer_epoch)) {
    const std::optional<ProducerId> generated = generate();
    if (!generated) return ErrorCode::coordinator_load_in_progress;
    next_id = *generated;
  }
  if (is_epoch_fence && !what.committed) metadata.pending.reset();
  if (metadata.pending) return ErrorCode::concurrent_transactions;
  const TransactionState next =
      what.committed ? TransactionState::prepare_commit : TransactionState::prepare_abort;
  fields = metadata.prepare_abort_or_commit(next, kTransactionVersion2, next_id, step.env.wall_ms(),
                                            no_partition_added);
  return ErrorCode::none;
}

// The decision is logged: from here on the transaction ends so, whatever happens. The client hears of it; the
// markers follow.
void TransactionShard::decided(EndWritten& work, const Step& step) {
  TransactionMetadata* metadata = find(work.id);
  if (metadata == nullptr || metadata->pending != work.fields.state)
    return answer_end(work.answer, ErrorCode::not_coordinator, {}, step.out);
  complete(work.id, *metadata, work.fields, step);
  send_markers(work.id, *metadata, step);
  const TransactionFields& after = *metadata->completion;
  const ProducerIdAndEpoch next =
      work.bumps_epoch ? ProducerIdAndEpoch{after.producer_id, after.producer_epoch} : ProducerIdAndEpoch{};
  answer_end(work.answer, ErrorCode::none, next, step.out);
  maybe_complete(work.id, step);  // there may be no partition in it
}

// ---- Markers (TransactionMarkerChannelManager)

void TransactionShard::send_markers(const std::string& id, TransactionMetadata& metadata, const Step& step) {
  metadata.completion = metadata.prepare_complete(step.env.wall_ms());
  const TransactionFields& now = metadata.now;
  markers_.push_back(MarkersToSend{id, step.coordinator_epoch(), now.producer_id, now.producer_epoch,
                                   now.state == TransactionState::prepare_commit, now.client_version,
                                   now.partitions});
}

bool TransactionShard::may_send_markers(const std::string& id, CoordinatorEpoch coordinator_epoch,
                                        const Step& step) const {
  return find(id) != nullptr && step.coordinator_epoch() == coordinator_epoch;
}

void TransactionShard::marker_done(const std::string& id, TopicPartition tp) {
  TransactionMetadata* metadata = find(id);
  if (metadata != nullptr && is_prepared(metadata->now.state)) metadata->remove(tp);
}

void TransactionShard::maybe_complete(const std::string& id, const Step& step) {
  TransactionMetadata* metadata = find(id);
  if (metadata == nullptr || !metadata->completion || !metadata->now.partitions.empty()) return;
  const TransactionFields fields = *std::exchange(metadata->completion, std::nullopt);
  write(id, fields, CompletionWritten{id, fields}, step);
}

void TransactionShard::give_up_markers(const std::string& id) {
  if (TransactionMetadata* metadata = find(id)) metadata->completion.reset();
}

// ---- By time

void TransactionShard::abort_timed_out(const GenerateProducerId& generate, const Step& step) {
  const std::int64_t now_ms = step.env.wall_ms();
  for (auto& [id, metadata] : transactions_) {
    const TransactionFields& now = metadata.now;
    if (metadata.pending || now.state != TransactionState::ongoing) continue;
    if (now.start_timestamp_ms + now.timeout_ms >= now_ms) continue;
    const TransactionFields fence = metadata.prepare_fence_epoch();
    end({id, {fence.producer_id, fence.producer_epoch}, false, false},
        step.config().history.transaction_epoch_bump, {}, generate, step);
  }
}

void TransactionShard::remove_expired(const Step& step) {
  const std::int64_t oldest_ms = step.env.wall_ms() - step.config().transactional_id_expiration_ms;
  for (auto& [id, metadata] : transactions_) {
    if (metadata.pending || !metadata.may_expire() || metadata.now.last_update_timestamp_ms > oldest_ms)
      continue;
    metadata.prepare_dead();
    TransactionLogRecord tombstone;
    tombstone.transactional_id = id;
    tombstone.tombstone = true;
    step.append(std::move(tombstone));
    step.defer(ExpiryWritten{id, metadata.now.producer_epoch}, from_millis(step.config().request_timeout_ms));
  }
}

}  // namespace sim::transaction
