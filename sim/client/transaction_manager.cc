#include "client/transaction_manager.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::client {
namespace {

using State = ProducerTransactionState;

// ADD_PARTITIONS_RETRY_BACKOFF_MS: the transaction before this one is still being completed.
constexpr Duration kAddPartitionsRetryBackoff = std::chrono::milliseconds(20);

bool is_fenced(ErrorCode error) {
  return error == ErrorCode::invalid_producer_epoch || error == ErrorCode::producer_fenced;
}

bool asks_for_coordinator(ErrorCode error) {
  return error == ErrorCode::coordinator_not_available || error == ErrorCode::not_coordinator;
}

bool has_partition(const std::vector<TransactionManager::Partition>& partitions, TopicPartition tp) {
  return std::any_of(partitions.begin(), partitions.end(),
                     [tp](const TransactionManager::Partition& one) { return one.tp == tp; });
}

}  // namespace

// ---- Requests

std::int32_t TransactionManager::Request::priority() const {
  if (std::holds_alternative<FindCoordinatorRequest>(body)) return 0;
  if (std::holds_alternative<InitProducerIdRequest>(body)) return is_epoch_bump ? 4 : 1;
  return is_end() ? 3 : 2;
}

std::optional<CoordinatorType> TransactionManager::Request::coordinator() const {
  if (std::holds_alternative<FindCoordinatorRequest>(body)) return std::nullopt;
  if (std::holds_alternative<TxnOffsetCommitRequest>(body)) return CoordinatorType::group;
  return CoordinatorType::transaction;
}

Message TransactionManager::Request::message() const {
  return std::visit([](const auto& one) { return Message(one); }, body);
}

TransactionManager::TransactionManager(const ProducerConfig& config)
    : transactional_id_(config.transactional_id),
      transaction_timeout_ms_(config.transaction_timeout_ms),
      retry_backoff_(from_millis(config.retry_backoff_ms)) {}

// ---- States

bool TransactionManager::is_valid(State from, State to) {
  switch (to) {
    case State::uninitialized: return from == State::ready || from == State::abortable_error;
    case State::initializing:
      return from == State::uninitialized || from == State::committing || from == State::aborting;
    case State::ready:
      return from == State::initializing || from == State::committing || from == State::aborting;
    case State::in_transaction: return from == State::ready;
    case State::committing: return from == State::in_transaction;
    case State::aborting: return from == State::in_transaction || from == State::abortable_error;
    case State::abortable_error:
      return from == State::in_transaction || from == State::committing || from == State::abortable_error ||
             from == State::initializing;
    case State::fatal_error: return true;
  }
  return false;
}

void TransactionManager::transition_to(State to, ErrorCode error) {
  if (!is_valid(state_, to)) {
    state_ = State::fatal_error;
    last_error_ = ErrorCode::invalid_txn_state;
    return;
  }
  state_ = to;
  last_error_ = has_error() ? error : ErrorCode::none;
}

void TransactionManager::to_abortable_error(ErrorCode error) {
  if (state_ == State::aborting) return;  // it is on its way
  transition_to(State::abortable_error, error);
}

void TransactionManager::to_fatal_error(ErrorCode error) {
  transition_to(State::fatal_error, error);
  if (waiting_ && !waiting_->is_done) {
    waiting_->is_done = true;
    waiting_->error = error;
  }
}

void TransactionManager::on_failure(ErrorCode error) {
  if (error == ErrorCode::producer_fenced || error == ErrorCode::invalid_producer_id_mapping ||
      error == ErrorCode::unsupported_version || error == ErrorCode::cluster_authorization_failed)
    return to_fatal_error(error);
  if (has_fatal_error()) return;
  // What was retried to the end, or came at the wrong time, ends the transaction, not the producer.
  if (is_retriable(error) || error == ErrorCode::invalid_txn_state) error = ErrorCode::transaction_abortable;
  if (!version_2_ && !is_completing()) epoch_bump_required_ = true;
  to_abortable_error(error);
}

void TransactionManager::on_unresolved_sequences() {
  if (has_fatal_error()) return;
  if (!version_2_) epoch_bump_required_ = true;
  to_abortable_error(ErrorCode::request_timed_out);
}

// ---- The application's calls

