#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "group/group_coordinator.h"
#include "protocol/batch_builder.h"

// How records are written, and what waits for them (CoordinatorRuntime in Kafka).
namespace sim::group {

namespace {

// What a client hears of a failed write (CoordinatorOperationExceptionHelper).
ErrorCode told_to_client(ErrorCode error) {
  switch (error) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::request_timed_out: return ErrorCode::coordinator_not_available;
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::kafka_storage_error: return ErrorCode::not_coordinator;
    case ErrorCode::message_too_large:
    case ErrorCode::record_list_too_large:
    case ErrorCode::invalid_fetch_size: return ErrorCode::unknown_server_error;
    default: return error;
  }
}

// Older consumers do not know COORDINATOR_NOT_AVAILABLE as an answer to OffsetFetch
// (handleOffsetFetchException).
ErrorCode told_to_fetcher(ErrorCode error) {
  const ErrorCode told = told_to_client(error);
  return told == ErrorCode::coordinator_not_available ? ErrorCode::not_coordinator : told;
}

void make_error(Message& message, ErrorCode error) {
  if (auto* commit = std::get_if<OffsetCommitResponse>(&message)) {
    for (OffsetCommitResponse::Partition& partition : commit->partitions)
      partition.error = told_to_client(error);
  } else if (auto* fetch = std::get_if<OffsetFetchResponse>(&message)) {
    fetch->error = told_to_fetcher(error);
    fetch->partitions.clear();
  } else if (auto* heartbeat = std::get_if<HeartbeatResponse>(&message)) {
    heartbeat->error = told_to_client(error);
  } else if (auto* leave = std::get_if<LeaveGroupResponse>(&message)) {
    leave->error = told_to_client(error);
  } else {
    SIM_CHECK(false, "no other answer waits for a write");
  }
}

}  // namespace

// ---- Batches

PendingWrite& GroupCoordinator::open_batch(std::int32_t partition, const Step& step) {
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  if (log.open) return log.pending.back();
  log.open = true;
  log.pending.push_back(std::exchange(spare_, {}));
  PendingWrite& batch = log.pending.back();
  batch.records.reserve(std::min<std::size_t>(batch.offsets.capacity(), 64));
  batch.id = next_write_++ * partitions_.size() + static_cast<std::uint64_t>(partition);
  batch.size_bytes = kBatchHeaderBytes;
  if (config_.group_coordinator_append_linger_ms > 0) {
    arm(log.linger, Deadline{Deadline::Kind::linger, partition, 0, 0},
        from_millis(config_.group_coordinator_append_linger_ms), step);
  }
  return batch;
}

// The batch that took the record; a full one is written first.
PendingWrite& GroupCoordinator::append(std::int32_t partition, CoordinatorRecord record, const Step& step) {
  PendingWrite* batch = &open_batch(partition, step);
  std::int32_t size = record_size(record, std::ssize(batch->records));
  if (!batch->records.empty() && batch->size_bytes + size > config_.log.max_message_bytes) {
    flush(partition);
    batch = &open_batch(partition, step);
    size = record_size(record, 0);
  }
  batch->size_bytes += size;
  batch->records.push_back(std::move(record));
  return *batch;
}

void GroupCoordinator::flush(std::int32_t partition) {
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  SIM_CHECK(log.open, "the linger deadline dies with its batch");
  log.open = false;
  deadlines_.cancel(log.linger);
  PendingWrite& batch = log.pending.back();
  writes_.push_back(Write{batch.id, partition, std::exchange(batch.records, {})});
}

// The operation has written all it will.
void GroupCoordinator::finish(std::int32_t partition) {
  const OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  if (log.open && config_.group_coordinator_append_linger_ms == 0) flush(partition);
}

// What is left to do when everything written so far is committed: at once if it is.
void GroupCoordinator::finish(std::int32_t partition, DeferredWork work, const Step& step) {
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  if (log.pending.empty()) return succeeded(work, step);
  const Duration timeout = from_millis(config_.offsets_commit_timeout_ms);
  log.pending.back().deferred.push_back(Deferred{step.env.now + timeout, false, std::move(work)});
  if (!deadlines_.is_armed(log.write_timeout)) {
    arm(log.write_timeout, Deadline{Deadline::Kind::write_timeout, partition, 0, 0}, timeout, step);
  }
  finish(partition);
}

// ---- Outcomes

