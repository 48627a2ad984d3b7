#include "client/producer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "client/key_hash.h"

namespace sim::client {

namespace {

node::TimerId network_timer(ProducerPlace place) {
  return {node::Part::client, place.first_timer};
}
node::TimerId producer_timer(ProducerPlace place) {
  return {node::Part::client, static_cast<std::uint16_t>(place.first_timer + 1)};
}

}  // namespace

Producer::Producer(ProcessId self, std::vector<ProcessId> bootstrap, const ProducerConfig& config,
                   ProducerPlace place)
    : max_block_(from_millis(config.max_block_ms)),
      max_request_bytes_(config.max_request_size),
      buffer_bytes_(config.buffer_memory),
      ignore_keys_(config.partitioner_ignore_keys),
      key_hash_(config.key_hash),
      hashes_missing_keys_(config.hashes_missing_keys),
      sender_(self, std::move(bootstrap), config, place.lane, network_timer(place)),
      place_(place) {}

Producer::TopicNumber Producer::add_topic(std::string_view name) {
  return sender_.accumulator().add_topic(sender_.metadata().index_of(name));
}

const MetadataClient::Topic& Producer::topic(TopicNumber number) const {
  return sender_.metadata().topic(sender_.accumulator().metadata_index(number));
}

// ---- send()

Producer::SendResult Producer::send(TopicNumber number, const ProducerRecord& record, node::Env env,
                                    node::Effects& out) {
  SIM_CHECK(!blocked_, "the one application thread is waiting for its last send");
  const std::int32_t key_bytes = record.key ? static_cast<std::int32_t>(record.key->size()) : -1;
  const bool by_key = !ignore_keys_ && (record.key || hashes_missing_keys_);
  const std::string_view key = record.key ? std::string_view(*record.key) : std::string_view{};
  Blocked send{number, Record{record.id, env.wall_ms(), key_bytes, record.value_bytes, record.key_number},
               by_key ? hash_of_key(key_hash_, key) : -1, env.now + max_block_};
  sender_.metadata().add_topic(sender_.accumulator().metadata_index(number), env.now);
  if (topic(number).known()) return append(send, env, out);
  request_metadata(send);
  blocked_ = send;
  return SendResult::blocked_on_metadata;
}

void Producer::request_metadata(Blocked& send) {
  MetadataClient& metadata = sender_.metadata();
  const MetadataClient::TopicIndex index = sender_.accumulator().metadata_index(send.topic);
  metadata.request_update(index);
  send.metadata_version = metadata.version();
  run_at_ = LocalTime::min();
}

std::optional<ErrorCode> Producer::refusal(const Record& record) const {
  if (sender_.fatal_error()) return sender_.fatal_error();
  if (sender_.is_transactional()) {
    if (sender_.transactions().has_error()) return sender_.transactions().last_error();
    if (sender_.transactions().state() != ProducerTransactionState::in_transaction)
      return ErrorCode::invalid_txn_state;
  }
  const std::int32_t upper_bound = batch_size_upper_bound(record.key_bytes, record.value_bytes);
  if (upper_bound > max_request_bytes_ || upper_bound > buffer_bytes_) return ErrorCode::message_too_large;
  return std::nullopt;
}

Producer::SendResult Producer::append(const Blocked& send, node::Env env, node::Effects& out) {
  RecordAccumulator& accumulator = sender_.accumulator();
  if (const auto error = refusal(send.record)) {
    node::report(out, observe::RecordFailed{send.record.id, *error});
    failed_to_send(*error);
    return SendResult::failed;
  }
  sender_.follow_metadata();
  const std::int32_t partitions = accumulator.partitions(send.topic);
  const std::int32_t partition =
      send.key_hash < 0 ? -1 : static_cast<std::int32_t>(send.key_hash % partitions);
  const auto appended = accumulator.append(send.topic, send.record, partition, env.now, env.rng);
  if (!appended.accepted) {
    blocked_ = send;
    blocked_->on_metadata = false;
    accumulator.set_exhausted(true);
    run_at_ = LocalTime::min();
    return SendResult::blocked_on_memory;
  }
  node::report(out, observe::RecordAccepted{send.record.id, appended.tp});
  ++outstanding_;
  if (sender_.is_transactional()) {
    sender_.add_to_transaction(appended.tp, appended.queue);
    run_at_ = LocalTime::min();  // its partition may have to be added
  }
  run_at_ = std::min(run_at_, appended.sendable_at);
  return SendResult::accepted;
}

bool Producer::resume(node::Env env, node::Effects& out, Events& events) {
  return blocked_->on_metadata ? resume_on_metadata(env, out, events) : resume_on_memory(env, out, events);
}

// KafkaProducer.waitOnMetadata
bool Producer::resume_on_metadata(node::Env env, node::Effects& out, Events& events) {
  const MetadataClient::Topic& wanted = topic(blocked_->topic);
  if (env.now >= blocked_->deadline) {
    returns(ErrorCode::request_timed_out, out, events);
    return true;
  }
  if (sender_.metadata().version() == blocked_->metadata_version) return false;
  if (wanted.error == ErrorCode::invalid_topic_exception) {
    returns(wanted.error, out, events);
    return true;
  }
  if (!wanted.known()) {
    request_metadata(*blocked_);
    return true;
  }
  blocked_->record.timestamp_ms = env.wall_ms();
  go_on(env, out, events);
  return true;
}

// BufferPool.allocate: BufferExhaustedException is a TimeoutException.
bool Producer::resume_on_memory(node::Env env, node::Effects& out, Events& events) {
  if (!sender_.accumulator().has_memory_for(blocked_->record)) {
    if (env.now < blocked_->deadline) return false;
    returns(ErrorCode::request_timed_out, out, events);
    return true;
  }
  sender_.accumulator().set_exhausted(false);
  go_on(env, out, events);
  return true;
}

void Producer::go_on(node::Env env, node::Effects& out, Events& events) {
  const Blocked send = *std::exchange(blocked_, std::nullopt);
  const SendResult result = append(send, env, out);
  if (result == SendResult::blocked_on_memory) return;
  const ErrorCode error = result == SendResult::failed ? refusal(send.record).value() : ErrorCode::none;
  events.emplace_back(SendReturned{send.record.id, error});
}

void Producer::returns(ErrorCode error, node::Effects& out, Events& events) {
  node::report(out, observe::RecordFailed{blocked_->record.id, error});
  events.emplace_back(SendReturned{blocked_->record.id, error});
  blocked_.reset();
  failed_to_send(error);
  sender_.accumulator().set_exhausted(false);
}

void Producer::close() {
  closing_ = true;
  sender_.close();
  run_at_ = LocalTime::min();
}

// ---- Transactions

void Producer::call(TransactionCall which, ErrorCode refused, node::Env env, Events& events) {
  if (refused != ErrorCode::none) {
    events.emplace_back(TransactionReturned{which, refused});
    return;
  }
  call_deadline_ = env.now + max_block_;
  run_at_ = LocalTime::min();
}

void Producer::init_transactions(node::Env env, Events& events) {
  call(TransactionCall::init, sender_.init_transactions(), env, events);
}

ErrorCode Producer::begin_transaction(node::Effects& out) {
  const ErrorCode error = sender_.transactions().begin_transaction();
  report_transaction(out);
  return error;
}

void Producer::send_offsets_to_transaction(TransactionManager::Offsets offsets, GroupMetadata group,
                                           node::Env env, node::Effects& out, Events& events) {
  const ErrorCode refused = sender_.send_offsets(std::move(offsets), std::move(group));
  report_transaction(out);
  call(TransactionCall::send_offsets, refused, env, events);
}

void Producer::commit_transaction(node::Env env, node::Effects& out, Events& events) {
  const ErrorCode refused = sender_.commit();
  report_transaction(out);
  call(TransactionCall::commit, refused, env, events);
}

void Producer::abort_transaction(node::Env env, node::Effects& out, Events& events) {
  const ErrorCode refused = sender_.abort();
  report_transaction(out);
  call(TransactionCall::abort, refused, env, events);
}

void Producer::take_transaction_result(node::Env env, Events& events) {
  if (const auto result = sender_.transactions().take_result()) {
    call_deadline_.reset();
    events.emplace_back(TransactionReturned{result->call, result->error});
  } else if (env.now >= *call_deadline_) {
    call_deadline_.reset();
    events.emplace_back(
        TransactionReturned{sender_.transactions().call_under_way(), ErrorCode::request_timed_out});
  }
}

void Producer::failed_to_send(ErrorCode error) {
  if (!sender_.is_transactional() || sender_.transactions().has_error()) return;
  if (sender_.transactions().state() == ProducerTransactionState::in_transaction)
    sender_.transactions().on_failure(error);
}

void Producer::report_transaction(node::Effects& out) {
  const TransactionManager& transactions = sender_.transactions();
  if (transactions.state() == reported_) return;
  reported_ = transactions.state();
  const ProducerIdAndEpoch producer = sender_.sequence_state().producer();
  node::report(out,
               observe::ProducerTransactionChanged{transactions.transactional_id(), reported_, producer.id,
                                                   producer.epoch, transactions.last_error()});
}

// ---- Steps

void Producer::step(node::Input& input, node::Env env, node::Effects& out, Events& events) {
  if (const auto* fired = std::get_if<node::TimerFired>(&input);
      fired != nullptr && fired->timer == producer_timer(place_)) {
    armed_for_ = LocalTime::max();
    return;
  }
  sender_.step(input, env, out, completed_);
  take_completed(events);
  run_at_ = LocalTime::min();
}

void Producer::poll(node::Env env, node::Effects& out, Events& events) {
  do {
    if (env.now >= run_at_) {
      sender_.run(env, out, completed_);
      run_at_ = sender_.next_run_at();
      take_completed(events);
    }
    if (call_deadline_) take_transaction_result(env, events);
  } while (blocked_ && resume(env, out, events));
  if (sender_.is_transactional()) report_transaction(out);
  arm(out);
}

void Producer::take_completed(Events& events) {
  for (Sender::Completed& completed : completed_) {
    outstanding_ -= completed.batch->record_count();
    events.emplace_back(std::move(completed));
  }
  completed_.clear();
}

void Producer::arm(node::Effects& out) {
  LocalTime next = blocked_ ? std::min(run_at_, blocked_->deadline) : run_at_;
  if (call_deadline_) next = std::min(next, *call_deadline_);
  if (next >= armed_for_) return;
  armed_for_ = next;
  out.emplace_back(node::SetTimer{producer_timer(place_), next});
}

}  // namespace sim::client
