#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "check/metadata_invariants.h"
#include "check/raft_invariants.h"
#include "cluster/cluster.h"
#include "cluster/shop.h"

// Whole clusters without applications, watched by the invariants of the quorum and of the metadata.
namespace sim::cluster::test {

inline ClusterSpec idle_cluster(std::uint64_t seed, std::int32_t partitions) {
  ClusterSpec spec;
  spec.seed = seed;
  for (std::int32_t i = 1; i <= 3; ++i) {
    spec.controllers.emplace_back();
    spec.controllers.back().id = NodeId{3000 + i};
    spec.brokers.emplace_back();
    spec.brokers.back().id = NodeId{i};
  }
  connect(spec);
  spec.topics = {TopicSpec{"orders", partitions, 3, {}}};
  return spec;
}

// The active controller dies or is cut off again and again, for five seconds out of ten. With every other
// seed snapshots are taken and the log is cleaned every few seconds, so that who comes back finds its place
// in the log gone.
inline ClusterSpec failing_controller(std::uint64_t seed) {
  using namespace std::chrono_literals;
  ClusterSpec spec = idle_cluster(seed, 6);
  if (seed % 2 == 0) {
    spec.metadata_snapshots.max_interval_ms = 2'000;
    spec.quorum.clean_interval = 1s;
    spec.quorum.retention = 1s;
  }
  const fault::Targets active = {fault::ActiveController{}};
  fault::Fault fault;
  fault.name = "fails";
  switch (seed % 3) {
    case 0: fault.kind = fault::Kill{active}; break;
    case 1: fault.kind = fault::PowerLoss{active}; break;
    default: fault.kind = fault::Partition{fault::Isolate{active}, fault::Direction::both}; break;
  }
  fault.at = Instant{5s};
  fault.every = 10s;
  fault.lasts = 5s;
  spec.faults = {fault};
  spec.load_ends_at = 30s;  // faults come until then
  return spec;
}

class Fencings final : public observe::Observer {
 public:
  void on(const observe::Observation& seen) override {
    const auto* state = std::get_if<observe::BrokerStateChanged>(&seen.fact);
    if (state != nullptr && state->fenced) ++count;
  }
  int count = 0;
};

struct QuorumWorld {
  explicit QuorumWorld(const ClusterSpec& spec) : cluster(spec) {
    cluster.observe(quorum);
    cluster.observe(metadata);
    cluster.observe(fencings);
  }

  void play_until(Duration end) { test::play_until(cluster, end); }
  // "name: what", of all that was broken.
  std::vector<std::string> violations() const {
    std::vector<std::string> all;
    for (const auto& one : quorum.violations()) all.push_back(one.invariant + ": " + one.what);
    for (const auto& one : metadata.violations()) all.push_back(one.invariant + ": " + one.what);
    return all;
  }

  check::RaftInvariants quorum;
  check::MetadataInvariants metadata;
  Fencings fencings;
  Cluster cluster;
};

}  // namespace sim::cluster::test
