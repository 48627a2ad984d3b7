// The whole order flow in one world: placed, replicated, acknowledged, handled by every service, committed.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/overloaded.h"
#include "cluster/cluster.h"
#include "cluster/shop.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

ClusterSpec small_shop(std::uint64_t seed) {
  ClusterSpec spec;
  spec.seed = seed;
  spec.controllers = {ControllerSpec{NodeId{100}, "", {}, {}, {}}};
  for (std::int32_t id = 1; id <= 3; ++id) spec.brokers.push_back(BrokerSpec{NodeId{id}, "", {}, {}, {}});
  test::connect(spec);
  spec.topics = {test::orders_topic(6)};
  // Two rounds of group.initial.rebalance.delay.ms: until then nobody reads, and auto.offset.reset is latest.
  spec.flows = {test::keyed(test::order_service(100'000, 8s), 1'000)};
  for (const char* name : {"inventory", "payment", "fulfillment"}) {
    workload::ServiceSpec service = test::service(name);
    service.members = 2;
    service.service_time = Distribution::lognormal(2'000'000, 9'000'000);
    spec.services.push_back(service);
  }
  spec.services[1].commit = workload::CommitMode::after_each;
  spec.services[1].consumer.enable_auto_commit = false;
  spec.load_ends_at = 18s;
  return spec;
}

// What became of the orders, told by facts alone.
class FlowOutcome final : public observe::Observer {
 public:
  void on(const observe::Observation& seen) override {
    std::visit(Overloaded{
                   [this](const observe::OrderPlaced& placed) { orders.insert(placed.record); },
                   [this](const observe::BatchAcknowledged& acked) {
                     if (acked.error != ErrorCode::none) return;
                     for (const Record& record : acked.batch->application_records())
                       acknowledged.insert(record.id);
                   },
                   [this](const observe::ProcessingDone& done) {
                     ++handled[{done.service, done.record}];
                   },
                   [this](const observe::CommitAcknowledged& commit) {
                     if (commit.error == ErrorCode::none) {
                       auto& highest = committed[{commit.service, commit.tp}];
                       highest = std::max(highest, commit.offset);
                     }
                   },
                   [this](const observe::BatchAppended& appended) {
                     if (appended.batch.data->application_records().empty()) return;
                     auto& end = log_end[appended.tp];
                     end = std::max(end, appended.batch.end_offset());
                   },
                   [](const auto&) {},
               },
               seen.fact);
  }

  std::set<RecordId> orders, acknowledged;
  std::map<std::pair<observe::ServiceId, RecordId>, int> handled;
  std::map<std::pair<observe::ServiceId, TopicPartition>, Offset> committed;
  std::map<TopicPartition, Offset> log_end;
};

TEST_CASE("every order is acknowledged, handled once by each service, and committed") {
  Cluster cluster(small_shop(1));
  FlowOutcome outcome;
  cluster.observe(outcome);
  test::play_until(cluster, 30s);
  CHECK(outcome.orders.size() > 800);
  CHECK(outcome.acknowledged == outcome.orders);
  CHECK(outcome.handled.size() == 3 * outcome.orders.size());
  for (const auto& [who, times] : outcome.handled) CHECK(times == 1);
  CHECK(outcome.log_end.size() == 6);
  for (const auto& [tp, end] : outcome.log_end) {
    for (std::int32_t service = 0; service < 3; ++service) {
      CHECK(outcome.committed[{observe::ServiceId{service}, tp}] == end);
    }
  }
}

TEST_CASE("the world is a value: a copy in mid-run plays on exactly as the original") {
  Cluster original(small_shop(2));
  test::play_until(original, 10s);
  Cluster copy = original;
  test::play_until(original, 20s);
  test::play_until(copy, 20s);
  CHECK(original.events_fired() == copy.events_fired());
  CHECK(original.fingerprint() == copy.fingerprint());
}

TEST_CASE("a log is cut into segments, and what a finished one holds is safe") {
  ClusterSpec spec = small_shop(6);
  spec.topics[0].config.segment_bytes = 1'048'576;
  spec.flows[0].record_bytes = Distribution::constant(20'000);
  Cluster cluster(spec);
  test::play_until(cluster, 20s);
  std::size_t rolled = 0;
  for (std::int32_t process = 1; process <= 3; ++process) {
    for (const auto& [tp, image] : cluster.image(ProcessId{process}).logs) {
      if (image.segment_bases.empty()) continue;
      ++rolled;
      CHECK(image.flushed_end_offset == image.segment_bases.back());
      CHECK(image.flushed_end_offset < image.end_offset());
    }
  }
  CHECK(rolled >= 9);  // three replicas of the busier partitions
}

TEST_CASE("observers change nothing, seeds everything") {
  Cluster unseen(small_shop(3));
  Cluster seen(small_shop(3));
  FlowOutcome outcome;
  seen.observe(outcome);
  test::play_until(unseen, 12s);
  test::play_until(seen, 12s);
  CHECK(unseen.fingerprint() == seen.fingerprint());
  Cluster other(small_shop(4));
  test::play_until(other, 12s);
  CHECK(other.fingerprint() != seen.fingerprint());
}

TEST_CASE("a topic that nobody listed is created when it is first asked for") {
  ClusterSpec spec = small_shop(5);
  spec.topics.clear();
  for (BrokerSpec& broker : spec.brokers) {
    broker.config.num_partitions = 6;
    broker.config.default_replication_factor = 3;
  }
  for (ControllerSpec& controller : spec.controllers) {
    controller.config.num_partitions = 6;
    controller.config.default_replication_factor = 3;
  }
  Cluster cluster(spec);
  FlowOutcome outcome;
  cluster.observe(outcome);
  test::play_until(cluster, 30s);
  CHECK(outcome.orders.size() > 800);
  CHECK(outcome.acknowledged == outcome.orders);
  CHECK(outcome.handled.size() == 3 * outcome.orders.size());
}

}  // namespace
}  // namespace sim::cluster
