#include <algorithm>
#include <utility>

#include "protocol/java_hash.h"
#include "replica/replica_manager.h"

// Following other brokers: which fetcher follows what, and what it asks to be done (AbstractFetcherManager).
namespace sim::replica {

void ReplicaManager::stop_fetcher(LocalIndex local) {
  for (ReplicaFetcher& fetcher : fetchers_) fetcher.remove(local, table_.at(local).tp());
  std::erase(to_follow_, local);
}

// Follows from the end of the log, which is known once everything assigned before was written.
void ReplicaManager::start_fetcher(LocalIndex local, const Context& context) {
  const Partition& partition = table_.at(local);
  const metadata::BrokerRegistration* leader = context.image.broker(partition.leader());
  const metadata::TopicImage* topic = context.image.topic(partition.tp().topic);
  if (leader == nullptr || topic == nullptr) return;
  const std::uint32_t hash = 31u * static_cast<std::uint32_t>(java_string_hash(topic->name)) +
                             static_cast<std::uint32_t>(partition.tp().partition);
  const std::int32_t index = java_abs(static_cast<std::int32_t>(hash)) % context.config.num_replica_fetchers;
  ReplicaFetcher& fetcher = fetcher_for(leader->id, leader->endpoint, index, context);
  const History& history = context.config.history;
  // What has no epochs has nothing else to go by.
  if (history.truncation == Truncation::high_watermark || partition.log().latest_epoch() == kNoLeaderEpoch)
    cut_to_high_watermark(local, context);
  fetcher.add(local, table_, history);
}

void ReplicaManager::cut_to_high_watermark(LocalIndex local, const Context& context) {
  Partition& partition = table_.at(local);
  const Offset end = partition.high_watermark();
  if (!partition.truncate_to(end, context)) return;
  context.out.emplace_back(
      node::Persist{next_write(), {log::TruncateLog{partition.tp(), end}}, node::Safety::written});
  wake_all(local);
}

ReplicaFetcher& ReplicaManager::fetcher_for(NodeId source, ProcessId endpoint, std::int32_t index,
                                            const Context& context) {
  for (ReplicaFetcher& fetcher : fetchers_) {
    if (fetcher.source() == source && fetcher.index() == index) return fetcher;
  }
  fetchers_.emplace_back(self_, source, endpoint, index, context.config, fetchers_.size());
  return fetchers_.back();
}

void ReplicaManager::carry_out(std::uint32_t fetcher, ReplicaFetcher::Work& work, const Context& context) {
  for (const LocalIndex local : work.truncated) {
    wake_all(local);
    retention_.note(table_.at(local), context);
  }
  for (const ReplicaFetcher::RaisedStart& one : work.raised) log_start_raised(one.local, one.from, context);
  for (const LocalIndex local : work.high_watermark_changed) {
    const Partition& partition = table_.at(local);
    node::report(context.out,
                 observe::FollowerHighWatermarkAdvanced{partition.tp(), id_, partition.high_watermark()});
    high_watermark_changed(local, context);
  }
  if (work.writes.empty()) return;
  for (const PlacedBatch& placed : work.batches) {
    if (follower_quota_.is_throttled(placed.tp, table_.at(placed.local).config(), context))
      follower_quota_.record(placed.batch.size_bytes(), context);
  }
  PendingAppend pending{next_write(), std::move(work.batches), FetchedAppend{fetcher}};
  add_due_flushes(pending, work.writes);
  context.out.emplace_back(node::Persist{pending.id, std::move(work.writes),
                                         pending.flushes ? node::Safety::flushed : node::Safety::written});
  pending_.push_back(std::move(pending));
}

// Those that may be followed by now; a fetcher's first request then has all of them.
void ReplicaManager::follow(const Context& context) {
  if (to_follow_.empty()) return;
  std::erase_if(to_follow_, [&](LocalIndex local) {
    const bool may = !table_.at(local).has_unwritten();
    if (may) start_fetcher(local, context);
    return may;
  });
  for (std::size_t i = 0; i < fetchers_.size(); ++i) {
    ReplicaFetcher::Work work;
    fetchers_[i].set_throttled(follower_quota_.is_exceeded(context));
    fetchers_[i].resume(table_, context, work);
    carry_out(static_cast<std::uint32_t>(i), work, context);
  }
}

}  // namespace sim::replica
