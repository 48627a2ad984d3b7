#include "report/outcome_tables.h"

#include "base/human.h"
#include "report/csv.h"

namespace sim::report {

using judge::FaultReport;
using judge::OutcomeVerdict;
using judge::VerdictCase;
using metrics::OrderLedger;

void write_faults_csv(OutputFile& file, const std::vector<FaultReport>& faults) {
  file.write("name,kind,target,touched,from_ns,to_ns,effects,missed\n");
  CsvWriter csv(file);
  const auto row = [&csv](const FaultReport& fault, const FaultReport::Strike& strike) {
    csv.text(fault.name);
    csv.text(fault.kind);
    csv.text(fault.target);
    csv.text(joined(strike.touched, ";"));
    csv.number_or_empty(strike.from_ns);
    csv.number_or_empty(strike.to_ns);
    csv.number(strike.effects);
    csv.text(joined(strike.missed, "; "));
    csv.end_row();
  };
  for (const FaultReport& fault : faults) {
    for (const FaultReport::Strike& strike : fault.strikes) row(fault, strike);
    if (fault.strikes.empty()) row(fault, FaultReport::Strike{-1, -1, {}, 0});
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

}  // namespace sim::report
