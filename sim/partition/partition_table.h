#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "partition/partition.h"

// The partitions of one broker, dense: each has a small local index, which is what requests, watchers and
// pending writes keep of it. A local index is used again once its partition is gone, so whoever keeps one
// over time keeps the TopicPartition beside it.
namespace sim::partition {

using LocalIndex = std::int32_t;
inline constexpr LocalIndex kNotLocal = -1;

class PartitionTable {
 public:
  LocalIndex find(TopicPartition tp) const {
    if (tp.topic.value() < 0 || tp.partition < 0) return kNotLocal;
    const auto topic = static_cast<std::size_t>(tp.topic.value());
    const auto partition = static_cast<std::size_t>(tp.partition);
    if (topic >= by_topic_.size() || partition >= by_topic_[topic].size()) return kNotLocal;
    return by_topic_[topic][partition];
  }
  // Null if it is no longer there.
  Partition* get(LocalIndex local, TopicPartition tp) {
    if (local == kNotLocal || !slots_[static_cast<std::size_t>(local)]) return nullptr;
    Partition& partition = at(local);
    return partition.tp() == tp ? &partition : nullptr;
  }
  Partition& at(LocalIndex local) { return *slots_[static_cast<std::size_t>(local)]; }
  const Partition& at(LocalIndex local) const { return *slots_[static_cast<std::size_t>(local)]; }

  // Local indices lie below it.
  LocalIndex size() const { return static_cast<LocalIndex>(slots_.size()); }
  bool occupied(LocalIndex local) const { return slots_[static_cast<std::size_t>(local)].has_value(); }

  // REQUIRES: find(partition.tp()) == kNotLocal
  LocalIndex add(Partition partition) {
    const TopicPartition tp = partition.tp();
    LocalIndex local = size();
    if (free_.empty()) {
      slots_.emplace_back(std::move(partition));
    } else {
      local = free_.back();
      free_.pop_back();
      slots_[static_cast<std::size_t>(local)] = std::move(partition);
    }
    const auto topic = static_cast<std::size_t>(tp.topic.value());
    const auto index = static_cast<std::size_t>(tp.partition);
    if (topic >= by_topic_.size()) by_topic_.resize(topic + 1);
    if (index >= by_topic_[topic].size()) by_topic_[topic].resize(index + 1, kNotLocal);
    by_topic_[topic][index] = local;
    return local;
  }

  void remove(LocalIndex local) {
    const TopicPartition tp = at(local).tp();
    by_topic_[static_cast<std::size_t>(tp.topic.value())][static_cast<std::size_t>(tp.partition)] = kNotLocal;
    slots_[static_cast<std::size_t>(local)].reset();
    free_.push_back(local);
  }

  // Of one topic, by partition number; kNotLocal where it is not here.
  const std::vector<LocalIndex>& of_topic(TopicId topic) const {
    static const std::vector<LocalIndex> kNone;
    const auto index = static_cast<std::size_t>(topic.value());
    return topic.value() >= 0 && index < by_topic_.size() ? by_topic_[index] : kNone;
  }

 private:
  std::vector<std::optional<Partition>> slots_;
  std::vector<LocalIndex> free_;
  std::vector<std::vector<LocalIndex>> by_topic_;
};

}  // namespace sim::partition
