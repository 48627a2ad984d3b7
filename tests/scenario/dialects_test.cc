// Kafka's properties under the names that people's files have for them.
#include <doctest/doctest.h>

#include <string>

#include "scenario/loading.h"

namespace sim::scenario {
namespace {

using test::load_text;

Result<Scenario> load_with(const std::string& cluster, const std::string& client) {
  return load_text("schema: kraftsim/v1\nduration: 60s\ncluster:\n  brokers: 3\n" + cluster +
                   "topics: {orders: {replication.factor: 3}}\nclients:\n  shop:\n    produces: orders\n"
                   "    arrivals: {constant: 1/s}\n" +
                   client);
}
std::string problems_of(const Result<Scenario>& loaded) {
  return loaded ? std::string{} : test::print(loaded.problems());
}
const client::ProducerConfig& shop_of(const Result<Scenario>& loaded) {
  return loaded->cluster.flows.front().producer;
}

TEST_CASE("the environment of a container image") {
  const auto loaded = load_with(
      "  config:\n    KAFKA_NUM_NETWORK_THREADS: 5\n    KAFKA_CFG_MESSAGE_MAX_BYTES: 2000000\n"
      "    KAFKA_HEAP_OPTS: -Xmx1G\n    environment: {KAFKA_NUM_IO_THREADS: 9}\n",
      "");
  REQUIRE_MESSAGE(loaded, problems_of(loaded));
  CHECK(loaded->cluster.brokers.front().config.num_network_threads == 5);
  CHECK(loaded->cluster.brokers.front().config.num_io_threads == 9);
  CHECK(loaded->cluster.topics.front().config.max_message_bytes == 2'000'000);
  CHECK(problems_of(load_with("  config: {KAFKA_NUM_IO_THREDS: 9}\n", "")).find("num.io.threads") !=
        std::string::npos);
}

TEST_CASE("Strimzi's resource, and what it says twice") {
  const auto loaded = load_with("  config: {spec: {kafka: {config: {min.insync.replicas: 2}}}}\n", "");
  REQUIRE_MESSAGE(loaded, problems_of(loaded));
  CHECK(loaded->cluster.topics.front().config.min_insync_replicas == 2);
  const auto twice = load_with("  config: {min.insync.replicas: 1, config: {min.insync.replicas: 2}}\n", "");
  CHECK(problems_of(twice).find("given already") != std::string::npos);
}

TEST_CASE("of Strimzi's whole resource the config is read, and the rest is told of") {
  const auto loaded = load_with(
      "  config:\n    apiVersion: kafka.strimzi.io/v1\n    kind: Kafka\n    metadata: {name: my-cluster}\n"
      "    spec:\n      kafka:\n        replicas: 5\n        listeners: [{name: plain, port: 9092}]\n"
      "        config: {min.insync.replicas: 2}\n      entityOperator: {}\n",
      "");
  REQUIRE_MESSAGE(loaded, problems_of(loaded));
  CHECK(loaded->cluster.topics.front().config.min_insync_replicas == 2);
  REQUIRE(loaded.problems().size() == 1);
  CHECK(loaded.problems()[0].message == "cluster.config: of a Kafka resource only spec.kafka.config is read");
}

TEST_CASE("the lists of docker compose and Kubernetes") {
  for (const char* list : {"[KAFKA_NUM_IO_THREADS=9, KAFKA_NUM_PARTITIONS=4]",
                           "{environment: [KAFKA_NUM_IO_THREADS=9, KAFKA_NUM_PARTITIONS=4]}",
                           "[{name: KAFKA_NUM_IO_THREADS, value: \"9\"}, {name: KAFKA_NUM_PARTITIONS, value: "
                           "\"4\"}]"}) {
    CAPTURE(list);
    const auto loaded = load_with(std::string("  config: ") + list + "\n", "");
    REQUIRE_MESSAGE(loaded, problems_of(loaded));
    CHECK(loaded->cluster.brokers.front().config.num_io_threads == 9);
    CHECK(loaded->cluster.topics.front().partitions == 4);
  }
  CHECK(problems_of(load_with("  config: [1, 2]\n", "")).find("must be Kafka properties") !=
        std::string::npos);
}

TEST_CASE(
    "librdkafka's queues are told to be without effect; its message timeout needs no room for a request") {
  const auto loaded = load_with("",
                                "    client: librdkafka\n    config: {queue.buffering.max.messages: 1000, "
                                "message.timeout.ms: 20000}\n");
  REQUIRE_MESSAGE(loaded, problems_of(loaded));
  CHECK(shop_of(loaded).delivery_timeout_ms == 20'000);
  REQUIRE(loaded.problems().size() == 1);
  CHECK(loaded.problems()[0].message == "without effect here: queue.buffering.max.messages");
  CHECK(problems_of(load_with("", "    client: librdkafka\n    config: {message.timeout.ms: 5}\n"))
            .find("message.timeout.ms (5) must be above linger.ms (5)") != std::string::npos);
  CHECK(problems_of(load_with("", "    config: {delivery.timeout.ms: 20000}\n"))
            .find("must be at least linger.ms + request.timeout.ms") != std::string::npos);
}

TEST_CASE("Spring keeps dots in brackets") {
  const auto loaded = load_with(
      "", "    config: {spring: {kafka: {producer: {properties: {\"[delivery.timeout.ms]\": 60000}}}}}\n");
  REQUIRE_MESSAGE(loaded, problems_of(loaded));
  CHECK(shop_of(loaded).delivery_timeout_ms == 60'000);
}

TEST_CASE("Spring's nested form, with its names and units") {
  const auto loaded =
      load_with("",
                "    config:\n      spring:\n        kafka:\n          bootstrap-servers: h:9092\n"
                "          producer: {acks: 1, batch-size: 32KB, retries: 3, properties: {linger.ms: 7, "
                "enable.idempotence: false}}\n"
                "          consumer: {auto-offset-reset: earliest}\n"
                "          properties: {request: {timeout: {ms: 9000}}}\n");
  REQUIRE_MESSAGE(loaded, problems_of(loaded));
  CHECK(shop_of(loaded).acks == 1);
  CHECK(shop_of(loaded).batch_size == 32'768);
  CHECK(shop_of(loaded).retries == 3);
  CHECK(shop_of(loaded).linger_ms == 7);
  CHECK(shop_of(loaded).request_timeout_ms == 9'000);
  const auto members = load_with("", "    config: {spring: {kafka: {listener: {concurrency: 4}}}}\n");
  CHECK(problems_of(members).find("write members: 4") != std::string::npos);
}

TEST_CASE("a map is no value of a property") {
  CHECK(problems_of(load_with("", "    config: {linger.ms: {p50: 1ms}}\n")).find("not a map") !=
        std::string::npos);
  CHECK(problems_of(load_with("", "    config: {ssl: {}}\n")).find("not a map") != std::string::npos);
  const auto nested = load_with("", "    config: {linger: {ms: 3}, ssl: {keystore: {location: f}}}\n");
  REQUIRE_MESSAGE(nested, problems_of(nested));
  CHECK(shop_of(nested).linger_ms == 3);
}

TEST_CASE("who a server is") {
  const auto roles = load_with("  config: {process.roles: 'broker,controller'}\n", "");
  REQUIRE_MESSAGE(roles, problems_of(roles));
  CHECK(roles->cluster.combined);
  const auto voters = load_with("  config: {controller.quorum.voters: '1@a:9093,2@b:9093,3@c:9093'}\n", "");
  REQUIRE_MESSAGE(voters, problems_of(voters));
  CHECK(voters->cluster.controllers.size() == 3);
  const auto rack = load_with("  config: {broker.rack: east}\n", "");
  REQUIRE_MESSAGE(rack, problems_of(rack));
  CHECK(rack->cluster.brokers.back().rack == "east");
  CHECK(
      problems_of(load_with("  combined: true\n  config: {process.roles: broker}\n", "")).find("combined") !=
      std::string::npos);
  CHECK(problems_of(load_with("  controllers: 5\n  config: {controller.quorum.voters: '1@a:9093'}\n", ""))
            .find("controllers: 1") != std::string::npos);
  CHECK(problems_of(load_with("  config: {controller.quorum.voters: 'a:9093'}\n", "")).find("1@host1:9093") !=
        std::string::npos);
  CHECK(problems_of(load_with("  racks: [a, b, c]\n  config: {broker.rack: a}\n", "")).find("racks") !=
        std::string::npos);
}

TEST_CASE("librdkafka: names, defaults, partitioner") {
  const auto loaded = load_with("",
                                "    client: librdkafka\n    config: {request.required.acks: -1, "
                                "queue.buffering.max.ms: 0.5, message.timeout.ms: 60000, log_level: 7}\n");
  REQUIRE_MESSAGE(loaded, problems_of(loaded));
  const client::ProducerConfig& shop = shop_of(loaded);
  CHECK(shop.acks == -1);
  CHECK(shop.linger_ms == 1);
  CHECK(shop.delivery_timeout_ms == 60'000);
  CHECK(shop.batch_size == 1'000'000);
  CHECK(shop.max_in_flight_requests_per_connection == 1'000'000);
  CHECK_FALSE(shop.enable_idempotence);
  CHECK(shop.key_hash == client::KeyHash::crc32);
  CHECK_FALSE(shop.hashes_missing_keys);
  CHECK(shop.sticky_partitioning_linger_ms == 10);
  const auto murmur2 = load_with("", "    client: librdkafka\n    config: {partitioner: murmur2}\n");
  REQUIRE_MESSAGE(murmur2, problems_of(murmur2));
  CHECK(shop_of(murmur2).key_hash == client::KeyHash::murmur2);
  CHECK(shop_of(murmur2).hashes_missing_keys);
  const auto safe = load_with("", "    client: librdkafka\n    config: {enable.idempotence: true}\n");
  REQUIRE_MESSAGE(safe, problems_of(safe));
  CHECK(shop_of(safe).max_in_flight_requests_per_connection == 5);
  // Of Kafka's own client they are unknown, and it is said what to write.
  const auto java = load_with("", "    config: {message.timeout.ms: 60000}\n");
  CHECK(problems_of(java).find("delivery.timeout.ms") != std::string::npos);
  CHECK(shop_of(load_with("", "")).key_hash == client::KeyHash::murmur2);
  // What the run resolves to says the same again.
  const auto again = load_text(loaded->resolved_yaml);
  REQUIRE_MESSAGE(again, problems_of(again));
  CHECK(again->resolved_yaml == loaded->resolved_yaml);
}

}  // namespace
}  // namespace sim::scenario
