#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "protocol/ids.h"

// The committed offsets of one group, flat and in order of partition.
//
// Each is known twice, as Kafka's timeline structures know it: as of the last record written, and as of
// the last record that is committed, which is all that a reader may see.
namespace sim::group {

struct StoredOffset {
  Offset offset = kNoOffset;  // the next offset to read; kNoOffset = there is none
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::int64_t commit_timestamp_ms = 0;
  // Counts the records of the shard: of a commit and a transaction's offset the record that is later in the
  // log counts, whenever the transaction ends.
  std::uint64_t record_number = 0;
  bool exists() const { return offset != kNoOffset; }
  bool operator==(const StoredOffset&) const = default;
};

class GroupOffsets {
 public:
  struct Slot {
    TopicPartition tp;
    StoredOffset written;
    StoredOffset committed;
  };

  void write(TopicPartition tp, const StoredOffset& value) { slot(tp).written = value; }
  void commit(TopicPartition tp, const StoredOffset& value) { slot(tp).committed = value; }
  // Back to what is committed.
  void take_back(TopicPartition tp) {
    Slot& found = slot(tp);
    found.written = found.committed;
  }

  StoredOffset written(TopicPartition tp) const {
    const Slot* found = find(tp);
    return found == nullptr ? StoredOffset{} : found->written;
  }
  StoredOffset committed(TopicPartition tp) const {
    const Slot* found = find(tp);
    return found == nullptr ? StoredOffset{} : found->committed;
  }

  const std::vector<Slot>& slots() const { return slots_; }
  bool any_written() const {
    return std::any_of(slots_.begin(), slots_.end(), [](const Slot& one) { return one.written.exists(); });
  }
  // Forgets the partitions whose tombstone is committed.
  void drop_absent() {
    std::erase_if(slots_, [](const Slot& one) { return !one.written.exists() && !one.committed.exists(); });
  }

 private:
  static bool before(const Slot& one, TopicPartition tp) { return one.tp < tp; }

  Slot& slot(TopicPartition tp) {
    const auto it = std::lower_bound(slots_.begin(), slots_.end(), tp, before);
    if (it != slots_.end() && it->tp == tp) return *it;
    return *slots_.insert(it, Slot{tp, {}, {}});
  }
  const Slot* find(TopicPartition tp) const {
    const auto it = std::lower_bound(slots_.begin(), slots_.end(), tp, before);
    return it != slots_.end() && it->tp == tp ? &*it : nullptr;
  }

  std::vector<Slot> slots_;
};

}  // namespace sim::group
