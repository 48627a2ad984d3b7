#include "scenario/build.h"

#include <cstdint>
#include <string>
#include <utility>

#include "history/table.h"
#include "scenario/clients.h"
#include "scenario/distribution.h"
#include "scenario/faults.h"
#include "scenario/property_values.h"
#include "scenario/read_values.h"
#include "scenario/units.h"

namespace sim::scenario {

namespace {

using workload::Arrivals;
using workload::CommitMode;

std::int64_t rate(const Value& value) {
  return number_of(value, UnitKind::rate);
}

class Builder {
 public:
  Builder(const Value& root, const Traces& traces, Report& report)
      : root_(root), traces_(traces), report_(report) {}

  cluster::ClusterSpec build() {
    cluster::ClusterSpec spec;
    const Value& cluster = root_.at("cluster");
    spec.seed = static_cast<std::uint64_t>(number_of(root_.at("seed"), UnitKind::none));
    spec.combined = cluster.at("combined").text == "true";
    spec.load_ends_at = duration_of(root_.at("duration"));
    spec.network = network(cluster.at("network"));
    spec.cpu = cpu(cluster.at("cpu"));
    add_servers(cluster, spec);
    set_quorum(cluster, spec);
    add_quotas(cluster, spec);
    for (const Entry& topic : root_.at("topics").entries) spec.topics.push_back(topic_spec(topic));
    for (const Entry& client : root_.at("clients").entries) {
      if (places_orders(client.value)) {
        spec.flows.push_back(flow(client));
      } else {
        spec.services.push_back(service(client));
      }
    }
    number_hops(spec);
    spec.faults = build_faults(root_, spec, report_);
    spec.fixed_targets = build_fixed_targets(root_, spec, report_);
    add_deployments(spec);
    return spec;
  }

 private:
  // A deployment is a client of its own, made of the one it takes the place of.
  void add_deployments(cluster::ClusterSpec& spec) {
    const Value* faults = root_.find("faults");
    if (faults == nullptr) return;
    for (std::size_t i = 0; i < faults->items.size(); ++i) {
      const Value* deploy = faults->items[i].find("deploy");
      if (deploy == nullptr) continue;
      const FaultId id{static_cast<std::int32_t>(i)};
      for (const Entry& client : deployed_clients(root_, *deploy)) {
        if (places_orders(client.value)) {
          spec.deployments.push_back({id, flow(client)});
        } else {
          workload::ServiceSpec changed = service(client);
          for (const workload::ServiceSpec& one : spec.services) {
            if (one.name == changed.name && one.produces) changed.produces->hop = one.produces->hop;
          }
          spec.deployments.push_back({id, std::move(changed)});
        }
      }
    }
  }

  // The services that send on, in order: an order's record tells by it who made it.
  static void number_hops(cluster::ClusterSpec& spec) {
    std::int32_t hop = 0;
    for (workload::ServiceSpec& service : spec.services) {
      if (service.produces) service.produces->hop = ++hop;
    }
  }

  Distribution times(const Value& value) { return make_distribution(value, UnitKind::duration, 1, report_); }

  cluster::LinkSpec link(const Value& value) {
    return {make_distribution(value.at("rtt"), UnitKind::duration, 2, report_),
            number_of(value.at("bandwidth"), UnitKind::bandwidth)};
  }

  cluster::NetworkSpec network(const Value& value) {
    cluster::NetworkSpec spec;
    spec.between = link(value);
    spec.clients = link(value.at("clients"));
    add_matrix(value, spec);
    const Value* links = value.find("links");
    if (links == nullptr) return spec;
    for (const Value& pair : links->items) {
      const std::string& a = pair.at("between").items[0].text;
      const std::string& b = pair.at("between").items[1].text;
      spec.rack_pairs[{a, b}] = link(pair);
      spec.rack_pairs[{b, a}] = spec.rack_pairs[{a, b}];
    }
    return spec;
  }

