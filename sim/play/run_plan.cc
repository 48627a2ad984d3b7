#include "play/run_plan.h"

#include <filesystem>
#include <string>
#include <utility>

namespace sim::play {
namespace {

metrics::LedgerSpec ledger_spec(const cluster::ClusterSpec& cluster) {
  metrics::LedgerSpec spec;
  spec.services = cluster.services.size();
  for (const auto& service : cluster.services) spec.works_out_of_order.push_back(service.workers > 1);
  for (const workload::FlowSpec& flow : cluster.flows) {
    metrics::ServiceSet services;
    for (std::size_t s = 0; s < cluster.services.size(); ++s) {
      if (cluster.services[s].topic == flow.topic) services.add(s);
    }
    spec.services_of_flow.push_back(std::move(services));
  }
  return spec;
}

check::InvariantsSpec invariants_spec(const scenario::Scenario& scenario) {
  const cluster::ClusterSpec& cluster = scenario.cluster;
  check::InvariantsSpec spec;
  spec.history = check::former_behaviour(cluster.history);
  for (const scenario::InvariantOff& off : scenario.invariants_off) spec.off.push_back(off.name);
  for (const cluster::BrokerSpec& broker : cluster.brokers) spec.brokers.push_back(broker.id);
  for (const workload::FlowSpec& flow : cluster.flows)
    spec.acks_all_of_flow.push_back(flow.producer.acks == -1);
  return spec;
}

}  // namespace

std::string file_name_of(const std::string& file) {
  return file.starts_with('@') ? file : std::filesystem::path(file).filename().string();
}

record::RecordSpec record_spec(const scenario::Scenario& scenario, const observe::Names& names) {
  return {names, ledger_spec(scenario.cluster), invariants_spec(scenario)};
}

judge::RunPlan run_plan(const scenario::Scenario& scenario) {
  judge::RunPlan plan;
  plan.scenario = scenario.name;
  plan.scenario_file = file_name_of(scenario.file);
  plan.about = scenario.about;
  plan.seed = scenario.seed;
  plan.duration = scenario.duration;
  plan.warmup = scenario.warmup;
  plan.faults = scenario.cluster.faults;
  plan.expectations = scenario.expectations;
  for (judge::Expectation& expectation : plan.expectations)
    expectation.source = file_name_of(expectation.source);
  for (const workload::FlowSpec& flow : scenario.cluster.flows)
    plan.linger_of_flow.push_back(from_millis(flow.producer.linger_ms));
  for (const scenario::InvariantOff& off : scenario.invariants_off)
    plan.invariants_off.push_back(off.name + ": " + off.because);
  return plan;
}

}  // namespace sim::play
