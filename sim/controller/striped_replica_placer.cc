#include "controller/striped_replica_placer.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <utility>

namespace sim::controller {
namespace {

// java.util.Collections.shuffle: Fisher and Yates, from the end.
template <class T>
void shuffle(std::vector<T>& items, const DrawBelow& draw) {
  for (std::size_t i = items.size(); i > 1; --i) {
    const std::size_t other = draw(i);
    std::swap(items[i - 1], items[other]);
  }
}

// A ring of brokers, each handed out once per turn.
class BrokerList {
 public:
  void add(NodeId broker) { brokers_.push_back(broker); }
  void initialize(const DrawBelow& draw) {
    if (brokers_.empty()) return;
    std::sort(brokers_.begin(), brokers_.end());
    offset_ = draw(brokers_.size());
  }
  void shuffle_with(const DrawBelow& draw) { shuffle(brokers_, draw); }

  // kNoNode: all have been handed out in this turn. A new turn begins one broker further on. Turns are known
  // by their number alone: one that has the number of the list's last turn goes on where that one ended.
  NodeId next(std::size_t turn) {
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
  std::size_t turn_ = 0;
};

struct Rack {
  BrokerList unfenced;
  BrokerList fenced;

  NodeId next(std::size_t turn) {
    const NodeId broker = unfenced.next(turn);
    return broker != kNoNode ? broker : fenced.next(turn);
  }
};

class RackList {
 public:
  RackList(const std::vector<UsableBroker>& brokers, const DrawBelow& draw) {
    std::map<std::string, Rack> by_name;
    for (const UsableBroker& broker : brokers) {
      Rack& rack = by_name[broker.rack];
      (broker.fenced ? rack.fenced : rack.unfenced).add(broker.id);
      unfenced_brokers_ += broker.fenced ? 0 : 1;
    }
    for (auto& [name, rack] : by_name) {
      rack.fenced.initialize(draw);
      rack.unfenced.initialize(draw);
      racks_.push_back(std::move(rack));
    }
    order_.resize(racks_.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    offset_ = draw(racks_.size());
  }

  std::vector<NodeId> place(std::int32_t replication_factor, const DrawBelow& draw) {
    // Turns are counted from 0 again. Whatever is asked for can still be found: the lists of the turn before
    // held as many brokers, an unfenced one among them, and that turn's number was not 0.
    if (turn_ == unfenced_brokers_ && unfenced_brokers_ > 1) {
      shuffle(order_, draw);
      for (Rack& rack : racks_) {
        rack.fenced.shuffle_with(draw);
        rack.unfenced.shuffle_with(draw);
      }
      turn_ = 0;
    }
    if (offset_ == order_.size()) offset_ = 0;
    std::vector<NodeId> replicas;
    std::size_t leader_rack = offset_;
    replicas.push_back(place_leader(leader_rack));
    bool leader_rack_skipped = false;
    std::size_t at = offset_;
    while (replicas.size() < static_cast<std::size_t>(replication_factor)) {
      if (at == leader_rack && !leader_rack_skipped) {
        leader_rack_skipped = true;
      } else if (const NodeId broker = racks_[order_[at]].next(turn_); broker != kNoNode) {
        replicas.push_back(broker);
      }
      at = (at + 1) % order_.size();
    }
    ++turn_;
    ++offset_;
    return replicas;
  }

 private:
  NodeId place_leader(std::size_t& rack) {
    while (true) {
      if (const NodeId broker = racks_[order_[rack]].unfenced.next(turn_); broker != kNoNode) return broker;
      rack = (rack + 1) % order_.size();
    }
  }

  std::vector<Rack> racks_;         // by name
  std::vector<std::size_t> order_;  // in which they are walked: by name, until shuffled
  std::size_t offset_ = 0;          // in `order_`: the rack that comes first
  std::size_t turn_ = 0;
  std::size_t unfenced_brokers_ = 0;
};

}  // namespace

std::optional<ReplicaLists> place_replicas(std::int32_t partitions, std::int32_t replication_factor,
                                           const std::vector<UsableBroker>& brokers, const DrawBelow& draw) {
  const bool all_fenced =
      std::all_of(brokers.begin(), brokers.end(), [](const UsableBroker& broker) { return broker.fenced; });
  if (replication_factor <= 0 || all_fenced ||
      static_cast<std::size_t>(replication_factor) > brokers.size()) {
    return std::nullopt;
  }
  RackList racks(brokers, draw);
  ReplicaLists result;
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    result.push_back(racks.place(replication_factor, draw));
  }
  return result;
}

std::optional<ReplicaLists> place_replicas(std::int32_t partitions, std::int32_t replication_factor,
                                           const std::vector<UsableBroker>& brokers, Rng& rng) {
  return place_replicas(partitions, replication_factor, brokers,
                        [&rng](std::size_t bound) { return static_cast<std::size_t>(rng.below(bound)); });
}

}  // namespace sim::controller
