#include "judge/fault_report.h"

#include <variant>

#include "base/human.h"
#include "base/overloaded.h"
#include "fault/print_target.h"

namespace sim::judge {
namespace {

std::string text_of(const fault::Targets& targets) {
  std::vector<std::string> texts;
  for (const fault::Target& target : targets) texts.push_back(fault::print_target(target));
  return joined(texts, " and ");
}

// Empty where the name of the process says it all.
std::string role_of(const fault::Target& target) {
  const auto partition = [](const auto& of) { return of.topic + "-" + std::to_string(of.partition); };
  return std::visit(
      Overloaded{
          [](const fault::BrokerTarget&) { return std::string(); },
          [](const fault::ControllerTarget&) { return std::string(); },
          [](const fault::RackTarget& rack) { return "rack " + rack.rack; },
          [](const fault::ActiveController&) { return std::string("active controller"); },
          [&](const fault::LeaderOf& leader) { return "leader of " + partition(leader); },
          [&](const fault::FollowerOf& follower) { return "follower of " + partition(follower); },
          [](const fault::CoordinatorOf& of) { return "coordinator of " + of.group; },
          [](const fault::ClientTarget&) { return std::string(); },
          [](const fault::AllOf&) { return std::string(); },
          [](const fault::RandomOf&) { return std::string("drawn at random"); },
          [](const fault::FixedTarget& fixed) { return fixed.name; },
      },
      target);
}

std::string role_of(const fault::Targets& targets) {
  std::vector<std::string> roles;
  for (const fault::Target& target : targets) {
    if (std::string role = role_of(target); !role.empty()) roles.push_back(std::move(role));
  }
  return joined(roles, ", ");
}

std::string text_of(const fault::Wires& wires) {
  return text_of(wires.targets) + (wires.peers.empty() ? "" : " to " + text_of(wires.peers));
}

void describe(const fault::Partition& partition, FaultReport& report) {
  report.unit = "message dropped";
  std::visit(Overloaded{
                 [&](const fault::Isolate& isolate) {
                   report.target = text_of(isolate.targets);
                   if (!isolate.peers.empty()) report.target += " from " + text_of(isolate.peers);
                   report.role = role_of(isolate.targets);
                 },
                 [&](const fault::Groups& groups) {
                   std::vector<std::string> texts;
                   for (const fault::Targets& group : groups.groups) texts.push_back(text_of(group));
                   report.target = joined(texts, " | ");
                 },
                 [&](const fault::Halves&) { report.target = "halves"; },
                 [&](const fault::MajoritiesRing&) { report.target = "majorities-ring"; },
                 [&](const fault::Bridge&) { report.target = "bridge"; },
             },
             partition.shape);
}

std::string text_of(const NamedPartition& partition) {
  return partition.topic + "-" + std::to_string(partition.partition);
}

void describe(const AdminRequest& request, FaultReport& report) {
  const auto list = [](const auto& of, auto name) {
    std::vector<std::string> texts;
    for (const auto& one : of) texts.push_back(name(one));
    return joined(texts, " and ");
  };
  const auto name_of = [](const auto& topic) { return topic.name; };
  std::visit(Overloaded{
                 [&](const ElectLeadersRequest& elect) {
                   const char* type = elect.type == ElectionType::preferred ? "preferred" : "unclean";
                   report.target =
                       std::string("elect-leaders ") + type + " " +
                       (elect.all_partitions ? "all" : list(elect.partitions, [](const auto& one) {
                         return text_of(one);
                       }));
                   report.unit = "leader elected";
                 },
                 [&](const AlterPartitionReassignmentsRequest& reassign) {
                   report.target = "reassign " + list(reassign.partitions,
                                                      [](const auto& one) { return text_of(one.partition); });
                   report.unit = "partition reassigned";
                 },
                 [&](const DeleteTopicsRequest& gone) {
                   report.target = "delete-topic " + list(gone.topics, [](const auto& one) { return one; });
                   report.unit = "topic deleted";
                 },
                 [&](const IncrementalAlterConfigsRequest& alter) {
                   report.target = "alter-configs " + list(alter.topics, name_of);
                   report.unit = "topic altered";
                 },
                 [&](const CreateTopicsRequest& create) {
                   report.target = "create-topic " + list(create.topics, name_of);
                   report.unit = "topic created";
                 },
                 [&](const CreatePartitionsRequest& create) {
                   report.target = "create-partitions " + list(create.topics, name_of);
                   report.unit = "topic extended";
                 },
             },
             request);
}

void describe(const AdminAction& action, FaultReport& report) {
  std::visit(Overloaded{
                 [&](const AdminRequest& request) { describe(request, report); },
                 [&](const MoveReplicas& move) {
                   report.target = "move-replicas broker-" + std::to_string(move.from.value()) +
                                   " to broker-" + std::to_string(move.to.value());
                   report.unit = "partition reassigned";
                 },
                 [&](const ResetOffsets& reset) {
                   report.target = "reset-offsets " + reset.group + " " + reset.topic;
                   report.unit = "partition reset";
                 },
             },
             action);
}

void describe(const fault::Kind& kind, FaultReport& report) {
  const auto processes = [&report](const fault::Targets& targets, const char* what) {
    report.target = text_of(targets);
    report.role = role_of(targets);
    report.unit = std::string("process ") + what;
  };
  const auto targets = [&report](const fault::Targets& of, const char* unit) {
    report.target = text_of(of);
    report.role = role_of(of);
    report.unit = unit;
  };
  const auto wires = [&report](const fault::Wires& of, const std::string& unit) {
    report.target = text_of(of);
    report.role = role_of(of.targets);
    report.unit = unit;
  };
  const auto clocks = [&report](const fault::Targets& of) {
    report.target = text_of(of);
    report.role = role_of(of);
    report.unit = "clock put wrong";
  };
  std::visit(Overloaded{
                 [&](const fault::Kill& kill) { processes(kill.targets, "killed"); },
                 [&](const fault::PowerLoss& loss) { processes(loss.targets, "without power"); },
                 [&](const fault::Wipe& wipe) { processes(wipe.targets, "wiped"); },
                 [&](const fault::Stop& stop) { processes(stop.targets, "stopped"); },
                 [&](const fault::Restart& restart) { processes(restart.targets, "restarted"); },
                 [&](const fault::Deploy& deploy) { processes(deploy.targets, "deployed"); },
                 [&](const fault::Pause& pause) { processes(pause.targets, "paused"); },
                 [&](const fault::Partition& partition) { describe(partition, report); },
                 [&](const fault::Delay& delay) { wires(delay.wires, "message delayed"); },
                 [&](const fault::Loss& loss) { wires(loss.wires, "message sent again"); },
                 [&](const fault::Admin& admin) { describe(admin.action, report); },
                 [&](const fault::Hold& hold) {
                   const bool replies = hold.side == fault::HeldSide::replies;
                   wires(hold.wires, hold.request + (replies ? " reply held" : " request held"));
                 },
                 [&](const fault::Bandwidth& limit) { wires(limit.wires, "message slowed"); },
                 [&](const fault::Reset& reset) { wires(reset.wires, "connection reset"); },
                 [&](const fault::IoDelay& delay) { targets(delay.targets, "write slowed"); },
                 [&](const fault::IoError& error) { targets(error.targets, "write failed"); },
                 [&](const fault::DiskFull& full) { targets(full.targets, "write refused"); },
                 [&](const fault::SlowCpu& slow) { targets(slow.targets, "process slowed"); },
                 [&](const fault::TimeOffset& offset) { clocks(offset.targets); },
                 [&](const fault::Drift& drift) { clocks(drift.targets); },
             },
             kind);
}

}  // namespace

std::int64_t FaultReport::effects() const {
  std::int64_t sum = 0;
  for (const Strike& strike : strikes) sum += strike.effects;
  return sum;
}

const char* name(EffectEnd end) {
  switch (end) {
    case EffectEnd::recovered: return "recovered";
    case EffectEnd::next_strike: return "next_strike";
    case EffectEnd::grace: return "grace";
    case EffectEnd::end_of_run: return "end_of_run";
  }
  return "?";
}

std::vector<FaultReport> report_faults(const fault::Schedule& schedule, const MeasuredRun& run) {
  std::vector<FaultReport> reports;
  for (const fault::Fault& fault : schedule) {
    FaultReport report;
    report.name = fault.name;
    report.kind = fault::word(fault.kind);
    report.may_miss = fault.may_miss;
    describe(fault.kind, report);
    reports.push_back(std::move(report));
  }
  // Windows are in order of faults, and of each fault in order of time, as its strikes are.
  std::vector<std::size_t> next_window(schedule.size(), 0);
  for (std::size_t fault = 0, window = 0; fault < schedule.size(); ++fault) {
    next_window[fault] = window;
    for (const metrics::ClusterTimeline::Strike& strike : run.timeline.strikes())
      window += static_cast<std::size_t>(strike.fault.value()) == fault ? 1 : 0;
  }
  for (const metrics::ClusterTimeline::Strike& strike : run.timeline.strikes()) {
    const auto fault = static_cast<std::size_t>(strike.fault.value());
    const FaultWindow& window = run.faults[next_window[fault]++];
    FaultReport::Strike row;
    row.from_ns = strike.from;
    row.to_ns = nanos(window.to);
    row.effect_to_ns = nanos(window.effect_to);
    row.ends_by = window.ends_by;
    for (const ProcessId process : strike.touched) {
      row.touched.push_back(run.names.processes[static_cast<std::size_t>(process.value())]);
    }
    row.effects = strike.effects;
    for (const observe::AdminAnswered& answer : strike.answers) {
      if (answer.error == ErrorCode::none) continue;
      const std::string of = answer.resource.empty() ? "" : answer.resource + ": ";
      row.refused.push_back(of + std::string(sim::name(answer.error)));
    }
    for (const observe::RoleMissed& miss : strike.missed) {
      row.missed.push_back(
          miss.role + (miss.player == kNoProcess
                           ? " was nobody"
                           : " was " + run.names.processes[static_cast<std::size_t>(miss.player.value())] +
                                 ", which was down"));
    }
    reports[fault].strikes.push_back(std::move(row));
  }
  return reports;
}

}  // namespace sim::judge
