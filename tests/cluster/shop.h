#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "cluster/cluster.h"

// The parts of a small shop, for tests that put together a cluster with an order flow; playing it, and what
// became of the orders.
namespace sim::cluster::test {

inline void connect(ClusterSpec& spec) {
  spec.network.between.one_way = Distribution::lognormal(200'000, 1'000'000);
  spec.network.clients = spec.network.between;
}

// Of three replicas, of which two must be in sync.
inline TopicSpec orders_topic(std::int32_t partitions) {
  TopicSpec topic{"orders", partitions, 3, {}};
  topic.config.min_insync_replicas = 2;
  return topic;
}

inline workload::FlowSpec order_service(std::int64_t milli_per_s, Duration start_at) {
  workload::FlowSpec flow;
  flow.name = "order-service";
  flow.topic = "orders";
  flow.arrivals = workload::PoissonArrivals{milli_per_s};
  flow.start_at = start_at;
  return flow;
}

inline workload::FlowSpec keyed(workload::FlowSpec flow, std::int64_t keys) {
  flow.keyed = true;
  flow.key = Distribution::zipf(keys, 110);
  return flow;
}

inline workload::ServiceSpec service(const std::string& name) {
  workload::ServiceSpec service;
  service.name = service.consumer.group_id = name;
  service.topic = "orders";
  return service;
}

// One more fault, that ends after `lasts`.
inline void strike(ClusterSpec& spec, fault::Kind kind, Duration at, std::optional<Duration> lasts = {}) {
  fault::Fault fault;
  fault.name = "fault " + std::to_string(spec.faults.size());
  fault.kind = std::move(kind);
  fault.at = Instant{} + at;
  fault.lasts = lasts;
  spec.faults.push_back(std::move(fault));
}

// Plays it on, until `end` since its start.
inline void play_until(Cluster& cluster, Duration end) {
  cluster.set_time_limit(Instant{} + end);
  while (cluster.step()) {
  }
}

// What became of the orders: which were placed, acknowledged, and how often each was handled, by all services
// together.
class OrdersWatch : public observe::Observer {
 public:
  void on(const observe::Observation& seen) override {
    if (const auto* order = std::get_if<observe::OrderPlaced>(&seen.fact)) {
      placed.insert(order->record);
    } else if (const auto* done = std::get_if<observe::ProcessingDone>(&seen.fact)) {
      ++handled[done->record];
    } else if (const auto* acked = std::get_if<observe::BatchAcknowledged>(&seen.fact)) {
      if (acked->error != ErrorCode::none) return;
      for (const Record& record : acked->batch->application_records()) acknowledged.insert(record.id);
    }
  }
  // Each that was placed, at least once.
  bool all_handled() const {
    return std::all_of(placed.begin(), placed.end(), [&](RecordId order) { return handled.contains(order); });
  }

  std::set<RecordId> placed, acknowledged;
  std::map<RecordId, int> handled;
};

}  // namespace sim::cluster::test
