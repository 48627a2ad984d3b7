#include "play/run_plan.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

namespace sim::play {
namespace {

// Who is to do the orders that are in a topic: those who read it, and those who read what they send on.
metrics::ServiceSet services_behind(const std::vector<workload::ServiceSpec>& all, const std::string& topic) {
  metrics::ServiceSet services;
  for (std::size_t s = 0; s < all.size(); ++s) {
    if (all[s].topic != topic) continue;
    services.add(s);
    if (all[s].produces) services.add_all(services_behind(all, all[s].produces->topic));
  }
  return services;
}

// By service. Empty if nobody sends on.
std::vector<metrics::LedgerSpec::Hops> hops_of(const cluster::ClusterSpec& cluster) {
  const std::vector<workload::ServiceSpec>& all = cluster.services;
  if (std::none_of(all.begin(), all.end(), [](const auto& one) { return one.produces.has_value(); }))
    return {};
  std::vector<metrics::LedgerSpec::Hops> hops(all.size());
  for (std::size_t s = 0; s < all.size(); ++s) {
    if (all[s].produces) hops[s].makes = all[s].produces->hop;
    const auto places = [&](const workload::FlowSpec& flow) { return flow.topic == all[s].topic; };
    if (std::any_of(cluster.flows.begin(), cluster.flows.end(), places)) hops[s].reads.push_back(0);
    for (const workload::ServiceSpec& other : all) {
      if (other.produces && other.produces->topic == all[s].topic)
        hops[s].reads.push_back(other.produces->hop);
    }
  }
  return hops;
}

metrics::LedgerSpec ledger_spec(const cluster::ClusterSpec& cluster) {
  metrics::LedgerSpec spec;
  spec.services = cluster.services.size();
  for (const auto& service : cluster.services) spec.works_out_of_order.push_back(service.workers > 1);
  for (const workload::FlowSpec& flow : cluster.flows)
    spec.services_of_flow.push_back(services_behind(cluster.services, flow.topic));
  spec.hops = hops_of(cluster);
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
  for (const workload::ServiceSpec& service : cluster.services) {
    if (service.produces) spec.acks_all_of_hop.push_back(service.produces->producer.acks == -1);
    spec.read_committed_of_service.push_back(service.consumer.isolation_level ==
                                             client::IsolationLevel::read_committed);
  }
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
