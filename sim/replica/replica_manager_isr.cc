#include "replica/replica_manager.h"

// The ISRs of the partitions that are led here: changes on their way to the controller, and who falls behind.
namespace sim::replica {

void ReplicaManager::submit(const IsrChange& change, const Context& context) {
  if (!alter_partition_.submit(change, context)) {
    table_.at(table_.find(change.request.tp)).isr_not_attempted(change.change, context);
    node::report(context.out, observe::IsrProposalDropped{change.request.tp, id_});
  }
}

void ReplicaManager::on_isr_answers(AlterPartitionManager::Answers& answers, const Context& context) {
  for (const AlterPartitionManager::Answer& answer : answers) {
    const LocalIndex local = table_.find(answer.tp);
    if (local == kNotLocal) continue;
    Partition& partition = table_.at(local);
    const Partition::IsrAnswer result =
        partition.isr_answered(answer.change.change, answer.partition, context);
    if (result.retry) submit(answer.change, context);
    if (result.high_watermark_advanced) high_watermark_changed(local, context);
    // Whoever is now in or out of the ISR is followed in another way.
    for (const FetchWatcher& watcher : sessions_.watchers(local))
      sessions_.list(watcher.session, watcher.partition);
    if (partition.has_lagging_isr()) isr_timer_.arm(context.now(), context.out);
  }
  alter_partition_.propagate(context);
}

void ReplicaManager::shrink_isrs(const Context& context) {
  isr_timer_.fired();
  bool lagging = false;
  for (LocalIndex local = 0; local < table_.size(); ++local) {
    if (!table_.occupied(local)) continue;
    Partition& partition = table_.at(local);
    if (!partition.has_lagging_isr()) continue;
    lagging = true;
    if (const auto change = partition.shrink_isr(context)) submit(*change, context);
  }
  if (lagging) isr_timer_.arm(context.now(), context.out);
}

}  // namespace sim::replica
