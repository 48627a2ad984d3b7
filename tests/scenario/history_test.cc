// Which release of Kafka a scenario plays, and single switches of its history.
#include <doctest/doctest.h>

#include <string>

#include "scenario/loading.h"

namespace sim::scenario {
namespace {

using test::load_text;

Result<Scenario> load_cluster(const std::string& keys) {
  return load_text("schema: kraftsim/v1\nduration: 60s\ncluster:\n  brokers: 3\n" + keys +
                   "topics: {orders: {replication.factor: 3}}\n"
                   "clients:\n  shop: {produces: orders, arrivals: {constant: 1/s}}\n"
                   "  payment: {consumes: orders, service: 1ms}\n");
}

const client::ProducerConfig& producer_of(const Scenario& scenario) {
  return scenario.cluster.flows.front().producer;
}

TEST_CASE("the release selects mechanisms and the defaults of its time") {
  const Result<Scenario> today = load_cluster("");
  REQUIRE(today);
  CHECK(today->cluster.history == History{});
  CHECK(today->cluster.brokers.front().config.history == History{});
  CHECK(producer_of(*today).linger_ms == 5);

  const Result<Scenario> old = load_cluster("  kafka: 2.8.1\n");
  REQUIRE(old);
  CHECK_FALSE(old->cluster.history.pre_vote);
  CHECK_FALSE(old->cluster.controllers.front().config.history.isr_unfenced_only);
  CHECK_FALSE(old->cluster.brokers.front().config.history.isr_broker_epoch);
  CHECK(old->cluster.brokers.front().config.history.truncation == Truncation::fetch);
  CHECK(producer_of(*old).acks == 1);
  CHECK_FALSE(producer_of(*old).enable_idempotence);
  CHECK(producer_of(*old).linger_ms == 0);
  CHECK(old->cluster.brokers.front().config.num_recovery_threads_per_data_dir == 1);
  CHECK(old->cluster.brokers.front().config.replica_lag_time_max_ms == 30'000);
  CHECK(old->cluster.topics.front().config.message_timestamp_after_max_ms ==
        std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("a default that has changed twice") {
  const auto linger_of = [](const std::string& keys) {
    const Result<Scenario> loaded = load_cluster(keys);
    REQUIRE(loaded);
    return loaded->cluster.brokers.front().config.group_coordinator_append_linger_ms;
  };
  CHECK(linger_of("") == -1);
  CHECK(linger_of("  kafka: \"4.2\"\n") == -1);
  CHECK(linger_of("  kafka: \"4.1\"\n") == 5);
  CHECK(linger_of("  kafka: \"3.9\"\n") == 0);
  CHECK(linger_of("  kafka: \"3.9\"\n  config: {group.coordinator.append.linger.ms: 7}\n") == 7);
}

TEST_CASE("what is given overrides the release") {
  const Result<Scenario> loaded = load_cluster(
      "  kafka: \"3.6\"\n  history: {pre-vote: on, truncation: epoch}\n"
      "  config: {num.recovery.threads.per.data.dir: 4}\n");
  REQUIRE(loaded);
  CHECK(loaded->cluster.history.pre_vote);
  CHECK(loaded->cluster.history.truncation == Truncation::epoch);
  CHECK_FALSE(loaded->cluster.history.check_quorum);
  CHECK(loaded->cluster.brokers.front().config.num_recovery_threads_per_data_dir == 4);
}

TEST_CASE("the level of eligible leader replicas counts, unless the history says it") {
  const auto eligible = [](const std::string& keys) {
    const Result<Scenario> loaded = load_cluster(keys);
    REQUIRE(loaded);
    return loaded->cluster.controllers.front().config.history.eligible_leader_replicas;
  };
  CHECK(eligible(""));
  CHECK_FALSE(eligible("  config: {eligible.leader.replicas.version: 0}\n"));
  CHECK_FALSE(eligible("  kafka: 4.0\n"));
  CHECK(eligible("  kafka: 4.0\n  config: {eligible.leader.replicas.version: 1}\n"));
  CHECK(eligible(
      "  history: {eligible-leader-replicas: on}\n  config: {eligible.leader.replicas.version: 0}\n"));
}

}  // namespace
}  // namespace sim::scenario
