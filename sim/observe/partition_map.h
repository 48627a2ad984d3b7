#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "observe/fact.h"

// What a fold over observations keeps for each partition, and how partitions are called.
namespace sim::observe {

// A T for every partition of every topic seen so far, found in constant time because topic ids and
// partition numbers are dense. Walked by topic, then partition.
template <class T>
class PartitionMap {
 public:
  T& operator[](TopicPartition tp) {
    const auto topic = static_cast<std::size_t>(tp.topic.value());
    const auto partition = static_cast<std::size_t>(tp.partition);
    if (topic >= topics_.size()) topics_.resize(topic + 1);
    if (partition >= topics_[topic].size()) topics_[topic].resize(partition + 1);
    return topics_[topic][partition];
  }

  // Null if nothing was ever kept for it.
  const T* find(TopicPartition tp) const {
    const auto topic = static_cast<std::size_t>(tp.topic.value());
    const auto partition = static_cast<std::size_t>(tp.partition);
    if (topic >= topics_.size() || partition >= topics_[topic].size()) return nullptr;
    return &topics_[topic][partition];
  }
  T* find(TopicPartition tp) { return const_cast<T*>(static_cast<const PartitionMap*>(this)->find(tp)); }

  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t topic = 0; topic < topics_.size(); ++topic) {
      for (std::size_t partition = 0; partition < topics_[topic].size(); ++partition) {
        const TopicPartition tp{TopicId{static_cast<std::int32_t>(topic)},
                                static_cast<std::int32_t>(partition)};
        visit(tp, topics_[topic][partition]);
      }
    }
  }

 private:
  std::vector<std::vector<T>> topics_;
};

// The names of topics, learnt from TopicCreated. One that was never announced is called by its id.
class TopicNames {
 public:
  void on(const TopicCreated& created) {
    const auto id = static_cast<std::size_t>(created.id.value());
    if (id >= names_.size()) names_.resize(id + 1);
    names_[id] = created.name;
  }

  bool knows(TopicId id) const {
    const auto index = static_cast<std::size_t>(id.value());
    return id.value() >= 0 && index < names_.size() && !names_[index].empty();
  }

  std::string operator[](TopicId id) const {
    if (knows(id)) return names_[static_cast<std::size_t>(id.value())];
    if (id == kClusterMetadataTopic) return "__cluster_metadata";
    return "topic-" + std::to_string(id.value());
  }
  std::string operator[](TopicPartition tp) const {
    return (*this)[tp.topic] + "-" + std::to_string(tp.partition);
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace sim::observe