// handleCachedTransactionRequestResult
ErrorCode TransactionManager::joined(TransactionCall call, bool& is_joined) {
  is_joined = false;
  if (!waiting_ || waiting_->call == TransactionCall::send_offsets) {  // those are never waited for again
    waiting_.reset();
    return ErrorCode::none;
  }
  if (waiting_->call != call) return ErrorCode::invalid_txn_state;  // IllegalStateException
  is_joined = true;
  return ErrorCode::none;
}

std::uint32_t TransactionManager::wait_for(TransactionCall call) {
  waiting_ = Waiting{call, ++last_call_};
  return last_call_;
}

ErrorCode TransactionManager::init_transactions() {
  bool is_joined = false;
  if (const ErrorCode error = joined(TransactionCall::init, is_joined); error != ErrorCode::none || is_joined)
    return error;
  if (has_error()) return last_error_;
  if (state_ != State::uninitialized) return ErrorCode::invalid_txn_state;
  transition_to(State::initializing);
  enqueue_init(ProducerIdAndEpoch{}, wait_for(TransactionCall::init));
  return ErrorCode::none;
}

ErrorCode TransactionManager::begin_transaction() {
  if (has_error()) return last_error_;
  if (state_ != State::ready) return ErrorCode::invalid_txn_state;
  transition_to(State::in_transaction);
  return ErrorCode::none;
}

ErrorCode TransactionManager::send_offsets(Offsets offsets, GroupMetadata group,
                                           const ProducerSequences& sequences) {
  if (has_error()) return last_error_;
  if (state_ != State::in_transaction) return ErrorCode::invalid_txn_state;
  const std::uint32_t call = wait_for(TransactionCall::send_offsets);
  if (version_2_) {
    started_ = true;
    enqueue(txn_offset_commit(std::move(offsets), std::move(group), call, sequences));
    return ErrorCode::none;
  }
  AddOffsetsToTxnRequest add;
  add.transactional_id = transactional_id_;
  add.producer_id = sequences.producer().id;
  add.producer_epoch = sequences.producer().epoch;
  add.group = group.group;
  Request request;
  request.body = std::move(add);
  request.call = call;
  request.offsets = std::move(offsets);
  request.group = std::move(group);
  enqueue(std::move(request));
  return ErrorCode::none;
}

ErrorCode TransactionManager::begin_commit(const ProducerSequences& sequences) {
  bool is_joined = false;
  if (const ErrorCode error = joined(TransactionCall::commit, is_joined);
      error != ErrorCode::none || is_joined)
    return error;
  if (has_error()) return last_error_;
  if (state_ != State::in_transaction) return ErrorCode::invalid_txn_state;
  transition_to(State::committing);
  return begin_completing(true, sequences);
}

ErrorCode TransactionManager::begin_abort(const ProducerSequences& sequences) {
  bool is_joined = false;
  if (const ErrorCode error = joined(TransactionCall::abort, is_joined);
      error != ErrorCode::none || is_joined)
    return error;
  if (has_fatal_error()) return last_error_;
  if (state_ != State::in_transaction && state_ != State::abortable_error)
    return ErrorCode::invalid_txn_state;
  transition_to(State::aborting);
  new_partitions_.clear();  // there is no need to add them
  return begin_completing(false, sequences);
}

// maybeUpdateTransactionV2Enabled
void TransactionManager::adopt_version(bool at_start) {
  const bool was_version_2 = std::exchange(version_2_, seen_version_ >= kTransactionVersion2);
  if (!at_start && !was_version_2 && version_2_) epoch_bump_required_ = true;
}

ErrorCode TransactionManager::begin_completing(bool commit, const ProducerSequences& sequences) {
  if (!new_partitions_.empty()) enqueue_add_partitions(sequences);
  EndTxnRequest end;
  end.transactional_id = transactional_id_;
  end.producer_id = sequences.producer().id;
  end.producer_epoch = sequences.producer().epoch;
  end.committed = commit;
  end.transaction_version = version_2_ ? kTransactionVersion2 : kTransactionVersion0;
  adopt_version(false);
  Request request;
  request.body = std::move(end);
  const std::uint32_t call = wait_for(commit ? TransactionCall::commit : TransactionCall::abort);
  if (!epoch_bump_required_) request.call = call;
  enqueue(std::move(request));
  if (epoch_bump_required_) enqueue_init(sequences.producer(), call);
  return ErrorCode::none;
}

