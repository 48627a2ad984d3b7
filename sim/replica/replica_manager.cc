#include "replica/replica_manager.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"

namespace sim::replica {

ReplicaManager::ReplicaManager(ProcessId self, NodeId id, const BrokerConfig& config,
                               const node::DurableImage& image)
    : self_(self),
      id_(id),
      found_(image.logs),
      sessions_(config.max_incremental_fetch_session_cache_slots),
      client_quotas_(config),
      leader_quota_(ReplicationQuota::Side::leader, config),
      follower_quota_(ReplicationQuota::Side::follower, config),
      alter_partition_(self),
      directories_(self, config.log_dirs, image.failed_directories, image.replaced),
      assignments_(self),
      isr_timer_(timer_of(Task::shrink_isrs), from_millis(config.replica_lag_time_max_ms / 2)),
      checkpoint_timer_(timer_of(Task::checkpoint_high_watermarks),
                        period_of_millis(config.replica_high_watermark_checkpoint_interval_ms)),
      retention_(config),
      flusher_(config),
      cleaner_timer_(timer_of(Task::clean), period_of_millis(config.log_cleaner_backoff_ms)),
      producer_expiry_timer_(timer_of(Task::expire_producers),
                             from_millis(config.producer_id_expiration_check_interval_ms)) {
  const auto metadata = found_.find(kClusterMetadata);
  if (metadata == found_.end()) return;
  was_shut_down_cleanly_ = metadata->second.clean_shutdown != kNoBrokerEpoch;
  found_.erase(metadata);
  leave_out_failed_directories();
}

const Partition* ReplicaManager::partition(TopicPartition tp) const {
  const LocalIndex local = table_.find(tp);
  return local == kNotLocal ? nullptr : &table_.at(local);
}

// getPartitionOrError, for a partition that is not here.
ErrorCode ReplicaManager::missing(TopicPartition tp, const Context& context) const {
  if (directories_.is_offline(tp)) return ErrorCode::kafka_storage_error;
  const bool exists = context.image.partition(tp) != nullptr;
  return exists ? ErrorCode::not_leader_or_follower : ErrorCode::unknown_topic_or_partition;
}

// KIP-951: what this broker knows of who leads instead.
LeaderHint ReplicaManager::leader_hint(TopicPartition tp, const Context& context) const {
  LeaderHint hint;
  if (const Partition* here = partition(tp)) {
    hint.leader = here->leader();
    hint.leader_epoch = here->leader_epoch();
  } else if (const metadata::PartitionRegistration* registration = context.image.partition(tp)) {
    hint.leader = registration->leader;
    hint.leader_epoch = registration->leader_epoch;
  }
  const metadata::BrokerRegistration* leader = context.image.broker(hint.leader);
  if (leader != nullptr && !leader->fenced) hint.endpoint = leader->endpoint;
  return hint;
}

// ---- Metadata (ReplicaManager.applyDelta)

void ReplicaManager::apply(const metadata::MetadataDelta& delta, const Context& context) {
  for (const TopicId topic : delta.removed_topics) remove_topic(topic, context);
  std::vector<TopicPartition> leaders;
  std::vector<TopicPartition> followers;
  for (const TopicPartition tp : delta.partitions) {
    const metadata::PartitionRegistration* registration = context.image.partition(tp);
    if (registration == nullptr) continue;
    const auto& replicas = registration->replicas;
    if (std::find(replicas.begin(), replicas.end(), id_) == replicas.end()) {
      directories_.forget_offline(tp);
      if (const LocalIndex local = table_.find(tp); local != kNotLocal) remove(local, context);
    } else {
      (registration->leader == id_ ? leaders : followers).push_back(tp);
    }
  }
  for (const TopicPartition tp : leaders) make_leader(tp, *context.image.partition(tp), context);
  if (!noted_epochs_.empty()) write(std::exchange(noted_epochs_, {}), context);
  for (const TopicPartition tp : followers) make_follower(tp, *context.image.partition(tp), context);
  for (ReplicaFetcher& fetcher : fetchers_) fetcher.close_if_idle(context);
  for (const TopicId topic : delta.configs) {
    for (const LocalIndex local : table_.of_topic(topic)) {
      if (local == kNotLocal) continue;
      table_.at(local).set_config(context.image.topic(topic)->config);
      retention_.note(table_.at(local), context);
      note_for_cleaner(table_.at(local), context);
    }
  }
  // Fenced, unfenced or restarted brokers: their fetches may now be refused, or bring them into an ISR.
  if (!delta.brokers.empty()) sessions_.list_everything();
}

LocalIndex ReplicaManager::find_or_create(TopicPartition tp, const Context& context) {
  const LocalIndex local = table_.find(tp);
  if (local != kNotLocal) return local;
  const auto found = found_.find(tp);
  const bool is_new = found == found_.end();
  LocalIndex added = kNotLocal;
  if (directories_.are_several()) {
    added = open_in_directory(tp, context);
  } else {
    added = table_.add(Partition(tp, is_new ? log::LogImage{} : found->second));
    if (!is_new) found_.erase(found);
  }
  if (is_new || added == kNotLocal) return added;
  const Partition& partition = table_.at(added);
  node::report(context.out, observe::ReplicaOpened{tp, id_, partition.log_start_offset(),
                                                   partition.log_end_offset(), partition.high_watermark()});
  return added;
}

void ReplicaManager::remove_topic(TopicId topic, const Context& context) {
  directories_.forget_offline(topic);
  const std::vector<LocalIndex> locals = table_.of_topic(topic);
  for (const LocalIndex local : locals) {
    if (local != kNotLocal) remove(local, context);
  }
}

void ReplicaManager::remove(LocalIndex local, const Context& context) {
  const TopicPartition tp = table_.at(local).tp();
  stop_fetcher(local);
  wake_all(local);
  sessions_.forget(local);
  std::vector<AppendOutcome> failed;
  produces_.fail_all(local, missing(tp, context), deadlines_, failed);
  for (AppendOutcome& outcome : failed) answer(outcome, -1, context);
  resign(local);
  context.out.emplace_back(node::Persist{next_write(), {log::DeleteLog{tp}}, node::Safety::written});
  std::erase(to_follow_, local);
  directories_.remove(local);
  table_.remove(local);
  node::report(context.out, observe::LogDeleted{tp, id_});
}

void ReplicaManager::make_leader(TopicPartition tp, const metadata::PartitionRegistration& registration,
                                 const Context& context) {
  const LocalIndex local = find_or_create(tp, context);
  if (local == kNotLocal) return;
  tell_directory(local, registration, context);
  stop_fetcher(local);
  Partition& partition = table_.at(local);
  const auto transition = partition.become_leader(registration, *context.image.topic(tp.topic), context);
  if (!transition) return;
  for (const FetchWatcher& watcher : sessions_.watchers(local))
    sessions_.list(watcher.session, watcher.partition);
  // That of an empty log is noted with its first batch.
  if (transition->new_leader_epoch && partition.log().next_offset() > 0) {
    const log::EpochStart& epoch = partition.log().epochs().back();
    noted_epochs_.emplace_back(log::NoteLeaderEpoch{tp, epoch.leader_epoch, epoch.start_offset});
  }
  if (transition->high_watermark_advanced) high_watermark_changed(local, context);
  if (produces_.is_waiting(local)) to_check_.push_back(local);
  if (partition.has_lagging_isr()) isr_timer_.arm(context.now(), context.out);
  retention_.note(partition, context);
  note_for_cleaner(partition, context);
  if (partition.is_internal() && transition->new_leader_epoch) {
    std::erase(to_elect_, local);
    to_elect_.push_back(local);
  }
}

void ReplicaManager::make_follower(TopicPartition tp, const metadata::PartitionRegistration& registration,
                                   const Context& context) {
  const LocalIndex local = find_or_create(tp, context);
  if (local == kNotLocal) return;
  tell_directory(local, registration, context);
  Partition& partition = table_.at(local);
  const auto transition = partition.become_follower(registration, *context.image.topic(tp.topic), context);
  if (!transition) return;
  retention_.note(partition, context);
  note_for_cleaner(partition, context);
  const auto& isr = registration.isr;
  const bool in_isr = std::find(isr.begin(), isr.end(), id_) != isr.end();
  const bool is_let_go = in_controlled_shutdown_ && (registration.leader == kNoNode || !in_isr);
  if (is_let_go || transition->new_leader_epoch || transition->was_leader) {
    stop_fetcher(local);
    if (!is_let_go && context.image.broker(partition.leader()) != nullptr) to_follow_.push_back(local);
    wake_all(local);
    if (produces_.is_waiting(local)) to_check_.push_back(local);
  }
  resign(local);
}

void ReplicaManager::resign(LocalIndex local) {
  const Partition& partition = table_.at(local);
  if (!partition.is_internal()) return;
  std::erase(to_elect_, local);
  events_.emplace_back(Resigned{partition.tp()});
}

// ---- Writes

void ReplicaManager::perform(PendingAppend& done, const Context& context) {
  for (PlacedBatch& placed : done.batches) {
    if (!append(placed, context)) has_no_place(placed, done);
  }
  if (is_closing_) return;
  std::visit(Overloaded{
                 [&](ProducedAppend& produced) { appended(produced, context); },
                 [&](const FetchedAppend& fetched) {
                   ReplicaFetcher::Work work;
                   fetchers_[fetched.fetcher].set_throttled(follower_quota_.is_exceeded(context));
                   fetchers_[fetched.fetcher].written(table_, context, work);
                   carry_out(fetched.fetcher, work, context);
                 },
             },
             done.then);
}

// Kafka appends under a lock, and a request that comes after the change of roles finds no leader here.
void ReplicaManager::has_no_place(const PlacedBatch& placed, PendingAppend& append) {
  auto* produced = std::get_if<ProducedAppend>(&append.then);
  if (produced == nullptr) return;
  ProducePurgatory::Operation& operation = produced->operation;
  for (std::size_t i = 0; i < operation.required.size(); ++i) {
    ProduceResponse::Partition& answer = operation.outcome.partitions[i];
    if (answer.tp != placed.tp || operation.required[i] == kNoOffset) continue;
    operation.required[i] = kNoOffset;
    answer.error = ErrorCode::not_leader_or_follower;
    answer.base_offset = kNoOffset;
  }
}

bool ReplicaManager::append(PlacedBatch& placed, const Context& context) {
  Partition* partition = table_.get(placed.local, placed.tp);
  if (partition == nullptr || partition->truncations() != placed.truncations) return false;
  log_end_will_advance(placed.local);
  const bool was_empty = partition->log_start_offset() == partition->log_end_offset();
  if (placed.batch.data->producer_id != kNoProducerId) producer_expiry_timer_.arm(context.now(), context.out);
  if (partition->append(std::move(placed.batch), placed.as_leader, context))
    high_watermark_changed(placed.local, context);
  if (partition->has_lagging_isr()) isr_timer_.arm(context.now(), context.out);
  flusher_.appended(placed.local, *partition, context);
  if (LogRetention::concerns(*partition, was_empty)) retention_.note(*partition, context);
  if (const auto base_offset = partition->take_rolled_segment()) {
    flush_below(placed.local, *base_offset, context);
    note_for_cleaner(*partition, context);
  }
  return true;
}

void ReplicaManager::high_watermark_changed(LocalIndex local, const Context& context) {
  for (const FetchWatcher& watcher : sessions_.watchers(local)) {
    sessions_.list(watcher.session, watcher.partition);
    const FetchSession& session = sessions_.at(watcher.session);
    if (session.waiting && !session.from_follower()) woken_.push_back(watcher);
  }
  if (produces_.is_waiting(local)) to_check_.push_back(local);
  if (std::cmp_greater_equal(local, is_to_checkpoint_.size()))
    is_to_checkpoint_.resize(static_cast<std::size_t>(local) + 1, 0);
  if (std::exchange(is_to_checkpoint_[static_cast<std::size_t>(local)], std::uint8_t{1}) == 0) {
    to_checkpoint_.push_back(local);
    checkpoint_timer_.arm(context.now(), context.out);
  }
  const Partition& partition = table_.at(local);
  if (partition.is_internal() && partition.is_leader()) {
    events_.emplace_back(HighWatermarkAdvanced{partition.tp(), partition.high_watermark()});
  }
}

// ---- Timers and the end of a step

// Kafka writes the offsets of all partitions into one file and syncs it; here, those that moved.
void ReplicaManager::checkpoint(const Context& context) {
  checkpoint_timer_.fired();
  std::vector<log::LogWrite> writes;
  for (const LocalIndex local : std::exchange(to_checkpoint_, {})) {
    is_to_checkpoint_[static_cast<std::size_t>(local)] = 0;
    if (!table_.occupied(local)) continue;
    const Partition& partition = table_.at(local);
    writes.emplace_back(log::CheckpointHighWatermark{partition.tp(), partition.high_watermark()});
  }
  if (writes.empty()) return;
  if (context.config.defect == server::PlantedDefect::clean_shutdown_marked_early) {
    writes.emplace_back(log::WriteCleanShutdown{kClusterMetadata, context.broker_epoch});
  }
  context.out.emplace_back(node::Persist{next_write(), std::move(writes), node::Safety::written});
}

void ReplicaManager::expire(const Context& context) {
  DeadlineQueue::Key key = 0;
  while (deadlines_.pop_due(context.now(), key, context.out)) {
    if (key % 2 == 0) {
      AppendOutcome outcome = produces_.expire(key / 2);
      answer(outcome, -1, context);
    } else {
      complete(static_cast<FetchSessions::Slot>(key / 2), context);
    }
  }
}

void ReplicaManager::written(const node::Persisted& done, const Context& context) {
  if (done.failed_directories != 0) writes_failed(done, context);
  if (cleaning_ == done.id) {
    cleaning_.reset();
    clean_filthiest(context);
  }
  persisted(done.id, context);
}

void ReplicaManager::timer_fired(Task task, const Context& context) {
  switch (task) {
    case Task::expire_requests: return expire(context);
    case Task::shrink_isrs: return shrink_isrs(context);
    case Task::checkpoint_high_watermarks: return checkpoint(context);
    case Task::delete_old_segments: return delete_old_segments(context);
    case Task::clean: cleaner_timer_.fired(); return clean_filthiest(context);
    case Task::flush_logs: return flush_dirty_logs(context);
    case Task::checkpoint_recovery_points: return checkpoint_recovery_points(context);
    case Task::expire_producers: return expire_producers(context);
    case Task::retry_verification: return retry_verifications(context);
  }
}

void ReplicaManager::step_alter_partition(node::Input& input, const Context& context) {
  AlterPartitionManager::Answers answers;
  alter_partition_.step(input, context, answers);
  on_isr_answers(answers, context);
}

void ReplicaManager::step_fetcher(node::Input& input, const Context& context) {
  const auto is_meant = [&input](const ReplicaFetcher& one) { return one.is_meant(input); };
  const auto fetcher = std::find_if(fetchers_.begin(), fetchers_.end(), is_meant);
  SIM_CHECK(fetcher != fetchers_.end(), "a fetcher is never taken away");
  ReplicaFetcher::Work work;
  fetcher->set_throttled(follower_quota_.is_exceeded(context));
  fetcher->step(input, table_, context, work);
  carry_out(static_cast<std::uint32_t>(fetcher - fetchers_.begin()), work, context);
}

void ReplicaManager::finish_step(const Context& context) {
  follow(context);
  std::erase_if(to_elect_, [this](LocalIndex local) {
    const Partition& partition = table_.at(local);
    if (partition.has_unwritten()) return false;
    events_.emplace_back(Elected{partition.tp(), partition.leader_epoch()});
    return true;
  });
  std::vector<AppendOutcome> done;
  for (const LocalIndex local : to_check_) {
    if (!table_.occupied(local)) continue;
    const Partition& partition = table_.at(local);
    if (partition.is_leader())
      produces_.check(local, partition, deadlines_, done);
    else
      produces_.fail_all(local, ErrorCode::not_leader_or_follower, deadlines_, done);
  }
  to_check_.clear();
  for (AppendOutcome& outcome : done) answer(outcome, -1, context);
  for (std::size_t i = 0; i < woken_.size(); ++i) {
    const FetchWatcher watcher = woken_[i];
    FetchSession& session = sessions_.at(watcher.session);
    if (!session.waiting || !std::cmp_less(watcher.partition, session.partitions.size()))
      continue;  // answered meanwhile
    FetchedPartition& wanted = session.at(watcher.partition);
    if (wanted.used && consider(session, wanted, context)) complete(watcher.session, context);
  }
  woken_.clear();
}

}  // namespace sim::replica
