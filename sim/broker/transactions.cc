#include <utility>

#include "base/check.h"
#include "broker/broker.h"
#include "coordinator/errors.h"
#include "group/responses.h"
#include "protocol/batch_builder.h"
#include "server/coordinators.h"

// Transactions, as far as several parts of a broker take part in them (KafkaApis): questions of leaders to
// coordinators and their answers, markers that come for the partitions led here, and offsets that are
// committed in a transaction.
namespace sim::broker {

namespace {

constexpr int kOwnerShift = 60;

}  // namespace

replica::AppendId Broker::append_id(AppendOwner owner, std::uint64_t number) {
  SIM_CHECK(number >> kOwnerShift == 0, "writes are numbered in 60 bits");
  return replica::AppendId{static_cast<std::uint64_t>(owner) << kOwnerShift | number};
}

Broker::AppendOwner Broker::owner_of(replica::AppendId id) {
  return static_cast<AppendOwner>(id.value() >> kOwnerShift);
}

std::uint64_t Broker::number_of(replica::AppendId id) {
  return id.value() & ((std::uint64_t{1} << kOwnerShift) - 1);
}

// Used within the step only.
transaction::GenerateProducerId Broker::producer_id_source(const Context& context) {
  return [this, &context]() {
    bool wants_block = false;
    const std::optional<ProducerId> id = producer_ids_.generate(context.now(), wants_block);
    if (wants_block) request_producer_ids(context);
    return id;
  };
}

// ---- What coordinators write

void Broker::append(transaction::TransactionCoordinator::Write& write, const Context& context) {
  replicas_.append(append_id(AppendOwner::transactions, write.id), write.tp,
                   make_batch(std::move(write.records), context.now_ms()), context);
}

void Broker::append(GroupCoordinator::Write& write, const Context& context) {
  const replica::AppendId id = append_id(AppendOwner::groups, write.id);
  const std::int64_t now_ms = context.now_ms();
  if (!write.writer)
    return replicas_.append(id, write.tp, make_batch(std::move(write.records), now_ms), context);
  const coordinator::TransactionalWriter& writer = *write.writer;
  BatchDataPtr batch =
      write.marker ? make_marker_batch(*write.marker, writer.producer_id, writer.producer_epoch, now_ms)
                   : make_transactional_batch(std::move(write.records), writer.producer_id,
                                              writer.producer_epoch, now_ms);
  ReplicaManager::CoordinatorAppend how;
  how.guard = writer.guard;
  replicas_.append(id, write.tp, std::move(batch), context, how);
}

// ---- AddPartitionsToTxn, AddOffsetsToTxn, EndTxn

void Broker::on(AddPartitionsToTxnRequest& request, const Envelope& from, const Context& context) {
  transactions_.on(request, {from.channel, from.correlation}, context);
}

void Broker::on(AddOffsetsToTxnRequest& request, const Envelope& from, const Context& context) {
  const metadata::TopicImage* topic = image_.topic(server::coordinator_of(CoordinatorType::group).topic);
  if (topic == nullptr)
    return node::reply(context.out, from, AddOffsetsToTxnResponse{ErrorCode::coordinator_not_available});
  const TopicPartition offsets{topic->id, groups_.partition_of(request.group)};
  transactions_.on(request, offsets, {from.channel, from.correlation}, context);
}

void Broker::on(EndTxnRequest& request, const Envelope& from, const Context& context) {
  transactions_.on(request, {from.channel, from.correlation}, producer_id_source(context), context);
}

// ---- Verification

void Broker::on(const ReplicaManager::VerificationAsked& event, const Context& context) {
  transaction::AddPartitionsToTxnManager::Answers answers;
  add_partitions_.add_or_verify({event.id, event.transactional_id, event.producer_id, event.producer_epoch,
                                 event.partitions, event.support},
                                context, answers);
  verification_answered(answers, context);
}

void Broker::verification_answered(const transaction::AddPartitionsToTxnManager::Answers& answers,
                                   const Context& context) {
  for (const transaction::AddPartitionsToTxnManager::Answer& answer : answers) {
    std::vector<ReplicaManager::NotVerified> errors;
    for (const auto& one : answer.errors) errors.push_back({one.tp, one.error});
    replicas_.verified(answer.question, errors, context);
  }
}

// ---- TxnOffsetCommit (GroupCoordinatorService.commitTransactionalOffsets)

void Broker::on(TxnOffsetCommitRequest& request, const Envelope& from, const Context& context) {
  const ReplyTo to{from.channel, from.correlation};
  if (const ErrorCode error = groups_.check_transactional(request); error != ErrorCode::none)
    return server::send(to, group::commit_response(request, error), context.out);
  const metadata::TopicImage* topic = image_.topic(server::coordinator_of(CoordinatorType::group).topic);
  SIM_CHECK(topic != nullptr, "groups are coordinated on a topic that exists");
  const TopicPartition tp{topic->id, groups_.partition_of(request.group)};
  const replica::VerificationId id =
      replicas_.verify(tp, request.transactional_id, request.producer_id, request.producer_epoch,
                       request.transaction_support, context);
  commits_.emplace(id, VerifiedCommit{to, std::move(request)});
}

void Broker::on(const ReplicaManager::Verified& event, const Context& context) {
  const auto it = commits_.find(event.id);
  SIM_CHECK(it != commits_.end(), "what is verified was asked for");
  const VerifiedCommit commit = std::move(it->second);
  commits_.erase(it);
  if (event.error != ErrorCode::none)
    return server::send(commit.to,
                        group::commit_response(commit.request, coordinator::told_to_client(event.error)),
                        context.out);
  groups_.on(commit.request, event.guard, commit.to, context.env, context.out);
}

// ---- WriteTxnMarkers

void Broker::on(WriteTxnMarkersRequest& request, const Envelope& from, const Context& context) {
  const std::uint64_t number = next_marker_request_++;
  MarkerRequest& waiting = marker_requests_[number];
  waiting.to = {from.channel, from.correlation};
  waiting.left = 1;  // this, until all are under way
  for (const WriteTxnMarkersRequest::Marker& marker : request.markers) {
    waiting.response.markers.push_back({marker.producer_id, {}});
    waiting.left += marker.partitions.size();
  }
  for (std::size_t i = 0; i < request.markers.size(); ++i) {
    for (const TopicPartition tp : request.markers[i].partitions)
      write_marker(number, i, tp, request.markers[i], context);
  }
  MarkerRequest& begun = marker_requests_.at(number);
  if (--begun.left > 0) return;
  server::send(begun.to, std::move(begun.response), context.out);
  marker_requests_.erase(number);
}

// To a partition of __consumer_offsets it is the group coordinator that writes, as what it has pending ends.
void Broker::write_marker(std::uint64_t request, std::size_t marker, TopicPartition tp,
                          const WriteTxnMarkersRequest::Marker& what, const Context& context) {
  if (replicas_.partition(tp) == nullptr)
    return marker_outcome(request, marker, tp, ErrorCode::unknown_topic_or_partition, context);
  const EndTransactionMarker end{what.committed, what.coordinator_epoch};
  const metadata::TopicImage* topic = image_.topic(tp.topic);
  if (topic != nullptr && topic->name == server::coordinator_of(CoordinatorType::group).topic) {
    const GroupCoordinator::MarkerWrite write =
        groups_.complete_transaction(tp, {what.producer_id, what.producer_epoch, 0}, end, context.out);
    if (write.error != ErrorCode::none)  // the coordinator of transactions knows only leaders
      return marker_outcome(request, marker, tp, ErrorCode::not_leader_or_follower, context);
    marker_appends_.emplace(append_id(AppendOwner::groups, write.id), MarkerAppend{request, marker, tp});
    return;
  }
  const replica::AppendId id = append_id(AppendOwner::markers, next_marker_append_++);
  marker_appends_.emplace(id, MarkerAppend{request, marker, tp});
  ReplicaManager::CoordinatorAppend how;
  how.marker_version = what.transaction_version;
  how.deadline = context.now() + from_millis(context.config.request_timeout_ms);
  replicas_.append(id, tp, make_marker_batch(end, what.producer_id, what.producer_epoch, context.now_ms()),
                   context, how);
}

void Broker::marker_written(replica::AppendId id, ErrorCode error, const Context& context) {
  const auto it = marker_appends_.find(id);
  if (it == marker_appends_.end()) return;
  const MarkerAppend append = it->second;
  marker_appends_.erase(it);
  marker_outcome(append.request, append.marker, append.tp, error, context);
}

void Broker::marker_outcome(std::uint64_t request, std::size_t marker, TopicPartition tp, ErrorCode error,
                            const Context& context) {
  MarkerRequest& waiting = marker_requests_.at(request);
  waiting.response.markers[marker].partitions.push_back({tp, error});
  if (--waiting.left > 0) return;
  server::send(waiting.to, std::move(waiting.response), context.out);
  marker_requests_.erase(request);
}

}  // namespace sim::broker
