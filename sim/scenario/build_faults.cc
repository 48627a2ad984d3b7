#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "scenario/distribution.h"
#include "scenario/faults.h"
#include "scenario/property_values.h"
#include "scenario/read_values.h"
#include "scenario/targets.h"
#include "scenario/units.h"

namespace sim::scenario {

namespace {

class FaultBuilder {
 public:
  FaultBuilder(const Value& root, const cluster::ClusterSpec& cluster, Report& report)
      : fixed_names_(fixed_names(root)), cluster_(cluster), report_(report) {}

  fault::Fixed build_fixed(const Entry& entry) {
    ReadFixedTarget read = read_fixed_target(entry.value.text);
    return {entry.key, with_node_id(std::move(*read.target.target)), Instant{} + Duration{read.at_ns}};
  }

  fault::Fault build(const Value& value) {
    fault::Fault fault;
    fault.name = value.at("name").text;
    fault.kind = kind(value);
    fault.at = Instant{} + duration_of(value.at("at"));
    if (const Value* every = value.find("every")) fault.every = duration_of(*every);
    if (const Value* lasts = value.find("for")) fault.lasts = duration_of(*lasts);
    return fault;
  }

 private:
  fault::Kind kind(const Value& value) {
    if (const Value* kill = value.find("kill")) return fault::Kill{targets(kill->at("target"))};
    if (const Value* loss = value.find("powerloss")) {
      return fault::PowerLoss{targets(loss->at("target")),
                              loss->at("tail").text == "torn" ? fault::Tail::torn : fault::Tail::lost};
    }
    if (const Value* wipe = value.find("wipe")) return fault::Wipe{targets(wipe->at("target"))};
    if (const Value* stop = value.find("stop")) {
      fault::Stop kind{targets(stop->at("target"))};
      if (const Value* down = stop->find("down")) kind.down = duration_of(*down);
      return kind;
    }
    if (const Value* restart = value.find("restart")) return fault::Restart{targets(restart->at("target"))};
    if (const Value* pause = value.find("pause")) return fault::Pause{targets(pause->at("target"))};
    if (const Value* cut = value.find("partition")) return partition(*cut);
    if (const Value* delay = value.find("delay")) {
      return fault::Delay{
          wires(*delay), make_distribution(delay->at("by"), UnitKind::duration, 1, report_),
          duration_of(delay->at("jitter")).count(),
          static_cast<std::int32_t>(*read_scalar(delay->at("correlation").text, UnitKind::share).value)};
    }
    if (const Value* loss = value.find("loss")) {
      const std::int64_t rate = *read_scalar(loss->at("rate").text, UnitKind::share).value;
      return fault::Loss{
          wires(*loss), static_cast<std::int32_t>(rate),
          static_cast<std::int32_t>(*read_scalar(loss->at("burst").text, UnitKind::none).value)};
    }
    if (const Value* limit = value.find("bandwidth")) {
      return fault::Bandwidth{wires(*limit),
                              *read_scalar(limit->at("limit").text, UnitKind::bandwidth).value};
    }
    if (const Value* reset = value.find("reset")) return fault::Reset{wires(*reset)};
    if (const Value* off = value.find("time-offset"))
      return fault::TimeOffset{targets(off->at("target")), duration_of(off->at("by"))};
    if (const Value* drift = value.find("drift")) {
      return fault::Drift{targets(drift->at("target")),
                          *read_scalar(drift->at("ppm").text, UnitKind::none).value};
    }
    if (const Value* delay = value.find("io-delay")) {
      return fault::IoDelay{targets(delay->at("target")), factor(*delay),
                            make_distribution(delay->at("by"), UnitKind::duration, 1, report_),
                            directory(*delay)};
    }
    if (const Value* error = value.find("io-error"))
      return fault::IoError{targets(error->at("target")), directory(*error)};
    if (const Value* full = value.find("disk-full"))
      return fault::DiskFull{targets(full->at("target")), directory(*full)};
    if (const Value* slow = value.find("slow-cpu"))
      return fault::SlowCpu{targets(slow->at("target")), factor(*slow)};
    if (const Value* deploy = value.find("deploy")) return fault::Deploy{targets(deploy->at("target"))};
    if (const Value* admin = value.find("admin")) return fault::Admin{admin_action(*admin)};
    return hold(value.at("hold"));
  }

  fault::Hold hold(const Value& value) {
    fault::Hold hold{wires(value), value.at("request").text};
    if (value.at("replies").text == "true") hold.side = fault::HeldSide::replies;
    if (const Value* partition = value.find("partition")) hold.partition = read_partition(partition->text);
    if (const Value* count = value.find("count")) hold.count = count_of(*count);
    if (const Value* connections = value.find("connections")) hold.connections = count_of(*connections);
    return hold;
  }

  static CreateTopicsRequest::Topic new_topic(const Value& value) {
    CreateTopicsRequest::Topic topic;
    topic.name = value.at("topic").text;
    if (const Value* partitions = value.find("partitions"))
      topic.partitions = static_cast<std::int32_t>(count_of(*partitions));
    if (const Value* factor = value.find("replication.factor"))
      topic.replication_factor = static_cast<std::int16_t>(count_of(*factor));
    if (const Value* replicas = value.find("replicas")) {
      for (const Value& partition : replicas->items) {
        std::vector<NodeId>& nodes = topic.replicas.emplace_back();
        for (const Value& one : partition.items)
          nodes.push_back(NodeId{static_cast<std::int32_t>(count_of(one))});
      }
    }
    topic.has_config = true;
    apply_properties(value.at("config"), kTopic, Targets{.topic = &topic.config});
    return topic;
  }

