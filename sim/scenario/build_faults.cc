#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "scenario/distribution.h"
#include "scenario/drawn.h"
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
    fault.kind = kind(value, As<fault::Kind>{});
    fault.at = Instant{} + duration_of(value.at("at"));
    if (const Value* when = value.find("when")) {
      std::string why_not;
      fault.when = read_when(when->text, why_not);
    }
    if (const Value* waits = value.find("wait")) fault.waits = duration_of(*waits);
    fault.may_miss = value.at("may.miss").text == "true";
    if (const Value* every = value.find("every")) fault.every = duration_of(*every);
    if (const Value* lasts = value.find("for")) fault.lasts = duration_of(*lasts);
    return fault;
  }

 private:
  template <class Kind>
  using As = std::type_identity<Kind>;

  // Every alternative of fault::Kind is read below, or this does not compile.
  template <class... Kinds>
  fault::Kind kind(const Value& value, As<std::variant<Kinds...>>) {
    std::optional<fault::Kind> found;
    const auto look_for = [&]<class Kind>(As<Kind> as) {
      if (const Value* given = value.find(fault::word(Kind{}))) found = read(*given, as);
    };
    (look_for(As<Kinds>{}), ...);
    SIM_CHECK(found.has_value(), "a fault is of some kind, which was looked at before");
    return *std::move(found);
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

  fault::Kill read(const Value& kill, As<fault::Kill>) { return {targets(kill.at("target"))}; }
  fault::PowerLoss read(const Value& loss, As<fault::PowerLoss>) {
    return {targets(loss.at("target")),
            loss.at("tail").text == "torn" ? fault::Tail::torn : fault::Tail::lost};
  }
  fault::Wipe read(const Value& wipe, As<fault::Wipe>) { return {targets(wipe.at("target"))}; }
  fault::Stop read(const Value& stop, As<fault::Stop>) {
    fault::Stop kind{targets(stop.at("target"))};
    if (const Value* down = stop.find("down")) kind.down = duration_of(*down);
    return kind;
  }
  fault::Deploy read(const Value& deploy, As<fault::Deploy>) { return {targets(deploy.at("target"))}; }
  fault::Restart read(const Value& restart, As<fault::Restart>) { return {targets(restart.at("target"))}; }
  fault::Pause read(const Value& pause, As<fault::Pause>) { return {targets(pause.at("target"))}; }
  fault::Partition read(const Value& cut, As<fault::Partition>) { return partition(cut); }
  fault::Delay read(const Value& delay, As<fault::Delay>) {
    return {wires(delay), make_distribution(delay.at("by"), UnitKind::duration, 1, report_),
            duration_of(delay.at("jitter")).count(),
            static_cast<std::int32_t>(*read_scalar(delay.at("correlation").text, UnitKind::share).value)};
  }
  fault::Loss read(const Value& loss, As<fault::Loss>) {
    const std::int64_t rate = *read_scalar(loss.at("rate").text, UnitKind::share).value;
    const std::int64_t burst = *read_scalar(loss.at("burst").text, UnitKind::none).value;
    return {wires(loss), static_cast<std::int32_t>(rate), static_cast<std::int32_t>(burst)};
  }
  fault::Bandwidth read(const Value& limit, As<fault::Bandwidth>) {
    return {wires(limit), *read_scalar(limit.at("limit").text, UnitKind::bandwidth).value};
  }
  fault::Reset read(const Value& reset, As<fault::Reset>) { return {wires(reset)}; }
  fault::Hold read(const Value& held, As<fault::Hold>) { return hold(held); }
  fault::TimeOffset read(const Value& off, As<fault::TimeOffset>) {
    return {targets(off.at("target")), duration_of(off.at("by"))};
  }
  fault::Drift read(const Value& drift, As<fault::Drift>) {
    return {targets(drift.at("target")), *read_scalar(drift.at("ppm").text, UnitKind::none).value};
  }
  fault::IoDelay read(const Value& delay, As<fault::IoDelay>) {
    return {targets(delay.at("target")), factor(delay),
            make_distribution(delay.at("by"), UnitKind::duration, 1, report_), directory(delay)};
  }
  fault::IoError read(const Value& error, As<fault::IoError>) {
    return {targets(error.at("target")), directory(error)};
  }
  fault::DiskFull read(const Value& full, As<fault::DiskFull>) {
    return {targets(full.at("target")), directory(full)};
  }
  fault::SlowCpu read(const Value& slow, As<fault::SlowCpu>) {
    return {targets(slow.at("target")), factor(slow)};
  }
  fault::Admin read(const Value& admin, As<fault::Admin>) { return {admin_action(admin)}; }

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
    if (const Value* reset = value.find("reset-offsets")) return reset_offsets(*reset);
    const Value& alter = value.at("alter-configs");
    IncrementalAlterConfigsRequest::Topic topic{alter.at("topic").text, {}};
    for (const Entry& entry : alter.at("config").entries)
      topic.entries.push_back({entry.key, entry.value.text, false});
    return AdminRequest(IncrementalAlterConfigsRequest{{std::move(topic)}});
  }

  static ResetOffsets reset_offsets(const Value& value) {
    ResetOffsets reset;
    reset.group = value.at("group").text;
    reset.topic = value.at("topic").text;
    const Value& partitions = value.at("partitions");
    if (partitions.is_scalar() && partitions.text != "all")
      reset.partitions.push_back(read_partition(partitions.text)->partition);
    for (const Value& item : partitions.items)
      reset.partitions.push_back(read_partition(item.text)->partition);
    if (const Value* duration = value.find("by-duration")) {
      reset.to = ResetOffsets::To::time;
      reset.before = duration_of(*duration);
      return reset;
    }
    const std::string& to = value.at("to").text;
    reset.to = to == "latest"     ? ResetOffsets::To::latest
               : to == "earliest" ? ResetOffsets::To::earliest
                                  : ResetOffsets::To::offset;
    if (reset.to == ResetOffsets::To::offset) reset.offset = Offset{*read_scalar(to, UnitKind::none).value};
    return reset;
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