void TransactionManager::add_partition(Partition partition, ProducerSequences& sequences) {
  if (state_ != State::in_transaction || has_partition(partitions_, partition.tp)) return;
  if (version_2_) {
    started_ = true;
    partitions_.push_back(partition);
    sequences.allow(partition.queue);
  } else if (!has_partition(new_partitions_, partition.tp) &&
             !has_partition(pending_partitions_, partition.tp)) {
    new_partitions_.push_back(partition);
  }
}

std::optional<TransactionManager::Result> TransactionManager::take_result() {
  if (!waiting_ || !waiting_->is_done) return std::nullopt;
  const Result result{waiting_->call, waiting_->error};
  waiting_.reset();
  return result;
}

// ---- The queue of requests

void TransactionManager::enqueue(Request request) {
  if (request.retry_backoff == Duration{}) request.retry_backoff = retry_backoff_;
  const auto later = [](std::int32_t priority, const Request& other) { return priority < other.priority(); };
  pending_.insert(std::upper_bound(pending_.begin(), pending_.end(), request.priority(), later),
                  std::move(request));
}

void TransactionManager::enqueue_init(ProducerIdAndEpoch current, std::uint32_t call) {
  InitProducerIdRequest init;
  init.transactional_id = transactional_id_;
  init.transaction_timeout_ms = transaction_timeout_ms_;
  init.producer_id = current.id;
  init.producer_epoch = current.epoch;
  Request request;
  request.body = std::move(init);
  request.call = call;
  request.is_epoch_bump = current.valid();
  enqueue(std::move(request));
}

void TransactionManager::enqueue_add_partitions(const ProducerSequences& sequences) {
  pending_partitions_.insert(pending_partitions_.end(), new_partitions_.begin(), new_partitions_.end());
  new_partitions_.clear();
  AddPartitionsToTxnRequest::Transaction add;
  add.transactional_id = transactional_id_;
  add.producer_id = sequences.producer().id;
  add.producer_epoch = sequences.producer().epoch;
  for (const Partition& partition : pending_partitions_) add.partitions.push_back(partition.tp);
  Request request;
  AddPartitionsToTxnRequest whole;
  whole.transactions.push_back(std::move(add));
  request.body = std::move(whole);
  enqueue(std::move(request));
}

TransactionManager::Request TransactionManager::txn_offset_commit(Offsets offsets, GroupMetadata group,
                                                                  std::uint32_t call,
                                                                  const ProducerSequences& sequences) const {
  TxnOffsetCommitRequest commit;
  commit.transactional_id = transactional_id_;
  commit.group = group.group;
  commit.producer_id = sequences.producer().id;
  commit.producer_epoch = sequences.producer().epoch;
  commit.generation = group.generation;
  commit.member_id = group.member_id;
  commit.group_instance_id = group.group_instance_id;
  commit.partitions = offsets;
  commit.transaction_support = support();
  Request request;
  request.body = std::move(commit);
  request.call = call;
  request.offsets = std::move(offsets);
  request.group = std::move(group);
  return request;
}

std::optional<TransactionManager::Request> TransactionManager::next_request(
    bool has_incomplete_batches, const ProducerSequences& sequences) {
  if (!new_partitions_.empty()) enqueue_add_partitions(sequences);
  const auto take_first_request = [this] {
    Request first = std::move(pending_.front());
    pending_.erase(pending_.begin());
    return first;
  };
  while (true) {
    if (pending_.empty() || (pending_.front().is_end() && has_incomplete_batches)) return std::nullopt;
    Request request = take_first_request();
    const bool finds = std::holds_alternative<FindCoordinatorRequest>(request.body);
    if (has_error() && !(has_abortable_error() && finds)) {
      finish(request, last_error_);
      continue;
    }
    if (!request.is_end() || started_) return request;
    done(request);  // there is nothing to end
    break;
  }
  transition_to(epoch_bump_required_ ? State::initializing : State::ready);
  epoch_bump_required_ = false;
  new_partitions_.clear();
  pending_partitions_.clear();
  partitions_.clear();
  if (pending_.empty()) return std::nullopt;
  return take_first_request();
}

