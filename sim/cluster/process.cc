#include "cluster/process.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "replica/log_directories.h"

namespace sim::cluster {
namespace {

// Where in its period a task stands that has gone on since long before the run: how long until its next turn.
template <class Number>
Number drawn_phase(Number period, Rng& rng) {
  return period <= 0 ? period : static_cast<Number>(rng.below(static_cast<std::uint64_t>(period)) + 1);
}

// Gathers the processes in the order of their ids.
class Census {
 public:
  Census(const ClusterSpec& spec, const kernel::Streams& streams) : spec_(spec), streams_(streams) {
    const auto dedicated = spec.combined ? 0 : static_cast<std::int32_t>(spec.controllers.size());
    for (std::size_t i = 0; i < spec.brokers.size(); ++i) {
      broker_ids_.emplace_back(dedicated + static_cast<std::int32_t>(i));
    }
    for (std::size_t i = 0; i < spec.controllers.size(); ++i) {
      const NodeId id = spec.controllers[i].id;
      const ProcessId process = spec.combined ? broker_process(id) : ProcessId{static_cast<std::int32_t>(i)};
      voters_.push_back(QuorumVoter{replica_key(id, process), process});
    }
    quotas_ = client_quotas();
  }

  Processes take() {
    result_.cpu = spec_.cpu;
    for (std::size_t i = 0; i < spec_.controllers.size() && !spec_.combined; ++i) add_controller(i);
    for (std::size_t i = 0; i < spec_.brokers.size(); ++i) add_broker(i);
    for (std::size_t i = 0; i < spec_.flows.size(); ++i) add_flow(i);
    for (std::size_t i = 0; i < spec_.services.size(); ++i) add_service(i);
    for (std::size_t i = 0; i < spec_.faults.size(); ++i) add_operator(i);
    return std::move(result_);
  }

 private:
  net::Endpoint add_machine(const std::string& rack, bool is_client) {
    result_.machines.push_back({rack, is_client});
    return static_cast<net::Endpoint>(result_.machines.size() - 1);
  }
  ProcessId next_id() const { return ProcessId{static_cast<std::int32_t>(result_.specs.size())}; }
  void add(ProcessSpec process) {
    give_processors(process);
    result_.names.processes.push_back(process.name);
    result_.specs.push_back(std::move(process));
  }

  // Every process has a disk of its own.
  static ReplicaKey replica_key(NodeId id, ProcessId process) {
    return {id, DirectoryId{static_cast<std::uint64_t>(process.value()) + 1}};
  }
  ProcessId broker_process(NodeId id) const {
    for (std::size_t i = 0; i < spec_.brokers.size(); ++i) {
      if (spec_.brokers[i].id == id) return broker_ids_[i];
    }
    SIM_CHECK(false, "a combined controller is a broker, too");
    return kNoProcess;
  }

  void give_processors(ProcessSpec& process);
  std::vector<MetadataRecord> bootstrap_records() const;
  std::vector<std::vector<DirectoryId>> directories(const TopicSpec& topic) const;
  raft::ReplicaSpec replica(NodeId id, bool has_controller) const;
  controller::ControllerBoot controller_boot(const ControllerSpec& controller) const;
  std::shared_ptr<const server::ClientQuotas> client_quotas() const;
  void add_controller(std::size_t index);
  void add_broker(std::size_t index);
  void add_flow(std::size_t index);
  void add_service(std::size_t index);
  void draw_phases(client::ConsumerConfig& consumer, const std::string& process) const;
  void add_operator(std::size_t fault);