  static AdminAction admin_action(const Value& value) {
    if (const Value* create = value.find("create-topic"))
      return AdminRequest(CreateTopicsRequest{{new_topic(*create)}});
    if (const Value* elect = value.find("elect-leaders")) return AdminRequest(elect_leaders(*elect));
    if (const Value* reassign = value.find("reassign")) return AdminRequest(reassignments(*reassign));
    if (const Value* move = value.find("move-replicas"))
      return MoveReplicas{broker(move->at("from")), broker(move->at("to"))};
    if (const Value* gone = value.find("delete-topic"))
      return AdminRequest(DeleteTopicsRequest{{gone->text}});
    if (const Value* create = value.find("create-partitions")) {
      const auto count =
          static_cast<std::int32_t>(*read_scalar(create->at("count").text, UnitKind::none).value);
      return AdminRequest(CreatePartitionsRequest{{{create->at("topic").text, count}}});
    }
    const Value& alter = value.at("alter-configs");
    IncrementalAlterConfigsRequest::Topic topic{alter.at("topic").text, {}};
    for (const Entry& entry : alter.at("config").entries)
      topic.entries.push_back({entry.key, entry.value.text, false});
    return AdminRequest(IncrementalAlterConfigsRequest{{std::move(topic)}});
  }

  static ElectLeadersRequest elect_leaders(const Value& value) {
    ElectLeadersRequest request;
    request.type = value.at("type").text == "unclean" ? ElectionType::unclean : ElectionType::preferred;
    const Value& partitions = value.at("partitions");
    request.all_partitions = partitions.is_scalar() && partitions.text == "all";
    if (request.all_partitions) return request;
    if (partitions.is_scalar()) request.partitions.push_back(*read_partition(partitions.text));
    for (const Value& item : partitions.items) request.partitions.push_back(*read_partition(item.text));
    return request;
  }

  static AlterPartitionReassignmentsRequest reassignments(const Value& value) {
    AlterPartitionReassignmentsRequest request;
    for (const Entry& entry : value.entries) {
      std::vector<NodeId> replicas;
      for (const Value& item : entry.value.items) replicas.push_back(broker(item));
      request.partitions.push_back(
          {*read_partition(entry.key), std::move(replicas), entry.value.is_scalar()});
    }
    return request;
  }

  static NodeId broker(const Value& value) {
    return std::get<fault::BrokerTarget>(*read_target(value.text).target).id;
  }

  static std::int64_t factor(const Value& value) {
    return *read_scalar(value.at("factor").text, UnitKind::none).value;
  }

  // Counted from 1 in a scenario.
  static std::optional<std::int32_t> directory(const Value& value) {
    const Value* dir = value.find("dir");
    if (dir == nullptr) return std::nullopt;
    return static_cast<std::int32_t>(*read_scalar(dir->text, UnitKind::none).value) - 1;
  }

  fault::Partition partition(const Value& value) {
    fault::Partition cut;
    if (value.is_scalar() && value.text == "halves") {
      cut.shape = fault::Halves{};
    } else if (value.is_scalar() && value.text == "bridge") {
      cut.shape = fault::Bridge{};
    } else if (value.is_scalar()) {
      cut.shape = fault::MajoritiesRing{};
    } else if (const Value* groups = value.find("groups")) {
      fault::Groups shape;
      for (const Value& group : groups->items) shape.groups.push_back(targets(group));
      cut.shape = std::move(shape);
    } else {
      fault::Isolate shape{targets(value.at("isolate"))};
      if (const Value* peers = value.find("from")) shape.peers = targets(*peers);
      cut.shape = std::move(shape);
      cut.direction = direction(value.at("direction").text);
    }
    return cut;
  }

  fault::Wires wires(const Value& value) {
    fault::Wires wires;
    wires.targets = targets(value.at("target"));
    if (const Value* peers = value.find("to")) wires.peers = targets(*peers);
    if (const Value* way = value.find("direction")) wires.direction = direction(way->text);
    return wires;
  }

  static fault::Direction direction(const std::string& word) {
    return word == "to"     ? fault::Direction::to
           : word == "from" ? fault::Direction::from
                            : fault::Direction::both;
  }

  fault::Targets targets(const Value& value) {
    fault::Targets targets;
    if (value.is_scalar()) targets.push_back(target(value.text));
    for (const Value& item : value.items) targets.push_back(target(item.text));
    return targets;
  }

  fault::Target target(const std::string& text) {
    return with_node_id(*read_target(text, fixed_names_).target);
  }

  // In a scenario controllers are numbered from 1.
  fault::Target with_node_id(fault::Target target) {
    if (auto* controller = std::get_if<fault::ControllerTarget>(&target)) {
      const auto number = static_cast<std::size_t>(controller->id.value());
      SIM_CHECK(number <= cluster_.controllers.size(), "a controller that is aimed at exists");
      controller->id = cluster_.controllers[number - 1].id;
    }
    return target;
  }

  FixedNames fixed_names_;
  const cluster::ClusterSpec& cluster_;
  Report& report_;
};

}  // namespace

fault::Schedule build_faults(const Value& root, const cluster::ClusterSpec& cluster, Report& report) {
  fault::Schedule schedule;
  const Value* faults = root.find("faults");
  if (faults == nullptr) return schedule;
  FaultBuilder builder(root, cluster, report);
  for (const Value& fault : faults->items) schedule.push_back(builder.build(fault));
  return schedule;
}

std::vector<fault::Fixed> build_fixed_targets(const Value& root, const cluster::ClusterSpec& cluster,
                                              Report& report) {
  std::vector<fault::Fixed> fixed;
  const Value* let = root.find("let");
  if (let == nullptr) return fixed;
  FaultBuilder builder(root, cluster, report);
  for (const Entry& entry : let->entries) fixed.push_back(builder.build_fixed(entry));
  return fixed;
}

}  // namespace sim::scenario
