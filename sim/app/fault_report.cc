#include "app/fault_report.h"

#include <variant>

#include "base/overloaded.h"
#include "scenario/targets.h"

namespace sim::app {
namespace {

std::string joined(const std::vector<std::string>& words, const char* separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

std::string text_of(const fault::Targets& targets) {
  std::vector<std::string> texts;
  for (const fault::Target& target : targets) texts.push_back(scenario::print_target(target));
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
                   report.role = role_of(isolate.targets);
                 },
                 [&](const fault::Groups& groups) {
                   std::vector<std::string> texts;
                   for (const fault::Targets& group : groups.groups) texts.push_back(text_of(group));
                   report.target = joined(texts, " | ");
                 },
                 [&](const fault::Halves&) { report.target = "halves"; },
                 [&](const fault::MajoritiesRing&) { report.target = "majorities-ring"; },
             },
             partition.shape);
}

void describe(const fault::Kind& kind, FaultReport& report) {
  const auto processes = [&report](const fault::Targets& targets, const char* what) {
    report.target = text_of(targets);
    report.role = role_of(targets);
    report.unit = std::string("process ") + what;
  };
  const auto wires = [&report](const fault::Wires& of, const std::string& unit) {
    report.target = text_of(of);
    report.role = role_of(of.targets);
    report.unit = unit;
  };
  std::visit(Overloaded{
                 [&](const fault::Kill& kill) { processes(kill.targets, "killed"); },
                 [&](const fault::PowerLoss& loss) { processes(loss.targets, "without power"); },
                 [&](const fault::Stop& stop) { processes(stop.targets, "stopped"); },
                 [&](const fault::Restart& restart) { processes(restart.targets, "restarted"); },
                 [&](const fault::Pause& pause) { processes(pause.targets, "paused"); },
                 [&](const fault::Partition& partition) { describe(partition, report); },
                 [&](const fault::Delay& delay) { wires(delay.wires, "message delayed"); },
                 [&](const fault::Loss& loss) { wires(loss.wires, "message sent again"); },
                 [&](const fault::Hold& hold) { wires(hold.wires, hold.request + " request held"); },
             },
             kind);
}

}  // namespace

std::int64_t FaultReport::effects() const {
  std::int64_t sum = 0;
  for (const Strike& strike : strikes) sum += strike.effects;
  return sum;
}

std::vector<FaultReport> report_faults(const fault::Schedule& schedule, const metrics::ClusterTimeline& timeline,
                                       const observe::Names& names, std::int64_t end_ns) {
  std::vector<FaultReport> reports;
  for (const fault::Fault& fault : schedule) {
    FaultReport report;
    report.name = fault.name;
    report.kind = fault::word(fault.kind);
    describe(fault.kind, report);
    reports.push_back(std::move(report));
  }
  for (const metrics::ClusterTimeline::Strike& strike : timeline.strikes()) {
    FaultReport::Strike row;
    row.from_ns = strike.from;
    row.to_ns = strike.to == metrics::kStillLasts ? end_ns : strike.to;
    for (const ProcessId process : strike.touched) {
      row.touched.push_back(names.processes[static_cast<std::size_t>(process.value())]);
    }
    row.effects = strike.effects;
    reports[static_cast<std::size_t>(strike.fault.value())].strikes.push_back(std::move(row));
  }
  return reports;
}

void write_faults_csv(OutputFile& file, const std::vector<FaultReport>& faults) {
  file.write("name,kind,target,touched,from_ns,to_ns,effects\n");
  CsvWriter csv(file);
  const auto row = [&csv](const FaultReport& fault, const FaultReport::Strike& strike) {
    csv.text(fault.name);
    csv.text(fault.kind);
    csv.text(fault.target);
    csv.text(joined(strike.touched, ";"));
    csv.number_or_empty(strike.from_ns);
    csv.number_or_empty(strike.to_ns);
    csv.number(strike.effects);
    csv.end_row();
  };
  for (const FaultReport& fault : faults) {
    for (const FaultReport::Strike& strike : fault.strikes) row(fault, strike);
    if (fault.strikes.empty()) row(fault, FaultReport::Strike{-1, -1, {}, 0});
  }
}

}  // namespace sim::app