void GroupCoordinator::written(WriteId id, ErrorCode error, node::Env env, node::Effects& out) {
  const Step step{env, out};
  const auto partition = static_cast<std::int32_t>(id % partitions_.size());
  const std::vector<PendingWrite>& pending = partitions_[static_cast<std::size_t>(partition)].pending;
  const auto it =
      std::find_if(pending.begin(), pending.end(), [id](const PendingWrite& one) { return one.id == id; });
  if (it == pending.end()) return;  // of an earlier leadership
  const auto index = static_cast<std::size_t>(it - pending.begin());
  switch (error) {
    case ErrorCode::none:
    case ErrorCode::not_enough_replicas_after_append: commit(partition, index + 1, step); break;
    case ErrorCode::request_timed_out: break;  // it is in the log; who waits for it has a deadline of his own
    default: fail(partition, index, error, step); break;
  }
  set_timer(out);
}

void GroupCoordinator::high_watermark_advanced(std::int32_t partition, Offset high_watermark, node::Env env,
                                               node::Effects& out) {
  const std::vector<PendingWrite>& pending = partitions_[static_cast<std::size_t>(partition)].pending;
  if (pending.empty() || pending.front().id != 0 || pending.front().end_offset > high_watermark) return;
  const auto first_above = std::find_if(pending.begin(), pending.end(), [&](const PendingWrite& one) {
    return one.id != 0 || one.end_offset > high_watermark;
  });
  commit(partition, static_cast<std::size_t>(first_above - pending.begin()), Step{env, out});
  set_timer(out);
}

// The first `count` of the pending writes are committed.
void GroupCoordinator::commit(std::int32_t partition, std::size_t count, const Step& step) {
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  for (; count > 0; --count) {
    PendingWrite write = std::move(log.pending.front());
    log.pending.erase(log.pending.begin());
    commit_offsets(write);
    for (const OffsetChange& change : write.offsets) {
      const ClassicGroup* group = resolve(change.group);
      if (group == nullptr || !change.value.exists()) continue;
      node::report(step.out, observe::OffsetsStored{group->name, change.tp, change.value.offset});
    }
    for (const GroupChange& change : write.groups) {
      ClassicGroup* group = resolve(change.group);
      if (group != nullptr && !change.created) erase_group(*group);
    }
    for (Deferred& deferred : write.deferred) {
      if (!deferred.done) succeeded(deferred.work, step);
    }
    write.offsets.clear();
    write.groups.clear();
    write.deferred.clear();
    spare_ = std::move(write);  // the next batch is likely to be as large
  }
}

void GroupCoordinator::commit_offsets(const PendingWrite& write) {
  for (const OffsetChange& change : write.offsets) {
    ClassicGroup* group = resolve(change.group);
    if (group == nullptr) continue;
    group->offsets.commit(change.tp, change.value);
    if (!change.value.exists()) group->offsets.drop_absent();
  }
}

void GroupCoordinator::fail(std::int32_t partition, std::size_t index, ErrorCode error, const Step& step) {
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  PendingWrite write = std::move(log.pending[index]);
  log.pending.erase(log.pending.begin() + static_cast<std::ptrdiff_t>(index));
  take_back(write, log, index, error, step.out);
  plan_scan(partition, step);
  for (Deferred& deferred : write.deferred) {
    if (!deferred.done) failed(deferred.work, error, step);
  }
}

// Undoes a write, but not those after it, which begin at `later` of the pending ones.
void GroupCoordinator::take_back(const PendingWrite& write, const OffsetsPartition& log, std::size_t later,
                                 ErrorCode error, node::Effects& out) {
  for (const OffsetChange& change : write.offsets) {
    if (ClassicGroup* group = resolve(change.group)) group->offsets.take_back(change.tp);
  }
  for (const PendingWrite& other : log.pending) {  // earlier ones stand, though they are not committed
    for (const OffsetChange& change : other.offsets) {
      if (ClassicGroup* group = resolve(change.group)) group->offsets.write(change.tp, change.value);
    }
  }
  for (auto change = write.groups.rbegin(); change != write.groups.rend(); ++change) {
    ClassicGroup* group = resolve(change->group);
    if (group == nullptr) continue;
    if (!change->created) {
      group->removed = false;
      if (!slots_.try_emplace(group->name, group->slot).second)
        erase_group(*group);                   // the name is taken again
    } else if (later == log.pending.size()) {  // what was written since may be about it
      answer_parked(*group, told_to_client(error), out);
      erase_group(*group);
    }
  }
}

