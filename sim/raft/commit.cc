// The log of a replica: writes, the high watermark, what its owner is told of, snapshots.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "raft/replica.h"

namespace sim::raft {

void Replica::persist(std::vector<log::LogWrite> writes, node::Safety safety, Step& step) {
  const node::PersistId write = next_write();
  step.out.emplace_back(node::Persist{write, std::move(writes), safety, node::Waits::own_thread});
  blocked_on_ = write;
}

void Replica::append_batch(BatchDataPtr data, Step& step, std::vector<log::LogWrite>& writes) {
  Batch batch = log_.append_as_leader(std::move(data), leader_epoch(epoch()));
  node::report(step.out, observe::MetadataAppended{id(), batch});
  if (batch.data->control) check_voters(step);
  writes.emplace_back(log::AppendBatch{kClusterMetadata, std::move(batch)});
}

void Replica::append_control(std::vector<ControlRecord> records, Leader& role, Step& step) {
  accumulator_.append_control(std::move(records), step.now());
  drain(role, step);
}

// LeaderState.maybeUpdateHighWatermark: what a majority holds, once that reaches into this epoch (Raft,
// section 5.4.2).
bool Replica::maybe_advance_high_watermark(Leader& leader, Step& step) {
  if (blocked_on_) return false;  // its own end counts when flushed
  const VoterSet& voters = log_.voters();
  if (voters.size() == 0) return false;
  std::vector<Offset>& ends = ends_;
  ends.clear();
  for (const QuorumVoter& voter : voters.all()) {
    if (voter.key.id == id()) {
      ends.push_back(log_.end_offset());
      if (spec_.defect == PlantedDefect::leader_counts_itself_twice) ends.push_back(log_.end_offset());
      continue;
    }
    const Leader::Progress* held = leader.find(voter.key);
    ends.push_back(held == nullptr ? kNoOffset : held->end_offset.value_or(kNoOffset));
  }
  std::sort(ends.begin(), ends.end(), std::greater<>());
  const Offset candidate = ends[voters.size() / 2];
  const bool any_epoch_will_do = spec_.defect == PlantedDefect::high_watermark_of_old_epoch;
  const Offset floor = any_epoch_will_do ? 0 : leader.epoch_start;
  if (candidate <= floor || (leader.high_watermark && candidate <= *leader.high_watermark)) return false;
  leader.high_watermark = candidate;
  advance_high_watermark(candidate, step);
  voter_change_committed(leader, step);
  // Who is parked knows an older one (KIP-1166).
  if (spec_.history.fetch_high_watermark) release_parked(leader, true, step);
  return true;
}

void Replica::advance_high_watermark(Offset to, Step& step) {
  const Offset from = high_watermark_.value_or(0);
  if (to <= from) return;
  high_watermark_ = to;
  node::report(step.out, observe::MetadataCommitted{id(), epoch(), is_leader(), from, to});
}

// Committed batches in their order; a leader hears that it leads after all that came before its epoch.
void Replica::hand_out_committed(Step& step) {
  if (!high_watermark_) return;
  const MetadataSnapshotPtr snapshot = log_.latest_snapshot();
  const bool begins = handed_out_ == kNoOffset;
  if (snapshot != nullptr && (begins || handed_out_ < log_.start_offset())) {
    handed_out_ = snapshot->id.end_offset;
    step.events.emplace_back(SnapshotLoaded{snapshot});
  } else if (begins) {
    handed_out_ = log_.start_offset();
  }
  if (handed_out_ < *high_watermark_) {
    Committed committed;
    committed.batches = log_.read(handed_out_, std::min(*high_watermark_, log_.end_offset()),
                                  std::numeric_limits<std::int64_t>::max());
    if (!committed.batches.empty()) {
      handed_out_ = committed.batches.back().end_offset();
      step.events.emplace_back(std::move(committed));
    }
  }
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || leader->announced || !leader->high_watermark || handed_out_ <= leader->epoch_start)
    return;
  leader->announced = true;
  announced_epoch_ = epoch();
  announced_leader_ = id();
  step.events.emplace_back(LeaderChanged{epoch(), id(), spec_.process});
  step.events.emplace_back(LeadershipWon{epoch()});
}

void Replica::take_snapshot(MetadataSnapshotPtr snapshot, node::Env, node::Effects& out) {
  SIM_CHECK(snapshot->id.end_offset <= high_watermark(), "only what is committed goes into a snapshot");
  const node::PersistId write = next_write();
  out.emplace_back(node::Persist{write,
                                 {log::WriteSnapshot{kClusterMetadata, snapshot}},
                                 node::Safety::flushed,
                                 node::Waits::own_thread});
  snapshots_being_written_.emplace_back(write, std::move(snapshot));
}

// RaftMetadataLogCleanerManager, as long as there is a snapshot.
void Replica::maybe_clean(Step& step) {
  if (!clean_at_) {
    if (log_.latest_snapshot() == nullptr) return;
    clean_at_ = step.now() + spec_.config.clean_interval;
  }
  if (step.now() >= *clean_at_ && !blocked_on_) {
    clean_at_ = step.now() + spec_.config.clean_interval;
    const std::int64_t expired_before_ms = millis((step.now() - spec_.config.retention).time_since_epoch());
    if (const auto start = log_.cleanable(spec_.config.retention_bytes, expired_before_ms)) {
      log_.clean(*start);
      persist({log::CleanLog{kClusterMetadata, *start}}, node::Safety::written, step);
    }
  }
  need_poll_at(*clean_at_);
}

}  // namespace sim::raft