  const ClusterSpec& spec_;
  const kernel::Streams& streams_;
  std::vector<QuorumVoter> voters_;
  std::vector<ProcessId> broker_ids_;
  std::shared_ptr<const server::ClientQuotas> quotas_;
  Processes result_;
};

// Applications have machines without limits, unless all share one.
void Census::give_processors(ProcessSpec& process) {
  const CpuSpec& cpu = spec_.cpu;
  process.has_pauses = process.serves && cpu.has_pauses();
  if (!cpu.has_cores() || !(process.serves || cpu.shared)) return;
  if (!cpu.shared || result_.processors.empty())
    result_.processors.push_back(cpu.shared ? "processors" : "processors/" + process.name);
  process.processors = static_cast<std::int32_t>(result_.processors.size()) - 1;
}

raft::ReplicaSpec Census::replica(NodeId id, bool has_controller) const {
  raft::ReplicaSpec spec;
  spec.self = replica_key(id, next_id());
  spec.process = next_id();
  spec.voters = voters_;
  spec.always_flush = has_controller;
  spec.config = spec_.quorum;
  spec.history = spec_.history;
  return spec;
}

controller::ControllerBoot Census::controller_boot(const ControllerSpec& controller) const {
  return {next_id(), controller.id, 0, controller.config, bootstrap_records()};
}

// Processes are called by their number in the scenario, whatever their node id.
void Census::add_controller(std::size_t index) {
  const ControllerSpec& controller = spec_.controllers[index];
  ProcessSpec process;
  process.name = "controller-" + std::to_string(index + 1);
  process.controller = controller.id;
  process.boot = ServerBoot{replica(controller.id, true), controller_boot(controller), std::nullopt,
                            spec_.metadata_snapshots};
  process.machine = add_machine(controller.rack, false);
  process.serves = true;
  process.threads.io_threads = 1;  // everything passes the controller's single event queue
  process.machine_spec = controller.machine;
  process.disk = controller.disk;
  process.start_time = controller.start_time;
  process.exit_time = controller.exit_time;
  add(std::move(process));
}

void Census::add_broker(std::size_t index) {
  const BrokerSpec& broker = spec_.brokers[index];
  ProcessSpec process;
  process.name = "broker-" + std::to_string(broker.id.value());
  process.broker = broker.id;
  ServerBoot boot;
  for (const ControllerSpec& controller : spec_.controllers) {
    if (!spec_.combined || controller.id != broker.id) continue;
    process.controller = controller.id;
    boot.controller = controller_boot(controller);
  }
  boot.quorum = replica(broker.id, boot.controller.has_value());
  broker::BrokerBoot& role = boot.broker.emplace();
  role.self = next_id();
  role.id = broker.id;
  role.rack = broker.rack;
  role.config = broker.config;
  role.config.client_quotas = quotas_;
  role.phases = streams_.get("phases/" + process.name);
  role.open_logs_after = broker.open_logs_time;
  boot.snapshots = spec_.metadata_snapshots;
  process.boot = std::move(boot);
  process.machine = add_machine(broker.rack, false);
  process.serves = true;
  process.threads = {broker.config.num_network_threads, broker.config.num_io_threads,
                     broker.config.queued_max_requests};
  process.machine_spec = broker.machine;
  process.disk = broker.disk;
  process.log_dirs = broker.config.log_dirs;
  process.start_time = broker.start_time;
  process.exit_time = broker.exit_time;
  add(std::move(process));
}

// A client is known by its application: the processes of one share a client id, and so a quota.
std::shared_ptr<const server::ClientQuotas> Census::client_quotas() const {
  if (spec_.quotas.empty()) return nullptr;
  auto result = std::make_shared<server::ClientQuotas>();
  const std::size_t dedicated = spec_.combined ? 0 : spec_.controllers.size();
  result->of_process.assign(dedicated + spec_.brokers.size(), -1);
  const auto add = [&](const std::string& client, std::int32_t processes) {
    std::int32_t index = -1;
    for (const ClientQuotaSpec& one : spec_.quotas) {
      if (one.client != client) continue;
      index = static_cast<std::int32_t>(result->quotas.size());
      result->quotas.push_back(one.quota);
    }
    result->of_process.insert(result->of_process.end(), static_cast<std::size_t>(processes), index);
  };
  for (const workload::FlowSpec& flow : spec_.flows) add(flow.name, 1);
  for (const workload::ServiceSpec& service : spec_.services) add(service.name, service.members);
  return result;
}

void Census::add_flow(std::size_t index) {
  const workload::FlowSpec& flow = spec_.flows[index];
  ProcessSpec process;
  process.name = flow.name;
  process.application = flow.name;
  process.boot = workload::OrderServiceBoot{
      .self = next_id(),
      .flow = FlowId{static_cast<std::int32_t>(index)},
      .spec = flow,
      .bootstrap = broker_ids_,
      .load_ends_at = spec_.load_ends_at,
      .rng = streams_.get("workload/" + flow.name),
  };
  process.machine = add_machine(flow.rack, true);
  process.start_time = flow.start_time;
  result_.names.flows.push_back(flow.name);
  Rng phases = streams_.get("phases/" + process.name);
  client::ProducerConfig& producer = std::get<workload::OrderServiceBoot>(process.boot).spec.producer;
  producer.first_metadata_age_ms = drawn_phase(producer.metadata_max_age_ms, phases);
  if (const auto* trace = std::get_if<workload::TraceArrivals>(&flow.arrivals))
    result_.names.recorded_keys = trace->keys;
  for (const Deployment& deployment : spec_.deployments) {
    const auto* deployed = std::get_if<workload::FlowSpec>(&deployment.client);
    if (deployed == nullptr || deployed->name != flow.name) continue;
    workload::OrderServiceBoot boot = std::get<workload::OrderServiceBoot>(process.boot);
    boot.spec = *deployed;
    process.deployed.emplace_back(deployment.fault, std::move(boot));
  }
  add(std::move(process));
}

void Census::add_service(std::size_t index) {
  const workload::ServiceSpec& service = spec_.services[index];
  result_.names.services.push_back(service.name);
  result_.names.groups.push_back(service.consumer.group_id);
  Rng stagger = streams_.get("start/" + service.name);
  Instant starts_at = Instant{} + service.start_at;
  for (std::int32_t member = 0; member < service.members; ++member) {
    ProcessSpec process;
    process.name = service.name + "[" + std::to_string(member) + "]";
    process.application = service.name;
    process.member = member;
    process.boot = workload::ServiceMemberBoot{
        .self = next_id(),
        .service = observe::ServiceId{static_cast<std::int32_t>(index)},
        .member = member,
        .spec = service,
        .bootstrap = broker_ids_,
        .rng = streams_.get("workload/" + process.name),
    };
    for (const Deployment& deployment : spec_.deployments) {
      const auto* deployed = std::get_if<workload::ServiceSpec>(&deployment.client);
      if (deployed == nullptr || deployed->name != service.name) continue;
      workload::ServiceMemberBoot boot = std::get<workload::ServiceMemberBoot>(process.boot);
      boot.spec = *deployed;
      process.deployed.emplace_back(deployment.fault, std::move(boot));
    }
    draw_phases(std::get<workload::ServiceMemberBoot>(process.boot).spec.consumer, process.name);
    process.machine = add_machine(service.rack, true);
    process.start_time = service.start_time;
    if (member > 0) starts_at += Duration{service.start_stagger.sample(stagger)};
    process.starts_at = starts_at;
    add(std::move(process));
  }
}

void Census::draw_phases(client::ConsumerConfig& consumer, const std::string& process) const {
  Rng phases = streams_.get("phases/" + process);
  consumer.first_metadata_age_ms = drawn_phase(consumer.metadata_max_age_ms, phases);
  consumer.first_auto_commit_ms = drawn_phase(consumer.auto_commit_interval_ms, phases);
}

// Where an operator sits, in no rack; nobody if the fault needs none.
void Census::add_operator(std::size_t fault) {
  const auto* admin = std::get_if<fault::Admin>(&spec_.faults[fault].kind);
  if (admin == nullptr) return;
  ProcessSpec process;
  process.name = "admin(" + spec_.faults[fault].name + ")";
  const FaultId id{static_cast<std::int32_t>(fault)};
  process.boot = workload::OperatorBoot{next_id(), id, admin->action, broker_ids_};
  process.machine = add_machine({}, true);
  process.acts_for = id;
  add(std::move(process));
}

std::vector<std::vector<DirectoryId>> Census::directories(const TopicSpec& topic) const {
  std::vector<std::vector<DirectoryId>> result;
  for (std::size_t partition = 0; partition < topic.directories.size(); ++partition) {
    std::vector<DirectoryId>& ids = result.emplace_back();
    for (std::size_t i = 0; i < topic.directories[partition].size(); ++i) {
      const ProcessId broker = broker_process(topic.replicas[partition][i]);
      const std::int32_t directory = topic.directories[partition][i];
      ids.push_back(replica::LogDirectories(broker, directory + 1, 0, 0).id(directory));
    }
  }
  return result;
}

// What `kafka-storage format` and the first minutes of a cluster's life have left in its metadata: every
// broker registered and unfenced, the listed topics created.
std::vector<MetadataRecord> Census::bootstrap_records() const {
  std::vector<controller::BootstrapController> controllers;
  for (const QuorumVoter& voter : voters_) controllers.push_back({voter.key.id, voter.endpoint});
  std::vector<controller::BootstrapBroker> brokers;
  for (std::size_t i = 0; i < spec_.brokers.size(); ++i) {
    const BrokerSpec& broker = spec_.brokers[i];
    brokers.push_back(
        {broker.id, broker_ids_[i], broker.rack, broker.config.history.cordoned_log_directories});
  }
  std::vector<controller::BootstrapTopic> topics;
  for (const TopicSpec& topic : spec_.topics) {
    topics.push_back({topic.name, topic.partitions, topic.replication_factor, topic.config, topic.replicas,
                      directories(topic)});
  }
  const bool eligible_leader_replicas =
      !spec_.controllers.empty() && spec_.controllers.front().config.history.eligible_leader_replicas;
  return controller::bootstrap_records(eligible_leader_replicas, controllers, brokers, topics,
                                       streams_.get("controller/bootstrap"));
}

}  // namespace

Processes processes_of(const ClusterSpec& spec, const kernel::Streams& streams) {
  return Census(spec, streams).take();
}

// `kafka-storage format` gives an empty disk an id that no disk has had.
static DirectoryId formatted(DirectoryId first, std::uint32_t times_replaced) {
  return DirectoryId{first.value() | std::uint64_t{times_replaced} << 32};
}

std::unique_ptr<node::Node> boot(const ProcessSpec& spec, std::optional<FaultId> deployed,
                                 const node::DurableImage& image, Incarnation incarnation) {
  const Boot* chosen = &spec.boot;
  for (const auto& [fault, boot_then] : spec.deployed) {
    if (fault == deployed) chosen = &boot_then;
  }
  return std::visit(Overloaded{
                        [&](ServerBoot boot) -> std::unique_ptr<node::Node> {
                          if (boot.broker) boot.broker->incarnation = incarnation;
                          if (boot.broker && incarnation != Incarnation{}) boot.broker->phases.reset();
                          if (boot.controller) boot.controller->incarnation = incarnation.value();
                          boot.quorum.self.directory = formatted(boot.quorum.self.directory, image.replaced);
                          return std::make_unique<SharedServer>(boot, image);
                        },
                        [&](workload::OrderServiceBoot boot) {
                          if (incarnation != Incarnation{}) boot.spec.producer.first_metadata_age_ms = 0;
                          return workload::boot_order_service(boot);
                        },
                        [&](workload::ServiceMemberBoot boot) {
                          if (incarnation != Incarnation{}) boot.spec.consumer.first_metadata_age_ms = 0;
                          if (incarnation != Incarnation{}) boot.spec.consumer.first_auto_commit_ms = 0;
                          return workload::boot_service_member(boot);
                        },
                        [](const workload::OperatorBoot& boot) { return workload::boot_operator(boot); },
                        [](const Prototype& prototype) { return prototype->clone(); },
                    },
                    *chosen);
}

}  // namespace sim::cluster
