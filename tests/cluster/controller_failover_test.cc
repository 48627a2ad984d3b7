// The quorum of controllers: what becomes of decisions when the one that made them dies, and of images
// everywhere.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/overloaded.h"
#include "cluster/cluster.h"
#include "cluster/quorum_worlds.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

// Three controllers (processes 0 to 2, nodes 3001 to 3003) and three brokers (processes 3 to 5, nodes 1 to
// 3).
ClusterSpec idle_three_and_three(std::uint64_t seed) {
  return test::idle_cluster(seed, 6);
}

bool fences(const Batch& batch, NodeId broker) {
  const auto* records = std::get_if<std::vector<MetadataRecord>>(&batch.data->records);
  if (records == nullptr) return false;
  return std::any_of(records->begin(), records->end(), [broker](const MetadataRecord& record) {
    const auto* change = std::get_if<BrokerRegistrationChangeRecord>(&record);
    return change != nullptr && change->broker == broker && change->fenced > 0;
  });
}

class QuorumWatch final : public observe::Observer {
 public:
  void on(const observe::Observation& seen) override {
    std::visit(Overloaded{
                   [&](const observe::ControllerChanged& one) {
                     if (one.active) {
                       active = seen.process;
                       active_since = seen.at;
                     }
                   },
                   [&](const observe::MetadataReplayed& one) {
                     const auto [it, is_new] = digests.emplace(one.end_offset, one.digest);
                     if (it->second != one.digest) ++disagreements;
                     replayed[one.node] = one.end_offset;
                   },
                   [&](const observe::MetadataAppended& one) {
                     if (!seen_fencing && fences(one.batch, NodeId{1})) seen_fencing = one.node;
                     for (const MetadataRecord& record : records_of(one.batch)) {
                       appended += std::holds_alternative<NoOpRecord>(record) ? 0 : 1;
                       if (const auto* controller = std::get_if<RegisterControllerRecord>(&record))
                         registered[controller->controller] = controller->incarnation;
                     }
                   },
                   [&](const observe::MetadataTruncated& one) { truncated.insert(one.node); },
                   [&](const observe::MetadataSnapshotFetched& one) { fetched_snapshot.insert(one.node); },
                   [&](const observe::BrokerStateChanged& one) {
                     if (one.fenced) fenced_at[one.broker].push_back(seen.at);
                   },
                   [](const auto&) {},
               },
               seen.fact);
  }

  std::map<Offset, std::uint64_t> digests;
  int disagreements = 0;
  std::map<NodeId, Offset> replayed;
  std::map<NodeId, std::vector<Instant>> fenced_at;
  std::set<NodeId> truncated, fetched_snapshot;
  std::optional<NodeId> seen_fencing;  // by whom it was decided first
  ProcessId active = kNoProcess;
  Instant active_since{};
  std::int64_t appended = 0;                   // records that say something
  std::map<NodeId, std::uint64_t> registered;  // the incarnations of controllers, as they were written last

 private:
  static std::vector<MetadataRecord> records_of(const Batch& batch) {
    const auto* records = std::get_if<std::vector<MetadataRecord>>(&batch.data->records);
    return records == nullptr ? std::vector<MetadataRecord>{} : *records;
  }
};

struct FailoverWorld {
  explicit FailoverWorld(const ClusterSpec& spec) : cluster(spec) { cluster.observe(watch); }

  void play_until(Duration until) { test::play_until(cluster, until); }
  template <class Condition>
  void play_until(Duration until, Condition condition) {
    cluster.set_time_limit(Instant{} + until);
    while (!condition() && cluster.step()) {
    }
    REQUIRE(condition());
  }

  Cluster cluster;
  QuorumWatch watch;
};

