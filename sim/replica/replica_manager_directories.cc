#include <algorithm>
#include <utility>

#include "replica/replica_manager.h"

// Log directories: where a new log goes, and what happens when one fails
// (ReplicaManager.handleLogDirFailure). The first directory is not dealt with here: its failure ends the
// process.
namespace sim::replica {

// Logs in a directory that could not be opened are there, but not for us.
void ReplicaManager::leave_out_failed_directories() {
  if (!directories_.are_several()) return;
  std::erase_if(found_, [this](const auto& found) {
    if (directories_.is_online(found.second.directory)) return false;
    directories_.set_offline(found.first);
    return true;
  });
}

// getOrCreateLog: where it was found, where the metadata says, or in the directory with the fewest logs.
// kNotLocal: it cannot be had. REQUIRES: there are several directories, and it is not in the table
LocalIndex ReplicaManager::open_in_directory(TopicPartition tp, const Context& context) {
  if (directories_.is_offline(tp)) return kNotLocal;
  const auto found = found_.find(tp);
  if (found != found_.end()) {
    const std::int32_t directory = found->second.directory;
    const LocalIndex local = table_.add(Partition(tp, found->second));
    found_.erase(found);
    directories_.add(local, directory);
    return local;
  }
  const auto assigned = directories_.find(context.image.partition(tp)->directory(id_));
  const std::int32_t directory = assigned ? *assigned : directories_.next();
  if (!directories_.is_online(directory)) {
    directories_.set_offline(tp);
    return kNotLocal;
  }
  const LocalIndex local = table_.add(Partition(tp, log::LogImage{}));
  directories_.add(local, directory);
  write({log::CreateLog{tp, directory}}, context);
  return local;
}

// maybeUpdateTopicAssignment
void ReplicaManager::tell_directory(LocalIndex local, const metadata::PartitionRegistration& registration,
                                    const Context& context) {
  if (!directories_.are_several() || !context.config.history.failed_log_directories) return;
  const DirectoryId actual = directories_.id(directories_.of(local));
  if (registration.directory(id_) != actual) assignments_.assign(table_.at(local).tp(), actual, context);
}

// Of a write whose time has come. Whoever asked for what was not performed hears KAFKA_STORAGE_ERROR.
void ReplicaManager::writes_failed(const node::Persisted& done, const Context& context) {
  for (std::int32_t d = 0; d < directories_.count(); ++d) {
    if ((done.failed_directories >> d & 1U) != 0 && directories_.is_online(d)) fail_directory(d, context);
  }
  for (PendingAppend& pending : pending_) {
    auto* produced = pending.id == done.id ? std::get_if<ProducedAppend>(&pending.then) : nullptr;
    if (produced == nullptr) continue;
    ProducePurgatory::Operation& operation = produced->operation;
    for (std::size_t i = 0; i < operation.required.size(); ++i) {
      ProduceResponse::Partition& answer = operation.outcome.partitions[i];
      if (operation.required[i] == kNoOffset || !directories_.is_offline(answer.tp)) continue;
      operation.required[i] = kNoOffset;
      answer.error = ErrorCode::kafka_storage_error;
      answer.base_offset = kNoOffset;
    }
  }
}

void ReplicaManager::fail_directory(std::int32_t directory, const Context& context) {
  for (const LocalIndex local : directories_.fail(directory)) take_offline(local, context);
  for (ReplicaFetcher& fetcher : fetchers_) fetcher.close_if_idle(context);
  if (context.config.history.failed_log_directories)
    events_.emplace_back(DirectoryFailed{directories_.id(directory)});
}

// Nothing of it is touched any more, on disk least of all.
void ReplicaManager::take_offline(LocalIndex local, const Context& context) {
  const TopicPartition tp = table_.at(local).tp();
  directories_.set_offline(tp);
  stop_fetcher(local);
  wake_all(local);
  sessions_.forget(local);
  std::vector<AppendOutcome> failed;
  produces_.fail_all(local, ErrorCode::kafka_storage_error, deadlines_, failed);
  for (AppendOutcome& outcome : failed) answer(outcome, -1, context);
  resign(local);
  directories_.remove(local);
  table_.remove(local);
}

}  // namespace sim::replica