void TransactionManager::look_up(CoordinatorType type, const std::string& key) {
  (type == CoordinatorType::transaction ? transaction_coordinator_ : group_coordinator_) = kNoProcess;
  FindCoordinatorRequest find;
  find.key = key;
  find.type = type;
  Request request;
  request.body = std::move(find);
  enqueue(std::move(request));
}

void TransactionManager::find_coordinator_and_retry(Request request) {
  if (const auto type = request.coordinator())
    look_up(*type, *type == CoordinatorType::group ? request.group.group : transactional_id_);
  retry(std::move(request));
}

void TransactionManager::retry(Request request) {
  request.is_retry = true;
  enqueue(std::move(request));
}

// ---- Answers

void TransactionManager::finish(const Request& request, ErrorCode error) {
  if (request.call == 0 || !waiting_ || waiting_->id != request.call || waiting_->is_done) return;
  waiting_->is_done = true;
  waiting_->error = error;
}

void TransactionManager::fatal(const Request& request, ErrorCode error) {
  finish(request, error);
  to_fatal_error(error);
}

void TransactionManager::abortable(const Request& request, ErrorCode error) {
  finish(request, error);
  to_abortable_error(error);
}

void TransactionManager::abortable_by_epoch_bump(const Request& request, ErrorCode error) {
  if (!version_2_) epoch_bump_required_ = true;
  abortable(request, error);
}

void TransactionManager::on_response(Request request, const Message& response, ProducerSequences& sequences) {
  if (const auto* found = std::get_if<FindCoordinatorResponse>(&response)) {
    on(request, *found);
  } else if (const auto* id = std::get_if<InitProducerIdResponse>(&response)) {
    on(request, *id, sequences);
  } else if (const auto* partitions = std::get_if<AddPartitionsToTxnResponse>(&response)) {
    on(request, *partitions, sequences);
  } else if (const auto* offsets = std::get_if<AddOffsetsToTxnResponse>(&response)) {
    on(request, *offsets, sequences);
  } else if (const auto* committed = std::get_if<TxnOffsetCommitResponse>(&response)) {
    on(request, *committed);
  } else {
    const auto* ended = std::get_if<EndTxnResponse>(&response);
    SIM_CHECK(ended != nullptr, "a transactional request is answered in kind");
    on(request, *ended, sequences);
  }
}

void TransactionManager::on(Request& request, const FindCoordinatorResponse& response) {
  const auto& asked = std::get<FindCoordinatorRequest>(request.body);
  if (response.error == ErrorCode::none) {
    (asked.type == CoordinatorType::transaction ? transaction_coordinator_ : group_coordinator_) =
        response.endpoint;
  } else if (is_retriable(response.error)) {
    retry(std::move(request));
  } else if (response.error == ErrorCode::group_authorization_failed ||
             response.error == ErrorCode::transaction_abortable) {
    abortable(request, response.error);
  } else {
    fatal(request, response.error);
  }
}

bool TransactionManager::handled_in_common(Request& request, ErrorCode error) {
  if (asks_for_coordinator(error)) {
    find_coordinator_and_retry(std::move(request));
  } else if (is_retriable(error)) {
    retry(std::move(request));
  } else if (is_fenced(error)) {
    fatal(request, ErrorCode::producer_fenced);
  } else if (error == ErrorCode::invalid_txn_state || error == ErrorCode::invalid_producer_id_mapping) {
    fatal(request, error);
  } else if (error == ErrorCode::unknown_producer_id) {
    abortable_by_epoch_bump(request, error);
  } else {
    return false;
  }
  return true;
}

void TransactionManager::on(Request& request, const InitProducerIdResponse& response,
                            ProducerSequences& sequences) {
  if (response.error == ErrorCode::none) {
    sequences.set_producer({response.producer_id, response.producer_epoch});
    transition_to(State::ready);
    if (request.is_epoch_bump) {
      sequences.reset();
    } else {
      adopt_version(true);
    }
    return done(request);
  }
  if (asks_for_coordinator(response.error)) return find_coordinator_and_retry(std::move(request));
  if (is_retriable(response.error)) return retry(std::move(request));
  if (is_fenced(response.error)) return fatal(request, ErrorCode::producer_fenced);
  if (response.error == ErrorCode::transaction_abortable) return abortable(request, response.error);
  fatal(request, response.error);
}

