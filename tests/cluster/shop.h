#pragma once

#include <cstdint>
#include <string>

#include "cluster/spec.h"

// The parts of a small shop, for tests that put together a cluster with an order flow.
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

}  // namespace sim::cluster::test
