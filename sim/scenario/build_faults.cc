#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "scenario/distribution.h"
#include "scenario/faults.h"
#include "scenario/targets.h"
#include "scenario/units.h"

namespace sim::scenario {

namespace {

Duration duration(const Value& value) { return Duration{*read_scalar(value.text, UnitKind::duration).value}; }

class Builder {
 public:
  Builder(const cluster::ClusterSpec& cluster, Report& report) : cluster_(cluster), report_(report) {}

  fault::Fault build(const Value& value) {
    fault::Fault fault;
    fault.name = value.at("name").text;
    fault.kind = kind(value);
    fault.at = Instant{} + duration(value.at("at"));
    if (const Value* every = value.find("every")) fault.every = duration(*every);
    if (const Value* lasts = value.find("for")) fault.lasts = duration(*lasts);
    return fault;
  }

 private:
  fault::Kind kind(const Value& value) {
    if (const Value* kill = value.find("kill")) return fault::Kill{targets(kill->at("target"))};
    if (const Value* loss = value.find("powerloss")) return fault::PowerLoss{targets(loss->at("target"))};
    if (const Value* stop = value.find("stop")) return fault::Stop{targets(stop->at("target"))};
    if (const Value* restart = value.find("restart")) return fault::Restart{targets(restart->at("target"))};
    if (const Value* pause = value.find("pause")) return fault::Pause{targets(pause->at("target"))};
    if (const Value* cut = value.find("partition")) return partition(*cut);
    if (const Value* delay = value.find("delay")) {
      return fault::Delay{wires(*delay), make_distribution(delay->at("by"), UnitKind::duration, 1, report_)};
    }
    if (const Value* loss = value.find("loss")) {
      const std::int64_t rate = *read_scalar(loss->at("rate").text, UnitKind::share).value;
      return fault::Loss{wires(*loss), static_cast<std::int32_t>(rate)};
    }
    const Value& hold = value.at("hold");
    return fault::Hold{wires(hold), hold.at("request").text};
  }

  fault::Partition partition(const Value& value) {
    fault::Partition cut;
    if (value.is_scalar() && value.text == "halves") {
      cut.shape = fault::Halves{};
    } else if (value.is_scalar()) {
      cut.shape = fault::MajoritiesRing{};
    } else if (const Value* groups = value.find("groups")) {
      fault::Groups shape;
      for (const Value& group : groups->items) shape.groups.push_back(targets(group));
      cut.shape = std::move(shape);
    } else {
      cut.shape = fault::Isolate{targets(value.at("isolate"))};
      cut.direction = direction(value.at("direction").text);
    }
    return cut;
  }

  fault::Wires wires(const Value& value) {
    fault::Wires wires;
    wires.targets = targets(value.at("target"));
    if (const Value* peers = value.find("to")) wires.peers = targets(*peers);
    wires.direction = direction(value.at("direction").text);
    return wires;
  }

  static fault::Direction direction(const std::string& word) {
    return word == "to" ? fault::Direction::to : word == "from" ? fault::Direction::from : fault::Direction::both;
  }

  fault::Targets targets(const Value& value) {
    fault::Targets targets;
    if (value.is_scalar()) targets.push_back(target(value.text));
    for (const Value& item : value.items) targets.push_back(target(item.text));
    return targets;
  }

  fault::Target target(const std::string& text) {
    fault::Target target = *read_target(text).target;
    if (auto* controller = std::get_if<fault::ControllerTarget>(&target)) {
      const auto number = static_cast<std::size_t>(controller->id.value());
      SIM_CHECK(number <= cluster_.controllers.size(), "a controller that is aimed at exists");
      controller->id = cluster_.controllers[number - 1].id;
    }
    return target;
  }

  const cluster::ClusterSpec& cluster_;
  Report& report_;
};

}  // namespace

fault::Schedule build_faults(const Value& root, const cluster::ClusterSpec& cluster, Report& report) {
  fault::Schedule schedule;
  const Value* faults = root.find("faults");
  if (faults == nullptr) return schedule;
  Builder builder(cluster, report);
  for (const Value& fault : faults->items) schedule.push_back(builder.build(fault));
  return schedule;
}

}  // namespace sim::scenario
