#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "protocol/batch_builder.h"
#include "replica/replica_manager.h"

// Appending: validate and place; have it written; append, and answer or wait for replication.
namespace sim::replica {

void ReplicaManager::on(ProduceRequest& request, const Envelope& from, const Context& context) {
  ReplyTo to{from.channel, from.correlation};
  if (client_quotas_.is_enabled()) {
    to.thread_nanos = from.thread_nanos;
    to.request_bytes = static_cast<std::int32_t>(wire_size(from.message));
  }
  if (must_verify(request, context)) return verify_then_append(request, to, context);
  append_produced(request, to, nullptr, context);
}

// `verification`: what came of asking the coordinator, if it is of a transaction.
void ReplicaManager::append_produced(ProduceRequest& request, const ReplyTo& to,
                                     const VerifiedPartitions* verification, const Context& context) {
  PendingAppend pending;
  ProducedAppend produced;
  produced.acks = request.acks;
  produced.deadline = context.now() + from_millis(request.timeout_ms);
  produced.operation.outcome.who = to;
  produced.operation.outcome.partitions.reserve(request.partitions.size());
  produced.operation.required.reserve(request.partitions.size());
  pending.then = std::move(produced);
  pending.batches.reserve(request.partitions.size());
  std::vector<log::LogWrite> writes;
  writes.reserve(request.partitions.size());
  const bool acks_valid = request.acks >= -1 && request.acks <= 1;
  for (ProduceRequest::Partition& one : request.partitions) {
    ErrorCode error = acks_valid ? ErrorCode::none : ErrorCode::invalid_required_acks;
    partition::ProducerStates::Append append;
    if (verification != nullptr && acks_valid) {
      for (const NotVerified& refused : verification->errors) {
        if (refused.tp == one.tp) error = refused.error;
      }
      for (const auto& [tp, guard] : verification->guards) {
        if (tp == one.tp) append.guard = guard;
      }
    }
    if (error == ErrorCode::none) {
      place(one.tp, std::move(one.batch), request.acks, append, pending, writes, context);
    } else {
      auto& operation = std::get<ProducedAppend>(pending.then).operation;
      operation.outcome.partitions.push_back({one.tp, error, kNoOffset, -1, kNoOffset, {}});
      operation.required.push_back(kNoOffset);
    }
  }
  start_append(std::move(pending), std::move(writes), context);
}

void ReplicaManager::append(AppendId id, TopicPartition tp, BatchDataPtr batch, const Context& context,
                            const CoordinatorAppend& how) {
  PendingAppend pending;
  ProducedAppend produced;
  // As a rule no deadline: what the coordinator has written it waits for as long as it leads.
  // offsets.commit.timeout.ms is that of the requests which rest on it (CoordinatorRuntime).
  produced.deadline = how.deadline;
  produced.operation.outcome.who = id;
  pending.then = std::move(produced);
  std::vector<log::LogWrite> writes;
  place(tp, std::move(batch), -1, {partition::AppendOrigin::coordinator, how.guard, how.marker_version},
        pending, writes, context);
  start_append(std::move(pending), std::move(writes), context);
}

std::int32_t ReplicaManager::throttle_for_time(const Envelope& request, const Context& context) {
  if (!client_quotas_.is_enabled() || std::holds_alternative<ProduceRequest>(request.message) ||
      std::holds_alternative<FetchRequest>(request.message))
    return 0;
  return client_quotas_.handled(request.channel.client, request.thread_nanos, context);
}

// One partition's part of an append: its place in the log or its error, and what it will be answered.
bool ReplicaManager::place(TopicPartition tp, BatchDataPtr batch, std::int16_t acks,
                           const partition::ProducerStates::Append& append, PendingAppend& pending,
                           std::vector<log::LogWrite>& writes, const Context& context) {
  auto& operation = std::get<ProducedAppend>(pending.then).operation;
  ProduceResponse::Partition& answer = operation.outcome.partitions.emplace_back();
  Offset& required = operation.required.emplace_back(kNoOffset);
  answer.tp = tp;
  const LocalIndex local = table_.find(tp);
  if (local == kNotLocal) {
    answer.error = missing(tp, context);
    if (answer.error == ErrorCode::not_leader_or_follower) answer.current_leader = leader_hint(tp, context);
    return false;
  }
  Partition& partition = table_.at(local);
  if (partition.is_internal() && append.origin == partition::AppendOrigin::client) {
    answer.error = ErrorCode::invalid_topic_exception;
    return false;
  }
  const Partition::AppendCheck check = partition.check_append(*batch, acks, context.now_ms(), append);
  answer.error = check.error;
  if (check.error != ErrorCode::none) {
    if (check.error == ErrorCode::invalid_producer_epoch) {
      node::report(context.out, observe::ProducerFenced{{},
                                                        batch->producer_id,
                                                        batch->producer_epoch,
                                                        partition.producers().epoch_of(batch->producer_id),
                                                        tp});
    }
    if (check.error == ErrorCode::not_leader_or_follower) answer.current_leader = leader_hint(tp, context);
    return false;
  }
  answer.log_start_offset = partition.log_start_offset();
  const std::int32_t count = batch->record_count();
  if (check.duplicate_of) {  // a success, as of the first time
    answer.base_offset = *check.duplicate_of;
    // Kafka looks at the high watermark after every append; with time, who holds it back may have changed.
    if (partition.appended_nothing(context)) high_watermark_changed(local, context);
  } else {
    if (partition.config().log_append_time) {
      answer.log_append_time_ms = context.now_ms();
      batch = with_append_time(*batch, context.now_ms());
    }
    Batch placed = partition.assign(std::move(batch));
    answer.base_offset = placed.base_offset;
    writes.emplace_back(log::AppendBatch{tp, placed});
    pending.batches.push_back(PlacedBatch{local, tp, partition.truncations(), true, std::move(placed)});
  }
  required = answer.base_offset + count;
  return true;
}

void ReplicaManager::start_append(PendingAppend pending, std::vector<log::LogWrite> writes,
                                  const Context& context) {
  if (!writes.empty()) {
    pending.id = next_write();
    add_due_flushes(pending, writes);
    context.out.emplace_back(node::Persist{pending.id, std::move(writes),
                                           pending.flushes ? node::Safety::flushed : node::Safety::written});
    pending_.push_back(std::move(pending));
    return;
  }
  // Nothing to write; but what it repeats may itself still be on its way to the disk.
  const ProducePurgatory::Operation& operation = std::get<ProducedAppend>(pending.then).operation;
  for (std::size_t i = 0; i < operation.required.size(); ++i) {
    const LocalIndex local = table_.find(operation.outcome.partitions[i].tp);
    if (operation.required[i] == kNoOffset || table_.at(local).log_end_offset() >= operation.required[i])
      continue;
    SIM_CHECK(!pending_.empty(), "what is not yet in the log is being written");
    pending.id = pending_.back().id;
    pending_.push_back(std::move(pending));
    return;
  }
  appended(std::get<ProducedAppend>(pending.then), context);
}

// Everything of it is in our log. REQUIRES: its batches were appended
void ReplicaManager::appended(ProducedAppend& append, const Context& context) {
  bool waits = false;
  if (append.acks == -1) {
    for (std::size_t i = 0; i < append.operation.required.size(); ++i) {
      if (append.operation.required[i] == kNoOffset) continue;
      ProduceResponse::Partition& answer = append.operation.outcome.partitions[i];
      const LocalIndex local = table_.find(answer.tp);
      if (local == kNotLocal) {
        answer.error = missing(answer.tp, context);
        append.operation.required[i] = kNoOffset;
        continue;
      }
      waits = true;
      to_check_.push_back(local);
    }
  }
  if (!waits) return answer(append.operation.outcome, append.acks, context);
  const std::uint32_t key = produces_.park(std::move(append.operation), table_);
  deadlines_.add(deadline_of_produce(key), append.deadline, context.out);
}

void ReplicaManager::answer(AppendOutcome& outcome, std::int16_t acks, const Context& context) {
  std::visit(Overloaded{
                 [&](const ReplyTo& to) {
                   bool failed = false;
                   for (ProduceResponse::Partition& one : outcome.partitions) {
                     failed |= one.error != ErrorCode::none;
                     if (one.error == ErrorCode::not_leader_or_follower)
                       one.current_leader = leader_hint(one.tp, context);
                   }
                   const std::int32_t throttle_ms = client_quotas_.produced(
                       to.channel.client, to.request_bytes, to.thread_nanos, acks != 0, context);
                   if (acks != 0) {
                     ProduceResponse response;
                     response.partitions = std::move(outcome.partitions);
                     response.throttle_ms = throttle_ms;
                     context.out.emplace_back(node::Send{
                         Envelope{to.channel, to.correlation, true, std::move(response), throttle_ms}, {}});
                   } else if (failed) {  // the only way to tell a client that does not listen
                     context.out.emplace_back(node::Disconnect{to.channel});
                   } else {
                     context.out.emplace_back(node::Send{
                         Envelope{to.channel, to.correlation, true, NoOpResponse{}, throttle_ms}, {}});
                   }
                 },
                 [&](AppendId id) {
                   const ProduceResponse::Partition& answer = outcome.partitions.front();
                   events_.emplace_back(Appended{answer.tp, id, answer.error});
                 },
             },
             outcome.who);
}

}  // namespace sim::replica