TEST_CASE(
    "a decision that its controller does not live to see committed is made again, a whole session later") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    FailoverWorld world(idle_three_and_three(seed));
    world.play_until(10s);
    const ProcessId first = world.watch.active;
    REQUIRE(first != kNoProcess);
    world.cluster.crash(ProcessId{3}, CrashMode::kill);
    world.play_until(25s, [&] { return world.watch.seen_fencing.has_value(); });
    CHECK(*world.watch.seen_fencing == NodeId{3001 + first.value()});
    CHECK(world.watch.fenced_at.empty());  // it is written, nothing more
    world.cluster.crash(first, CrashMode::power_loss);

    world.play_until(40s, [&] { return world.watch.active != first; });
    const Instant took_over = world.watch.active_since;
    world.play_until(60s, [&] { return world.watch.fenced_at.contains(NodeId{1}); });
    const Instant fenced = world.watch.fenced_at[NodeId{1}].front();
    CHECK(fenced > took_over + 9s);
    CHECK(fenced < took_over + 9s + 50ms);
    CHECK(world.watch.fenced_at.size() == 1);

    world.cluster.restart(first);
    world.play_until(70s);
    CHECK(world.watch.active != first);
    CHECK(world.watch.disagreements == 0);
    CHECK(world.watch.fenced_at[NodeId{1}].size() == 1);
    const Offset end = world.watch.replayed[NodeId{3001}];
    for (const std::int32_t node : {3001, 3002, 3003, 2, 3}) {
      CAPTURE(node);
      CHECK(std::abs(world.watch.replayed[NodeId{node}] - end) <= 1);
    }
  }
}

TEST_CASE("a controller that is started again has its new life written down, whoever leads (KIP-919)") {
  for (const bool leads : {true, false}) {
    CAPTURE(leads);
    FailoverWorld world(idle_three_and_three(6));
    world.play_until(10s);
    const std::map<NodeId, std::uint64_t> first_lives{
        {NodeId{3001}, 0}, {NodeId{3002}, 0}, {NodeId{3003}, 0}};
    CHECK(world.watch.registered == first_lives);
    const ProcessId hit{leads ? world.watch.active.value() : (world.watch.active.value() + 1) % 3};
    world.cluster.crash(hit, CrashMode::kill);
    world.play_until(14s);
    world.cluster.restart(hit);
    world.play_until(20s);
    std::map<NodeId, std::uint64_t> now = first_lives;
    now[NodeId{3001 + hit.value()}] = 1;
    CHECK(world.watch.registered == now);
    CHECK(world.watch.disagreements == 0);
  }
}

TEST_CASE("an idle quorum writes NoOpRecords and nothing else, and they say nothing") {
  FailoverWorld world(idle_three_and_three(4));
  world.play_until(10s);
  const std::int64_t appended = world.watch.appended;
  const Offset begin = world.watch.replayed[NodeId{3001}];
  const std::uint64_t digest = world.watch.digests.rbegin()->second;
  world.play_until(70s);
  CHECK(world.watch.appended == appended);
  CHECK(std::abs(world.watch.replayed[NodeId{3001}] - begin - 120) <= 2);
  CHECK(world.watch.digests.rbegin()->second == digest);
  CHECK(world.watch.disagreements == 0);
}

TEST_CASE(
    "whoever was away for longer than the log goes back begins with a snapshot, and has the same image") {
  ClusterSpec spec = idle_three_and_three(5);
  spec.metadata_snapshots.max_interval_ms = 20'000;
  spec.quorum.retention_bytes = 1;
  FailoverWorld world(spec);
  world.play_until(5s);
  const ProcessId standby{world.watch.active == ProcessId{0} ? 1 : 0};
  const NodeId node{3001 + standby.value()};
  world.cluster.crash(standby, CrashMode::kill);
  world.cluster.crash(ProcessId{5}, CrashMode::kill);
  world.play_until(300s);
  CHECK(world.watch.fetched_snapshot.empty());
  world.cluster.restart(standby);
  world.cluster.restart(ProcessId{5});
  world.play_until(330s);
  CHECK(world.watch.fetched_snapshot == std::set<NodeId>{NodeId{3}, node});
  CHECK(world.watch.disagreements == 0);
  CHECK(std::abs(world.watch.replayed[node] - world.watch.replayed[NodeId{3}]) <= 1);
  // It can lead from it.
  world.cluster.crash(world.watch.active, CrashMode::kill);
  world.play_until(340s);
  world.cluster.crash(world.watch.active, CrashMode::kill);
  world.play_until(345s);
  CHECK(world.watch.disagreements == 0);
}

}  // namespace
}  // namespace sim::cluster