  // It says nothing of bandwidth: only the cards limit it.
  void add_matrix(const Value& value, cluster::NetworkSpec& spec) {
    const Value* matrix = value.find("matrix");
    if (matrix == nullptr) return;
    for (const Entry& row : matrix->entries) {
      for (const Entry& cell : row.value.entries) {
        const cluster::LinkSpec link{make_distribution(cell.value, UnitKind::duration, 2, report_), 0};
        spec.rack_pairs[{row.key, cell.key}] = spec.rack_pairs[{cell.key, row.key}] = link;
      }
    }
  }

  // Kafka looks for each quota of its own: the client's, else the default one.
  void add_quotas(const Value& cluster, cluster::ClusterSpec& spec) {
    const Value* quotas = cluster.find("quotas");
    if (quotas == nullptr) return;
    const Value* defaults = quotas->find("default");
    for (const Entry& client : root_.at("clients").entries) {
      const Value* own = quotas->find(client.key);
      const auto limit = [&](std::string_view key, UnitKind unit) {
        const Value* found = own == nullptr ? nullptr : own->find(key);
        if (found == nullptr && defaults != nullptr) found = defaults->find(key);
        return found == nullptr ? server::ClientQuota::kNoLimit : number_of(*found, unit);
      };
      cluster::ClientQuotaSpec quota{client.key, {}};
      quota.quota.producer_byte_rate = limit("producer_byte_rate", UnitKind::byte_rate);
      quota.quota.consumer_byte_rate = limit("consumer_byte_rate", UnitKind::byte_rate);
      quota.quota.request_nanos_per_second = limit("request_percentage", UnitKind::ratio);
      constexpr std::int64_t kNanosOfAHundredth = 100'000;  // 1 % of a second is 10 ms
      if (quota.quota.request_nanos_per_second != server::ClientQuota::kNoLimit)
        quota.quota.request_nanos_per_second *= kNanosOfAHundredth;
      if (quota.quota != server::ClientQuota{}) spec.quotas.push_back(quota);
    }
  }

  // Brokers are 1 to N, controllers 3001 and up, as in Kafka's examples; a combined one is the broker of its
  // number.
  void add_servers(const Value& cluster, cluster::ClusterSpec& spec) {
    cluster::BrokerSpec broker;
    cluster::ControllerSpec controller;
    apply_properties(cluster.at("config"), kBroker | kController,
                     Targets{.broker = &broker.config, .controller = &controller.config});
    broker.disk = controller.disk = disk(cluster.at("disk"));
    broker.machine = controller.machine = machine(cluster.at("machine"));
    broker.start_time = controller.start_time = times(cluster.at("start.time"));
    broker.exit_time = controller.exit_time = times(cluster.at("exit.time"));
    broker.open_logs_time = times(cluster.at("open.logs.time"));
    const std::vector<Value>& racks = cluster.at("racks").items;
    const auto rack_of = [&racks](std::int64_t id) {
      return racks.empty() ? std::string{} : racks[static_cast<std::size_t>(id - 1) % racks.size()].text;
    };
    for (std::int64_t id = 1; id <= number_of(cluster.at("brokers"), UnitKind::none); ++id) {
      broker.id = NodeId{static_cast<std::int32_t>(id)};
      broker.rack = rack_of(id);
      spec.brokers.push_back(broker);
    }
    for (std::int64_t id = 1; id <= number_of(cluster.at("controllers"), UnitKind::none); ++id) {
      controller.id = NodeId{static_cast<std::int32_t>(spec.combined ? id : 3000 + id)};
      controller.rack = rack_of(id);
      spec.controllers.push_back(controller);
    }
  }

  cluster::CpuSpec cpu(const Value& value) {
    constexpr std::int64_t kMillionthsOfAHundredth = 10'000;
    constexpr std::int64_t kLeastBurstNs = 100'000;  // shorter ones would have to be made up by the million
    cluster::CpuSpec spec;
    spec.cores = static_cast<std::int32_t>(count_of(value.at("cores")));
    spec.shared = value.at("shared").text == "true";
    spec.per_wakeup = times(value.at("per.wakeup"));
    spec.others_millionths = number_of(value.at("others.share"), UnitKind::ratio) * kMillionthsOfAHundredth;
    spec.others_burst = times(value.at("others.burst"));
    spec.pause_interval = times(value.at("pauses").at("interval"));
    spec.pause_length = times(value.at("pauses").at("length"));
    if (spec.others_burst.mean() < kLeastBurstNs) {
      report_.error(value.at("others.burst").place,
                    "cluster.cpu.others.burst is shorter than 100us on average",
                    "for many small ones give a larger burst and the same others.share");
    }
    return spec;
  }