void GroupCoordinator::time_out_writes(std::int32_t partition, const Step& step) {
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  for (PendingWrite& write : log.pending) {
    for (Deferred& deferred : write.deferred) {
      if (deferred.done) continue;
      if (deferred.deadline > step.env.now) {
        return arm(log.write_timeout, Deadline{Deadline::Kind::write_timeout, partition, 0, 0},
                   deferred.deadline - step.env.now, step);
      }
      deferred.done = true;
      failed(deferred.work, ErrorCode::request_timed_out, step);
    }
  }
}

void GroupCoordinator::succeeded(DeferredWork& work, const Step& step) {
  std::visit(Overloaded{
                 [&](DeferredAnswer& answer) { send(answer.to, std::move(answer.message), step.out); },
                 [](DeferredPark&) {},  // it waits for its group, not for the write
                 [&](DeferredAssignment& assignment) { assignment_stored(assignment, step); },
                 [&](DeferredReplacement& replacement) { replacement_stored(replacement, step); },
             },
             work);
}

void GroupCoordinator::failed(DeferredWork& work, ErrorCode error, const Step& step) {
  const ErrorCode told = told_to_client(error);
  std::visit(Overloaded{
                 [&](DeferredAnswer&) { refuse(work, error, step.out); },
                 [&](DeferredPark&) { refuse(work, error, step.out); },
                 [&](DeferredAssignment& assignment) { assignment_failed(assignment, told, step); },
                 [&](DeferredReplacement& replacement) { replacement_failed(replacement, told, step); },
             },
             work);
}

// The request hears of the failure; its group does not.
void GroupCoordinator::refuse(DeferredWork& work, ErrorCode error, node::Effects& out) {
  if (auto* answer = std::get_if<DeferredAnswer>(&work)) {
    make_error(answer->message, error);
    send(answer->to, std::move(answer->message), out);
  } else if (const auto* park = std::get_if<DeferredPark>(&work)) {
    ClassicGroup* group = resolve(park->group);
    if (group == nullptr) return;
    for (GroupMember& member : group->members) {
      if (member.join && member.join->to == park->to && !std::exchange(member.join->answered, true)) {
        JoinGroupResponse response;
        response.error = told_to_client(error);
        send(park->to, std::move(response), out);
      }
      if (member.sync && member.sync->to == park->to && !std::exchange(member.sync->answered, true)) {
        send(park->to, SyncGroupResponse{told_to_client(error), {}}, out);
      }
    }
  }
}

// ---- Loading

void GroupCoordinator::load(std::int32_t partition, const std::vector<Batch>& batches,
                            Offset high_watermark) {
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  SIM_CHECK(log.state == OffsetsPartition::State::loading, "only a newly elected leader loads");
  while (!log.pending.empty() && log.pending.front().end_offset <= high_watermark) {
    commit_offsets(log.pending.front());
    log.pending.erase(log.pending.begin());
  }
  for (const Batch& batch : batches) {
    const auto* records = std::get_if<std::vector<CoordinatorRecord>>(&batch.data->records);
    if (records == nullptr) continue;
    PendingWrite* uncommitted = nullptr;
    if (batch.end_offset() > high_watermark) {
      uncommitted = &log.pending.emplace_back();
      uncommitted->end_offset = batch.end_offset();
    }
    for (const CoordinatorRecord& record : *records) {
      std::visit(Overloaded{
                     [&](const OffsetCommitRecord& one) { replay(partition, one, uncommitted); },
                     [&](const GroupMetadataRecord& one) { replay(partition, one); },
                 },
                 record);
    }
  }
}

void GroupCoordinator::replay(std::int32_t partition, const OffsetCommitRecord& record,
                              PendingWrite* uncommitted) {
  const auto known = slots_.find(record.group);
  const StoredOffset value{record.offset, record.leader_epoch, record.commit_timestamp_ms};
  if (known == slots_.end() && !value.exists()) return;
  ClassicGroup& group = known != slots_.end() ? groups_[known->second] : make_group(record.group, partition);
  group.offsets.write(record.tp, value);
  if (uncommitted != nullptr) {
    uncommitted->offsets.push_back(OffsetChange{GroupRef{group.slot, group.uid}, record.tp, value});
  } else {
    group.offsets.commit(record.tp, value);
    if (!value.exists()) group.offsets.drop_absent();
  }
}

void GroupCoordinator::replay(std::int32_t partition, const GroupMetadataRecord& record) {
  const auto known = slots_.find(record.group);
  if (record.tombstone) {
    if (known != slots_.end()) erase_group(groups_[known->second]);
    return;
  }
  ClassicGroup& group = known != slots_.end() ? groups_[known->second] : make_group(record.group, partition);
  group.restore(record);
  for (GroupMember& member : group.members) member.serial = next_serial_++;
}

}  // namespace sim::group
