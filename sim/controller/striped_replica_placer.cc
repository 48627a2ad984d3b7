#include "controller/striped_replica_placer.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

namespace sim::controller {
namespace {

// Fisher and Yates, from the end.
template <class T>
void shuffle(std::vector<T>& items, Rng& rng) {
  for (std::size_t i = items.size(); i > 1; --i) {
    const std::uint64_t other = rng.below(i);
    std::swap(items[i - 1], items[other]);
  }
}

// A ring of brokers, each handed out once per turn.
class BrokerList {
 public:
  void add(NodeId broker) { brokers_.push_back(broker); }
  void initialize(Rng& rng) {
    if (brokers_.empty()) return;
    std::sort(brokers_.begin(), brokers_.end());
    offset_ = rng.below(brokers_.size());
  }
  void shuffle_with(Rng& rng) { shuffle(brokers_, rng); }

  // kNoNode: all have been handed out in this turn. A new turn begins one broker further on.
  NodeId next(std::uint64_t turn) {
    if (brokers_.empty()) return kNoNode;
    if (turn_ != turn) {
      turn_ = turn;
      index_ = 0;
      offset_ = (offset_ + 1) % brokers_.size();
    }
    if (index_ >= brokers_.size()) return kNoNode;
    return brokers_[(index_++ + offset_) % brokers_.size()];
  }

 private:
  std::vector<NodeId> brokers_;
  std::size_t index_ = 0;
  std::size_t offset_ = 0;
  std::uint64_t turn_ = 0;
};

struct Rack {
  BrokerList unfenced;
  BrokerList fenced;

  NodeId next(std::uint64_t turn) {
    const NodeId broker = unfenced.next(turn);
    return broker != kNoNode ? broker : fenced.next(turn);
  }
};

// Kafka counts turns from zero again after each shuffle; here they go on, so that no list can take one turn
// for another that had the same number.
class RackList {
 public:
  RackList(const std::vector<UsableBroker>& brokers, Rng& rng) {
    std::map<std::string, Rack> by_name;
    for (const UsableBroker& broker : brokers) {
      Rack& rack = by_name[broker.rack];
      (broker.fenced ? rack.fenced : rack.unfenced).add(broker.id);
      unfenced_brokers_ += broker.fenced ? 0 : 1;
    }
    for (auto& [name, rack] : by_name) {
      rack.fenced.initialize(rng);
      rack.unfenced.initialize(rng);
      racks_.push_back(std::move(rack));
    }
    offset_ = rng.below(racks_.size());
  }

  std::vector<NodeId> place(std::int32_t replication_factor, Rng& rng) {
    if (turns_since_shuffle_ == unfenced_brokers_ && unfenced_brokers_ > 1) {
      shuffle(racks_, rng);
      for (Rack& rack : racks_) {
        rack.fenced.shuffle_with(rng);
        rack.unfenced.shuffle_with(rng);
      }
      turns_since_shuffle_ = 0;
    }
    if (offset_ == racks_.size()) offset_ = 0;
    std::vector<NodeId> replicas;
    std::size_t leader_rack = offset_;
    replicas.push_back(place_leader(leader_rack));
    bool leader_rack_skipped = false;
    std::size_t at = offset_;
    while (replicas.size() < static_cast<std::size_t>(replication_factor)) {
      if (at == leader_rack && !leader_rack_skipped) {
        leader_rack_skipped = true;
      } else if (const NodeId broker = racks_[at].next(turn_); broker != kNoNode) {
        replicas.push_back(broker);
      }
      at = (at + 1) % racks_.size();
    }
    ++turn_;
    ++turns_since_shuffle_;
    ++offset_;
    return replicas;
  }

 private:
  NodeId place_leader(std::size_t& rack) {
    while (true) {
      if (const NodeId broker = racks_[rack].unfenced.next(turn_); broker != kNoNode) return broker;
      rack = (rack + 1) % racks_.size();
    }
  }

  std::vector<Rack> racks_;  // by name, until shuffled
  std::size_t offset_ = 0;   // the rack that comes first
  std::uint64_t turn_ = 0;
  std::size_t turns_since_shuffle_ = 0;
  std::size_t unfenced_brokers_ = 0;
};

}  // namespace

std::optional<ReplicaLists> place_replicas(std::int32_t partitions, std::int32_t replication_factor,
                                           const std::vector<UsableBroker>& brokers, Rng& rng) {
  const bool all_fenced =
      std::all_of(brokers.begin(), brokers.end(), [](const UsableBroker& broker) { return broker.fenced; });
  if (replication_factor <= 0 || all_fenced ||
      static_cast<std::size_t>(replication_factor) > brokers.size()) {
    return std::nullopt;
  }
  RackList racks(brokers, rng);
  ReplicaLists result;
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    result.push_back(racks.place(replication_factor, rng));
  }
  return result;
}

}  // namespace sim::controller
