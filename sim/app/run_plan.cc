#include "app/run_plan.h"

#include <string>
#include <utility>

namespace sim::app {
namespace {

metrics::LedgerSpec ledger_spec(const cluster::ClusterSpec& cluster) {
  metrics::LedgerSpec spec;
  spec.services = cluster.services.size();
  for (const workload::FlowSpec& flow : cluster.flows) {
    metrics::ServiceSet services;
    for (std::size_t s = 0; s < cluster.services.size(); ++s) {
      if (cluster.services[s].topic == flow.topic) services.add(s);
    }
    spec.services_of_flow.push_back(std::move(services));
  }
  return spec;
}

check::FormerBehaviour history_of(const cluster::ClusterSpec& cluster) {
  check::FormerBehaviour former;
  const auto note = [&former](bool is_on, const char* what) {
    if (is_on) former.words += (former.words.empty() ? "" : ", ") + std::string(what);
  };
  if (!cluster.brokers.empty()) {
    const broker::History& history = cluster.brokers.front().config.history;
    note(history.truncation == broker::Truncation::high_watermark, "truncation by high watermark");
    note(history.truncation == broker::Truncation::epoch, "truncation by epoch without search");
    note(history.truncation == broker::Truncation::epoch_search, "truncation by epoch with search");
    note(!history.fetch_leader_epoch, "fetches without a leader epoch");
    note(!history.isr_epoch_start_check, "an ISR joined below the epoch's start");
    note(!history.isr_maximal, "no maximal ISR");
    note(!history.isr_unfenced_only, "fenced brokers in the ISR");
    note(!history.isr_broker_epoch, "ISR without broker epochs");
    note(!history.high_watermark_min_isr, "a high watermark that min.insync.replicas does not hold");
    former.exposes_below_min_isr = !history.high_watermark_min_isr || !history.isr_maximal;
    former.exposes_uncovered = history.truncation == broker::Truncation::high_watermark ||
                               history.truncation == broker::Truncation::epoch ||
                               !history.fetch_leader_epoch || !history.isr_epoch_start_check ||
                               !history.isr_maximal || !history.isr_broker_epoch;
  }
  const bool elr =
      cluster.controllers.empty() || cluster.controllers.front().config.eligible_leader_replicas_enable;
  note(!elr, "no eligible leader replicas");
  former.knows_voters_by_id = !cluster.quorum_history.directory_ids;
  return former;
}

check::InvariantsSpec invariants_spec(const scenario::Scenario& scenario) {
  const cluster::ClusterSpec& cluster = scenario.cluster;
  check::InvariantsSpec spec;
  spec.history = history_of(cluster);
  for (const scenario::InvariantOff& off : scenario.invariants_off) spec.off.push_back(off.name);
  for (const cluster::BrokerSpec& broker : cluster.brokers) spec.brokers.push_back(broker.id);
  for (const workload::FlowSpec& flow : cluster.flows)
    spec.acks_all_of_flow.push_back(flow.producer.acks == -1);
  return spec;
}

}  // namespace

record::RecordSpec record_spec(const scenario::Scenario& scenario, const observe::Names& names) {
  return {names, ledger_spec(scenario.cluster), invariants_spec(scenario)};
}

judge::RunPlan run_plan(const scenario::Scenario& scenario) {
  judge::RunPlan plan;
  plan.scenario = scenario.name;
  plan.scenario_file = scenario.file;
  plan.about = scenario.about;
  plan.seed = scenario.seed;
  plan.duration = scenario.duration;
  plan.warmup = scenario.warmup;
  plan.faults = scenario.cluster.faults;
  plan.expectations = scenario.expectations;
  for (const scenario::InvariantOff& off : scenario.invariants_off)
    plan.invariants_off.push_back(off.name + ": " + off.because);
  return plan;
}

}  // namespace sim::app
