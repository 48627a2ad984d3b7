#include "report/outcome_tables.h"

#include "base/human.h"
#include "report/csv.h"

namespace sim::report {

using judge::FaultReport;
using judge::OutcomeVerdict;
using judge::VerdictCase;
using metrics::OrderLedger;

namespace {

std::string_view group_event(const metrics::GroupTimeline::Event& event) {
  using Kind = metrics::GroupTimeline::Event::Kind;
  using observe::GroupState;
  switch (event.kind) {
    case Kind::rebalance_began: return "rebalance";
    case Kind::departed: return is_expulsion(event.departure_reason) ? "expelled" : "left";
    case Kind::assigned: return "assigned";
    case Kind::revoked: return "revoked";
    case Kind::lost: return "lost";
    case Kind::stopped: return "stopped";
    case Kind::offsets_reset: return "offsets-reset";
    case Kind::state_changed: break;
  }
  switch (event.state) {
    case GroupState::empty: return "empty";
    case GroupState::preparing_rebalance: return "joining";
    case GroupState::completing_rebalance: return "syncing";
    case GroupState::stable: return "stable";
    case GroupState::dead: return "unloaded";
    case GroupState::assigning: return "assigning";
    case GroupState::reconciling: return "reconciling";
  }
  return "?";
}

}  // namespace

void write_faults_csv(OutputFile& file, const std::vector<FaultReport>& faults) {
  file.write("name,kind,target,touched,from_ns,to_ns,effects,effect_to_ns,effect_ended_by,missed\n");
  CsvWriter csv(file);
  const auto row = [&csv](const FaultReport& fault, const FaultReport::Strike& strike) {
    csv.text(fault.name);
    csv.text(fault.kind);
    csv.text(fault.target);
    csv.text(joined(strike.touched, ";"));
    csv.number_or_empty(strike.from_ns);
    csv.number_or_empty(strike.to_ns);
    csv.number(strike.effects);
    csv.number_or_empty(strike.effect_to_ns);
    csv.text(strike.from_ns < 0 ? "" : judge::name(strike.ends_by));
    csv.text(joined(strike.missed, "; "));
    csv.end_row();
  };
  for (const FaultReport& fault : faults) {
    for (const FaultReport::Strike& strike : fault.strikes) row(fault, strike);
    if (!fault.strikes.empty()) continue;
    FaultReport::Strike never;
    never.from_ns = never.to_ns = never.effect_to_ns = -1;
    row(fault, never);
  }
}

void write_verdicts_csv(OutputFile& file, const std::vector<OutcomeVerdict>& verdicts,
                        const record::RunRecord& record) {
  const OrderLedger& ledger = record.ledger();
  const observe::Names& names = record.names();
  const observe::TopicNames& topics = record.topics();
  CsvWriter csv(file);
  for (const char* column : {"verdict", "t_ns", "flow", "order", "topic", "partition", "offset", "service",
                             "lasted_ns", "cause"}) {
    csv.text(column);
  }
  csv.end_row();
  for (const OutcomeVerdict& verdict : verdicts) {
    for (const VerdictCase& one : verdict.cases) {
      csv.text(verdict.word);
      csv.number_or_empty(one.at);
      if (one.order) {
        const RecordId id = ledger.order(*one.order).id;
        csv.text(names.flows[static_cast<std::size_t>(flow_of(id).value())]);
        csv.number(number_of(id));
      } else {
        csv.text("");
        csv.text("");
      }
      csv.text(one.tp.topic == kNoTopic ? std::string() : topics[one.tp.topic]);
      csv.number_or_empty(one.tp.topic == kNoTopic ? -1 : one.tp.partition);
      csv.number_or_empty(one.offset);
      csv.text(verdict.service);
      csv.number_or_empty(one.lasted);
      csv.text(one.cause);
      csv.end_row();
    }
  }
}

void write_groups_csv(OutputFile& file, const record::RunRecord& record) {
  using Event = metrics::GroupTimeline::Event;
  const observe::Names& names = record.names();
  CsvWriter csv(file);
  for (const char* column :
       {"t_ns", "group", "event", "generation", "members", "member", "reason", "partitions", "node"}) {
    csv.text(column);
  }
  csv.end_row();
  for (const Event& event : record.groups().events()) {
    csv.number(event.at);
    csv.text(event.group);
    csv.text(group_event(event));
    csv.number_or_empty(event.generation.value());
    csv.number_or_empty(event.members);
    const auto process = static_cast<std::size_t>(event.process.value());
    const std::string node = process < names.processes.size() ? names.processes[process] : std::string();
    const bool told_by_member = event.kind == Event::Kind::assigned || event.kind == Event::Kind::revoked ||
                                event.kind == Event::Kind::lost || event.kind == Event::Kind::stopped;
    csv.text(told_by_member ? node : event.member_id);
    csv.text(event.kind == Event::Kind::rebalance_began ? observe::name(event.rebalance_reason)
             : event.kind == Event::Kind::departed      ? observe::name(event.departure_reason)
                                                        : std::string_view());
    std::vector<std::string> partitions;
    for (const TopicPartition tp : event.partitions) partitions.push_back(record.topics()[tp]);
    csv.text(joined(partitions, ";"));
    csv.text(node);
    csv.end_row();
  }
}

}  // namespace sim::report