  static void set_quorum(const Value& cluster, cluster::ClusterSpec& spec) {
    apply_properties(cluster.at("config"), kBroker | kController,
                     Targets{.quorum = &spec.quorum, .snapshots = &spec.metadata_snapshots});
    const Value& given = cluster.at("history");
    for (const history::Switch& one : history::switches())
      history::behaviour_called(one, given.at(one.name).text).apply(spec.history);
    for (cluster::ControllerSpec& controller : spec.controllers) controller.config.history = spec.history;
    for (cluster::BrokerSpec& broker : spec.brokers) broker.config.history = spec.history;
  }

  cluster::DiskSpec disk(const Value& value) {
    return {times(value.at("append")), times(value.at("flush")),
            number_of(value.at("bandwidth"), UnitKind::byte_rate),
            number_of(value.at("read"), UnitKind::byte_rate)};
  }

  cluster::MachineSpec machine(const Value& value) {
    return {times(value.at("network.per.request")),
            number_of(value.at("network.per.kib"), UnitKind::duration), times(value.at("io.per.request")),
            number_of(value.at("io.per.kib"), UnitKind::duration)};
  }

  cluster::TopicSpec topic_spec(const Entry& topic) {
    cluster::TopicSpec spec;
    spec.name = topic.key;
    spec.partitions = static_cast<std::int32_t>(number_of(topic.value.at("partitions"), UnitKind::none));
    spec.replication_factor =
        static_cast<std::int16_t>(number_of(topic.value.at("replication.factor"), UnitKind::none));
    if (const Value* replicas = topic.value.find("replicas")) {
      for (const Value& partition : replicas->items) {
        std::vector<NodeId>& nodes = spec.replicas.emplace_back();
        for (const Value& broker : partition.items)
          nodes.push_back(NodeId{static_cast<std::int32_t>(count_of(broker))});
      }
    }
    if (const Value* directories = topic.value.find("directories")) {
      for (const Value& partition : directories->items) {
        std::vector<std::int32_t>& places = spec.directories.emplace_back();
        for (const Value& one : partition.items)
          places.push_back(static_cast<std::int32_t>(count_of(one)) - 1);
      }
    }
    apply_properties(topic.value.at("config"), kTopic, Targets{.topic = &spec.config});
    spec.config.compression_percent =
        static_cast<std::int32_t>(number_of(topic.value.at("compression"), UnitKind::ratio));
    return spec;
  }

  static std::string rack_of(const Entry& client) {
    const Value* rack = client.value.find("rack");
    return rack == nullptr ? std::string{} : rack->text;
  }

  workload::FlowSpec flow(const Entry& client) {
    const Value& value = client.value;
    workload::FlowSpec spec;
    spec.name = client.key;
    spec.rack = rack_of(client);
    spec.topic = value.at("produces").text;
    spec.arrivals = arrivals(client);
    if (const Value* orders = value.at("arrivals").find("orders"))
      spec.max_orders = number_of(*orders, UnitKind::none);
    const Value& key = value.at("key");
    spec.keyed = key.is_map();
    if (const Value* zipf = key.find("zipf")) {
      spec.key = Distribution::zipf(number_of(zipf->at("n"), UnitKind::none),
                                    static_cast<std::int32_t>(number_of(zipf->at("s"), UnitKind::ratio)));
    } else if (const Value* uniform = key.find("uniform")) {
      spec.key = Distribution::uniform(0, number_of(uniform->at("n"), UnitKind::none));
    }
    spec.record_bytes = make_distribution(value.at("record.size"), UnitKind::size, 1, report_);
    spec.start_at = duration_of(value.at("start"));
    spec.start_time = times(value.at("start.time"));
    apply_properties(value.at("config"), kProducer, Targets{.producer = &spec.producer});
    if (const Value* id = value.find("transactional.id")) spec.producer.transactional_id = id->text;
    if (const Value* transaction = value.find("transaction")) {
      if (const Value* orders = transaction->find("orders"))
        spec.orders_per_transaction = static_cast<std::int32_t>(count_of(*orders));
      spec.aborts_millionths = share_of(transaction->at("abort"));
    }
    return spec;
  }

