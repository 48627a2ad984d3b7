#include "transaction/metadata.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::transaction {

namespace {

ProducerEpoch next_epoch(ProducerEpoch epoch) {
  return ProducerEpoch{static_cast<std::int16_t>(epoch.value() + 1)};
}

bool is_allowed(TransactionState from, TransactionState to) {
  const bool is_at_rest = from == TransactionState::empty || from == TransactionState::complete_commit ||
                          from == TransactionState::complete_abort;
  switch (to) {
    case TransactionState::empty:
    case TransactionState::dead: return is_at_rest;
    case TransactionState::ongoing: return is_at_rest || from == TransactionState::ongoing;
    case TransactionState::prepare_commit:
    case TransactionState::prepare_epoch_fence: return from == TransactionState::ongoing;
    case TransactionState::prepare_abort: return is_at_rest || from == TransactionState::ongoing;
    case TransactionState::complete_commit: return from == TransactionState::prepare_commit;
    case TransactionState::complete_abort: return from == TransactionState::prepare_abort;
  }
  return false;
}

}  // namespace

TransactionFields TransactionMetadata::transition_to(TransactionFields fields) {
  SIM_CHECK(!pending, "one transition of a transaction is pending at a time");
  SIM_CHECK(is_allowed(now.state, fields.state), "a transaction changes its state as the table says");
  fields.previous_producer_id = now.producer_id;
  pending = fields.state;
  return fields;
}

TransactionFields TransactionMetadata::prepare_fence_epoch() {
  TransactionFields fields = now;
  fields.state = TransactionState::prepare_epoch_fence;
  if (!has_failed_epoch_fence) fields.producer_epoch = next_epoch(now.producer_epoch);
  fields.last_producer_epoch = kNoProducerEpoch;
  return transition_to(std::move(fields));
}

TransactionMetadata::Increment TransactionMetadata::prepare_increment_epoch(
    std::int32_t timeout_ms, std::optional<ProducerEpoch> expected, std::int64_t now_ms) {
  SIM_CHECK(!is_exhausted(now.producer_epoch), "an exhausted epoch is not raised");
  TransactionFields fields = now;
  fields.state = TransactionState::empty;
  fields.timeout_ms = timeout_ms;
  fields.partitions.clear();
  fields.start_timestamp_ms = -1;
  fields.last_update_timestamp_ms = now_ms;
  const bool is_new = now.producer_epoch == kNoProducerEpoch;
  if (!expected) {
    fields.producer_epoch = next_epoch(now.producer_epoch);
    fields.last_producer_epoch = kNoProducerEpoch;
  } else if (is_new || *expected == now.producer_epoch) {  // it goes on after an error (KIP-360)
    fields.producer_epoch = next_epoch(now.producer_epoch);
    fields.last_producer_epoch = now.producer_epoch;
  } else if (*expected != now.last_producer_epoch) {  // or else it repeats what has succeeded
    return {ErrorCode::producer_fenced, {}};
  }
  return {ErrorCode::none, transition_to(std::move(fields))};
}

TransactionFields TransactionMetadata::prepare_producer_id_rotation(ProducerId next, std::int32_t timeout_ms,
                                                                    std::int64_t now_ms,
                                                                    bool records_last_epoch) {
  TransactionFields fields = now;
  fields.state = TransactionState::empty;
  fields.producer_id = next;
  fields.last_producer_epoch = records_last_epoch ? now.producer_epoch : kNoProducerEpoch;
  fields.producer_epoch = ProducerEpoch{0};
  fields.timeout_ms = timeout_ms;
  fields.partitions.clear();
  fields.start_timestamp_ms = -1;
  fields.last_update_timestamp_ms = now_ms;
  return transition_to(std::move(fields));
}