void TransactionManager::on(Request& request, const AddPartitionsToTxnResponse& response,
                            ProducerSequences& sequences) {
  ErrorCode refused = ErrorCode::none;
  request.retry_backoff = retry_backoff_;
  SIM_CHECK(response.transactions.size() == 1, "a client asks for one transaction");
  const std::vector<AddPartitionsToTxnResponse::Partition>& answers =
      response.transactions.front().partitions;
  for (const AddPartitionsToTxnResponse::Partition& partition : answers) {
    if (partition.error == ErrorCode::none) continue;
    if (partition.error == ErrorCode::concurrent_transactions && partitions_.empty())
      request.retry_backoff = std::min(retry_backoff_, kAddPartitionsRetryBackoff);
    if (handled_in_common(request, partition.error)) return;
    if (partition.error == ErrorCode::transaction_abortable) return abortable(request, partition.error);
    refused = partition.error;
  }
  for (const AddPartitionsToTxnResponse::Partition& partition : answers) {
    const auto of_it = [&](const Partition& one) { return one.tp == partition.tp; };
    const auto found = std::find_if(pending_partitions_.begin(), pending_partitions_.end(), of_it);
    if (found == pending_partitions_.end()) continue;
    if (refused == ErrorCode::none) {
      partitions_.push_back(*found);
      sequences.allow(found->queue);
    }
    pending_partitions_.erase(found);
  }
  if (refused != ErrorCode::none) return abortable(request, refused);
  started_ = true;
  done(request);
}

void TransactionManager::on(Request& request, const AddOffsetsToTxnResponse& response,
                            const ProducerSequences& sequences) {
  if (response.error == ErrorCode::none) {
    started_ = true;
    return enqueue(
        txn_offset_commit(std::move(request.offsets), std::move(request.group), request.call, sequences));
  }
  if (handled_in_common(request, response.error)) return;
  if (response.error == ErrorCode::group_authorization_failed ||
      response.error == ErrorCode::transaction_abortable)
    return abortable(request, response.error);
  fatal(request, response.error);
}

void TransactionManager::on(Request& request, const TxnOffsetCommitResponse& response) {
  bool looked_up = false;
  for (const TxnOffsetCommitResponse::Partition& partition : response.partitions) {
    const ErrorCode error = partition.error;
    if (error == ErrorCode::none) {
      std::erase_if(request.offsets, [&](const auto& one) { return one.tp == partition.tp; });
    } else if (asks_for_coordinator(error) || error == ErrorCode::request_timed_out) {
      if (!std::exchange(looked_up, true)) look_up(CoordinatorType::group, request.group.group);
    } else if (is_retriable(error)) {
      continue;
    } else if (error == ErrorCode::group_authorization_failed || error == ErrorCode::fenced_instance_id ||
               error == ErrorCode::transaction_abortable || error == ErrorCode::unknown_member_id ||
               error == ErrorCode::illegal_generation) {
      return abortable(request, error);  // of the last two: CommitFailedException
    } else if (is_fenced(error)) {
      return fatal(request, ErrorCode::producer_fenced);
    } else {
      return fatal(request, error);
    }
  }
  if (request.offsets.empty()) return done(request);
  std::get<TxnOffsetCommitRequest>(request.body).partitions = request.offsets;
  retry(std::move(request));
}

void TransactionManager::on(Request& request, const EndTxnResponse& response, ProducerSequences& sequences) {
  if (response.error == ErrorCode::none) {
    if (response.producer_id != kNoProducerId) {
      sequences.set_producer({response.producer_id, response.producer_epoch});
      sequences.reset();
    }
    reset_transaction(sequences);
    return done(request);
  }
  if (handled_in_common(request, response.error)) return;
  const bool commits = std::get<EndTxnRequest>(request.body).committed;
  if (response.error == ErrorCode::transaction_abortable && commits)
    return abortable(request, response.error);
  fatal(request, response.error);
}

void TransactionManager::reset_transaction(ProducerSequences& sequences) {
  transition_to(epoch_bump_required_ ? State::initializing : State::ready);
  epoch_bump_required_ = false;
  started_ = false;
  new_partitions_.clear();
  pending_partitions_.clear();
  for (const Partition& partition : partitions_) sequences.forbid(partition.queue);
  partitions_.clear();
}

}  // namespace sim::client