  static std::int32_t share_of(const Value& value) {
    return static_cast<std::int32_t>(number_of(value, UnitKind::share));
  }

  // What a service that consumes sends on.
  workload::OnwardSpec onward(const Value& value) {
    workload::OnwardSpec spec;
    spec.topic = value.at("produces").text;
    spec.record_bytes = make_distribution(value.at("record.size"), UnitKind::size, 1, report_);
    apply_properties(value.at("producer.config"), kProducer, Targets{.producer = &spec.producer});
    if (const Value* id = value.find("transactional.id")) {
      spec.producer.transactional_id = id->text;
      spec.id_per_start = value.at("transactional.id.per").text == "start";
      spec.sends_group_metadata = value.at("group.metadata").text == "true";
      spec.aborts_millionths = share_of(value.at("transaction").at("abort"));
    }
    for (const auto& [client, trace] : traces_) {
      if (trace.keys != nullptr) spec.recorded_keys = trace.keys;
    }
    return spec;
  }

  Arrivals arrivals(const Entry& client) {
    const Value& value = client.value.at("arrivals");
    if (const Value* constant = value.find("constant")) return workload::ConstantArrivals{rate(*constant)};
    if (const Value* poisson = value.find("poisson")) return workload::PoissonArrivals{rate(*poisson)};
    if (const Value* ramp = value.find("ramp"))
      return workload::RampArrivals{rate(ramp->at("from")), rate(ramp->at("to")),
                                    duration_of(ramp->at("over"))};
    if (const Value* burst = value.find("burst")) {
      return workload::BurstArrivals{rate(burst->at("base")), rate(burst->at("peak")),
                                     duration_of(burst->at("every")), duration_of(burst->at("length"))};
    }
    if (const Value* daily = value.find("daily")) {
      return workload::DailyArrivals{rate(daily->at("low")), rate(daily->at("high")),
                                     duration_of(daily->at("day")), duration_of(daily->at("peak.at"))};
    }
    return traces_.at(client.key);
  }

  workload::ServiceSpec service(const Entry& client) {
    const Value& value = client.value;
    workload::ServiceSpec spec;
    spec.name = client.key;
    spec.rack = rack_of(client);
    spec.topic = value.at("consumes").text;
    spec.members = static_cast<std::int32_t>(number_of(value.at("members"), UnitKind::none));
    spec.service_time = times(value.at("service"));
    const std::string& commit = value.at("commit").text;
    spec.commit = commit == "auto"          ? CommitMode::auto_commit
                  : commit == "after-batch" ? CommitMode::after_batch
                  : commit == "after-each"  ? CommitMode::after_each
                  : commit == "transaction" ? CommitMode::transaction
                                            : CommitMode::before;
    spec.workers = static_cast<std::int32_t>(number_of(value.at("workers"), UnitKind::none));
    const std::string& order = value.at("order").text;
    spec.order = order == "key"    ? workload::WorkOrder::key
                 : order == "none" ? workload::WorkOrder::none
                                   : workload::WorkOrder::partition;
    if (value.at("commit.position").text == "highest")
      spec.commit_position = workload::CommitPosition::highest;
    spec.start_at = duration_of(value.at("start"));
    spec.start_stagger = times(value.at("start.stagger"));
    spec.start_time = times(value.at("start.time"));
    apply_properties(value.at("config"), kConsumer, Targets{.consumer = &spec.consumer});
    spec.consumer.group_id = value.at("group.id").text;
    spec.consumer.enable_auto_commit = spec.commit == CommitMode::auto_commit;
    if (sends_on(value)) spec.produces = onward(value);
    return spec;
  }

  const Value& root_;
  const Traces& traces_;
  Report& report_;
};

}  // namespace

cluster::ClusterSpec build_cluster(const Value& root, const Traces& traces, Report& report) {
  return Builder(root, traces, report).build();
}

}  // namespace sim::scenario