TransactionFields TransactionMetadata::prepare_add_partitions(const std::vector<TopicPartition>& added,
                                                              std::int64_t now_ms,
                                                              TransactionVersion client_version) {
  TransactionFields fields = now;
  if (now.state != TransactionState::ongoing) fields.start_timestamp_ms = now_ms;
  fields.state = TransactionState::ongoing;
  fields.partitions.insert(fields.partitions.end(), added.begin(), added.end());
  std::sort(fields.partitions.begin(), fields.partitions.end());
  fields.partitions.erase(std::unique(fields.partitions.begin(), fields.partitions.end()),
                          fields.partitions.end());
  fields.last_update_timestamp_ms = now_ms;
  fields.client_version = client_version;
  return transition_to(std::move(fields));
}

TransactionFields TransactionMetadata::prepare_abort_or_commit(TransactionState state,
                                                               TransactionVersion client_version,
                                                               ProducerId next, std::int64_t now_ms,
                                                               bool no_partition_added) {
  TransactionFields fields = now;
  fields.state = state;
  fields.next_producer_id = next;
  if (client_version >= kTransactionVersion2) {
    fields.producer_epoch = next_epoch(now.producer_epoch);
    fields.last_producer_epoch = now.producer_epoch;
  }
  if (no_partition_added) fields.start_timestamp_ms = now_ms;
  fields.last_update_timestamp_ms = now_ms;
  fields.client_version = client_version;
  return transition_to(std::move(fields));
}

TransactionFields TransactionMetadata::prepare_complete(std::int64_t now_ms) {
  has_failed_epoch_fence = false;
  TransactionFields fields = now;
  fields.state = now.state == TransactionState::prepare_commit ? TransactionState::complete_commit
                                                               : TransactionState::complete_abort;
  if (now.client_version >= kTransactionVersion2 && now.next_producer_id != kNoProducerId) {
    fields.producer_id = now.next_producer_id;
    fields.producer_epoch = ProducerEpoch{0};
  }
  fields.next_producer_id = kNoProducerId;
  fields.partitions.clear();
  fields.last_update_timestamp_ms = now_ms;
  return transition_to(std::move(fields));
}

TransactionFields TransactionMetadata::prepare_dead() {
  TransactionFields fields = now;
  fields.state = TransactionState::dead;
  fields.partitions.clear();
  return transition_to(std::move(fields));
}

void TransactionMetadata::complete(const TransactionFields& fields) {
  SIM_CHECK(pending == fields.state, "what is logged was pending");
  now = fields;
  pending.reset();
}

bool TransactionMetadata::contains(TopicPartition tp) const {
  return std::binary_search(now.partitions.begin(), now.partitions.end(), tp);
}

bool TransactionMetadata::contains_all(const std::vector<TopicPartition>& partitions) const {
  return std::all_of(partitions.begin(), partitions.end(),
                     [this](TopicPartition tp) { return contains(tp); });
}

void TransactionMetadata::remove(TopicPartition tp) {
  std::erase(now.partitions, tp);
}

TransactionLogRecord record_of(const std::string& transactional_id, const TransactionFields& fields) {
  TransactionLogRecord record;
  record.transactional_id = transactional_id;
  record.producer_id = fields.producer_id;
  record.previous_producer_id = fields.previous_producer_id;
  record.next_producer_id = fields.next_producer_id;
  record.producer_epoch = fields.producer_epoch;
  record.timeout_ms = fields.timeout_ms;
  record.state = fields.state;
  record.partitions = fields.partitions;
  record.last_update_timestamp_ms = fields.last_update_timestamp_ms;
  record.start_timestamp_ms = fields.start_timestamp_ms;
  record.client_transaction_version = fields.client_version;
  return record;
}

TransactionMetadata metadata_of(const TransactionLogRecord& record) {
  TransactionMetadata metadata;
  metadata.now.producer_id = record.producer_id;
  metadata.now.previous_producer_id = record.previous_producer_id;
  metadata.now.next_producer_id = record.next_producer_id;
  metadata.now.producer_epoch = record.producer_epoch;
  metadata.now.timeout_ms = record.timeout_ms;
  metadata.now.state = record.state;
  metadata.now.partitions = record.partitions;
  metadata.now.last_update_timestamp_ms = record.last_update_timestamp_ms;
  metadata.now.start_timestamp_ms = record.start_timestamp_ms;
  metadata.now.client_version = record.client_transaction_version;
  return metadata;
}

}  // namespace sim::transaction
