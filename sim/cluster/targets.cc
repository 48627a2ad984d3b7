#include "cluster/targets.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/overloaded.h"
#include "fault/print_target.h"

namespace sim::cluster {
namespace {

class Resolver {
 public:
  Resolver(const Situation& situation, Rng& rng) : situation_(situation), rng_(rng) {}

  // A rack or a pool may be empty; of all else somebody is meant.
  void add(const fault::Target& target) {
    is_found_ = false;
    player_ = kNoProcess;
    std::visit([this](const auto& one) { add(one); }, target);
    const bool is_many =
        std::holds_alternative<fault::RackTarget>(target) || std::holds_alternative<fault::AllOf>(target);
    if (!is_found_ && !is_many) result_.missed.push_back({fault::print_target(target), player_});
  }
  Resolution take() { return std::move(result_); }

 private:
  void add(ProcessId process) {
    is_found_ = true;
    std::vector<ProcessId>& found = result_.processes;
    if (std::find(found.begin(), found.end(), process) == found.end()) found.push_back(process);
  }
  template <class Is>
  void add_each(const Is& is) {
    const auto& specs = situation_.processes.specs;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (is(specs[i])) add(ProcessId{static_cast<std::int32_t>(i)});
    }
  }
  // The process that is this node, if it is up.
  template <class Is>
  void add_player(NodeId node, const Is& is) {
    if (node == kNoNode) return;
    const auto& specs = situation_.processes.specs;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (is(specs[i]) != node) continue;
      player_ = ProcessId{static_cast<std::int32_t>(i)};
      if (situation_.up[i]) add(player_);
    }
  }
  void add_broker_of_role(NodeId node) {
    add_player(node, [](const ProcessSpec& spec) { return spec.broker; });
  }

  // The controllers that are not active, in the order of their numbers, from 1.
  void add_standby(std::int32_t ordinal) {
    const NodeId active = situation_.roles.active_controller();
    add_each([&](const ProcessSpec& spec) {
      return spec.controller != kNoNode && spec.controller != active && --ordinal == 0;
    });
  }

  void add(const fault::BrokerTarget& target) {
    add_each([&](const ProcessSpec& spec) { return spec.broker == target.id; });
  }
  void add(const fault::ControllerTarget& target) {
    add_each([&](const ProcessSpec& spec) { return spec.controller == target.id; });
  }
  void add(const fault::RackTarget& target) {
    add_each([&](const ProcessSpec& spec) {
      return situation_.processes.machines[static_cast<std::size_t>(spec.machine)].rack == target.rack;
    });
  }
  void add(const fault::ActiveController&) {
    add_player(situation_.roles.active_controller(), [](const ProcessSpec& spec) { return spec.controller; });
  }
  void add(const fault::LeaderOf& target) {
    if (target.topic == fault::kMetadataTopic) return add(fault::ActiveController{});
    const auto topic = situation_.roles.topic(target.topic);
    if (topic) add_broker_of_role(situation_.roles.leader({*topic, target.partition}));
  }
  void add(const fault::FollowerOf& target) {
    if (target.topic == fault::kMetadataTopic) return add_standby(target.ordinal);
    const auto topic = situation_.roles.topic(target.topic);
    if (!topic) return;
    const std::vector<NodeId> followers = situation_.roles.followers({*topic, target.partition});
    const auto index = static_cast<std::size_t>(target.ordinal) - 1;
    if (index < followers.size()) add_broker_of_role(followers[index]);
  }
  void add(const fault::CoordinatorOf& target) {
    const auto partition = situation_.roles.coordinator_partition(group_id(target.group));
    if (partition) add_broker_of_role(situation_.roles.leader(*partition));
  }
  void add(const fault::ClientTarget& target) {
    add_each([&](const ProcessSpec& spec) {
      return spec.application == target.name && (!target.member || spec.member == *target.member);
    });
  }
  void add(const fault::AllOf& target) {
    for (const ProcessId process : pool_of(target.pool, situation_.processes)) add(process);
  }
  void add(const fault::RandomOf& target) {
    std::vector<ProcessId> pool = pool_of(target.pool, situation_.processes);
    std::erase_if(pool, [&](ProcessId id) { return !situation_.up[static_cast<std::size_t>(id.value())]; });
    for (std::int32_t drawn = 0; drawn < target.count && !pool.empty(); ++drawn) {
      const auto index = static_cast<std::ptrdiff_t>(rng_.below(pool.size()));
      add(pool[static_cast<std::size_t>(index)]);
      pool.erase(pool.begin() + index);
    }
  }

  void add(const fault::FixedTarget& target) {
    const auto found = situation_.fixed.find(target.name);
    if (found == situation_.fixed.end()) return;
    for (const ProcessId process : found->second) add(process);
  }

  // A group is also known by the name of its service.
  const std::string& group_id(const std::string& name) const {
    const observe::Names& names = situation_.processes.names;
    if (std::find(names.groups.begin(), names.groups.end(), name) != names.groups.end()) return name;
    const auto service = std::find(names.services.begin(), names.services.end(), name);
    if (service == names.services.end()) return name;
    return names.groups[static_cast<std::size_t>(service - names.services.begin())];
  }

  const Situation& situation_;
  Rng& rng_;
  Resolution result_;
  // Of the target that is being looked at
  bool is_found_ = false;
  ProcessId player_ = kNoProcess;
};

}  // namespace

Resolution resolve(const fault::Targets& targets, const Situation& situation, Rng& rng) {
  Resolver resolver(situation, rng);
  for (const fault::Target& target : targets) resolver.add(target);
  return resolver.take();
}

std::vector<ProcessId> pool_of(fault::Pool pool, const Processes& processes) {
  std::vector<ProcessId> members;
  for (std::size_t i = 0; i < processes.specs.size(); ++i) {
    const ProcessSpec& spec = processes.specs[i];
    const bool is_member = pool == fault::Pool::brokers       ? spec.broker != kNoNode
                           : pool == fault::Pool::controllers ? spec.controller != kNoNode
                                                              : !spec.application.empty();
    if (is_member) members.push_back(ProcessId{static_cast<std::int32_t>(i)});
  }
  return members;
}

}  // namespace sim::cluster
