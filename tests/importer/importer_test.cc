#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "importer/first_scenario.h"
#include "importer/plan.h"
#include "importer/read_files.h"
#include "importer/scenario_text.h"
#include "importer/settings.h"
#include "scenario/scenario.h"

// Files as people have them, and what of them becomes a scenario. The texts of tools are as Kafka 4.1's tools
// print them (TopicCommand, ConsumerGroupCommand), and where it says so as those of 3.x did.
namespace sim::importer {
namespace {

const std::string kInputs = "tests/importer/inputs/";

InputText input_file(const std::string& name) {
  std::ifstream in(kInputs + name, std::ios::binary);
  REQUIRE(in.good());
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return {name, bytes.str()};
}

Inventory inventory_of(const std::vector<InputText>& inputs) {
  Inventory inventory;
  for (const InputText& input : inputs) {
    const Problems problems = read_input(input, inventory);
    CAPTURE(input.name);
    if (!problems.empty()) CAPTURE(problems.front().message);
    REQUIRE(problems.empty());
  }
  return inventory;
}

std::string refusal_of(const std::string& text, const std::string& name = "file") {
  Inventory inventory;
  const Problems problems = read_input({name, text}, inventory);
  return problems.empty() ? std::string("read") : problems.front().message;
}

// "server.properties:12 zookeeper.connect=zk:2181", a line each, with the reason if asked for.
std::vector<std::string> left_out_of(const Inventory& inventory) {
  std::vector<std::string> all;
  for (const LeftOut& one : inventory.left_out) all.push_back(place_of(one.origin) + " " + one.what);
  return all;
}

bool holds(const std::vector<std::string>& all, const std::string& wanted) {
  return std::find(all.begin(), all.end(), wanted) != all.end();
}

std::string setting(const std::vector<Setting>& settings, const std::string& name) {
  for (const Setting& one : settings) {
    if (one.name == name) return one.value;
  }
  return {};
}

Imported imported(const std::vector<InputText>& inputs) {
  std::vector<std::string> names;
  for (const InputText& input : inputs) names.push_back(input.name);
  Result<Imported> result = write_scenario(plan_of(inventory_of(inputs)), "shop.yaml", names);
  if (!result) CAPTURE(result.problems().front().message);
  REQUIRE(result.ok());
  // What is handed out is a scenario, whatever was in the files.
  CHECK(scenario::load_text("shop.yaml", result->text, {}).ok());
  return std::move(*result);
}

const PlannedClient& client(const Plan& plan, const std::string& name) {
  for (const PlannedClient& one : plan.clients) {
    if (one.name == name) return one;
  }
  FAIL("no client is called " << name);
  return plan.clients.front();
}

TEST_CASE("topics are read as kafka-topics --describe prints them") {
  const Inventory inventory = inventory_of({input_file("topics.txt")});
  CHECK(inventory.topics.size() == 3);
  const Topic& orders = inventory.topics.at("orders");
  CHECK(orders.partitions == 3);
  CHECK(orders.replication_factor == 3);
  CHECK(orders.replicas.at(1) == std::vector<int>{102, 103, 101});
  CHECK(setting(orders.settings, "cleanup.policy") == "compact,delete");  // a value with a comma
  CHECK(setting(orders.settings, "min.insync.replicas") == "2");
  CHECK(inventory.topics.at("returns").settings.empty());
  CHECK(inventory.broker_ids == std::set<int>{101, 102, 103});
  const std::vector<std::string> left_out = left_out_of(inventory);
  CHECK(holds(left_out, "topics.txt:3 orders: 2 partitions out of sync"));
  CHECK(holds(left_out, "topics.txt:6 returns-0 Adding Replicas: 102"));
  CHECK(holds(left_out, "topics.txt:6 returns-0 Removing Replicas: 101"));
}

TEST_CASE("topics of older releases, with blanks for tabs, and partitions alone") {
  const std::string old_form =
      "Topic:orders\tPartitionCount:2\tReplicationFactor:1\tConfigs:segment.bytes=1048576,retention.ms="
      "60000\n"
      "\tTopic: orders\tPartition: 0\tLeader: 0\tReplicas: 0\tIsr: 0\n"
      "\tTopic: orders\tPartition: 1\tLeader: -1\tReplicas: 1\tIsr: 1\n";
  const Inventory old_one = inventory_of({{"old.txt", old_form}});
  CHECK(old_one.topics.at("orders").partitions == 2);
  CHECK(setting(old_one.topics.at("orders").settings, "retention.ms") == "60000");
  CHECK(old_one.broker_ids == std::set<int>{0, 1});

  const std::string with_blanks =
      "Topic: orders   TopicId: abc   PartitionCount: 4   ReplicationFactor: 2   Configs: "
      "min.insync.replicas=1\r\n"
      "    Topic: orders   Partition: 0   Leader: 1   Replicas: 1,2   Isr: 1,2\r\n";
  CHECK(inventory_of({{"pasted.txt", with_blanks}}).topics.at("orders").partitions == 4);

  const std::string alone =
      "\tTopic: orders\tPartition: 7\tLeader: 2\tReplicas: 2,3\tIsr: 2\tElr: \tLastKnownElr: \n";
  const Plan plan = plan_of(inventory_of({{"under-replicated.txt", alone}}));
  CHECK(plan.topics.front().partitions == 8);
  CHECK(plan.topics.front().replication_factor == 2);
  CHECK(plan.topics.front().replicas.empty());  // seven of them are not described
}

TEST_CASE("brokers are numbered from 1 on, and replicas with them") {
  const Plan plan = plan_of(inventory_of({input_file("topics.txt")}));
  CHECK(plan.brokers == 3);
  CHECK(plan.broker_numbers.at(102) == 2);
  const auto orders = std::find_if(plan.topics.begin(), plan.topics.end(),
                                   [](const PlannedTopic& topic) { return topic.name == "orders"; });
  CHECK(orders->replicas == std::vector<std::vector<int>>{{1, 2, 3}, {2, 3, 1}, {3, 1, 2}});
  // What is Kafka's own is a setting of the brokers.
  CHECK(setting(plan.settings, "offsets.topic.num.partitions") == "50");
  CHECK(plan.topics.size() == 2);
}

TEST_CASE("groups are read from the table of offsets, of members and of states") {
  const Inventory offsets = inventory_of({input_file("groups.txt")});
  CHECK(offsets.groups.at("audit").members == 0);
  CHECK(offsets.groups.at("audit").topics.at("orders").lag == 300);
  CHECK(offsets.groups.at("payment").members == 2);
  CHECK(offsets.groups.at("payment").topics.at("orders").partitions == 3);
  CHECK(offsets.groups.at("payment").topics.at("orders").log_end_offsets.at(0) == 1500);
  CHECK(offsets.left_out.empty());

  const Inventory members = inventory_of({input_file("members.txt")});
  CHECK(members.groups.at("payment").members == 3);  // one of them has no partition
  CHECK(members.groups.at("payment").has_static_members);
  CHECK_FALSE(members.groups.at("payment").has_consumer_protocol);  // no epochs
  CHECK(members.groups.at("payment").topics.at("orders").members.size() == 2);
  CHECK(members.groups.at("payment").topics.at("orders").partitions == 3);

  const Inventory state = inventory_of({input_file("state.txt")});
  CHECK(state.groups.at("payment").members == 3);
  CHECK(state.groups.at("payment").assignor == "cooperative-sticky");

  // Together they are one group.
  const Plan plan =
      plan_of(inventory_of({input_file("groups.txt"), input_file("members.txt"), input_file("state.txt")}));
  const PlannedClient& payment = client(plan, "payment");
  CHECK(payment.members == 3);
  CHECK(payment.topic == "orders");
  CHECK(setting(payment.settings, "partition.assignment.strategy") == "cooperative-sticky");
  CHECK(setting(payment.settings, "group.instance.id") == "payment");
  CHECK(client(plan, "audit").remark.find("had no active member") != std::string::npos);
  CHECK(client(plan, "audit").remark.find("its lag was 300") != std::string::npos);
}

TEST_CASE("groups of 3.x, of the protocol of KIP-848, and values wider than their columns") {
  const std::string of_3 =
      "GROUP           CONSUMER-ID                                    HOST            CLIENT-ID       "
      "#PARTITIONS     "
      "ASSIGNMENT\n"
      "payment         app-6f1f7a2e-5ec2-4a1c-9d3f-0a6b1f2c3d4e       /10.0.0.1       app             3      "
      "         "
      "orders(0,1), returns(4)\n";
  const Inventory inventory = inventory_of({{"members.txt", of_3}});
  CHECK(inventory.groups.at("payment").topics.at("orders").partitions == 2);
  CHECK(inventory.groups.at("payment").topics.at("returns").partitions == 5);

  const std::string of_848 =
      "GROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE                GROUP-EPOCH     "
      "TARGET-ASSIGNMENT-EPOCH   #MEMBERS\n"
      "payment         kafka-1:9092  (1)         uniform              Stable               4               4 "
      "          "
      "              2\n";
  const Inventory new_protocol = inventory_of({{"state.txt", of_848}});
  CHECK(new_protocol.groups.at("payment").has_consumer_protocol);
  CHECK(new_protocol.groups.at("payment").members == 2);

  const std::string wide =
      "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID\n"
      "a-group-with-a-long-name orders 0 5 9 4 consumer-1-abc /10.0.0.1 consumer-1\n"
      "a-group-with-a-long-name orders 1 5 9 4 consumer-1-abc /10.0.0.1\n";
  const Inventory pasted = inventory_of({{"groups.txt", wide}});
  CHECK(pasted.groups.at("a-group-with-a-long-name").topics.at("orders").lag == 4);
  CHECK(left_out_of(pasted).front().starts_with("groups.txt:3 a-group-with-a-long-name orders 1"));
}

TEST_CASE("a session of a terminal: what is no table is listed, and both tables are read") {
  const std::string session =
      "$ kafka-topics.sh --bootstrap-server localhost:9092 --describe\n"
      "Topic: orders\tTopicId: x\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: \n"
      "\tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: \n"
      "$ kafka-consumer-groups.sh --describe --all-groups\n"
      "\n"
      "Consumer group 'payment' has no active members.\n"
      "\n"
      "Error: Consumer group 'gone' does not exist.\n";
  const Inventory inventory = inventory_of({{"session.txt", session}});
  CHECK(inventory.topics.contains("orders"));
  CHECK(inventory.groups.at("payment").members == 0);
  CHECK_FALSE(inventory.groups.contains("gone"));
  const std::vector<std::string> left_out = left_out_of(inventory);
  CHECK(holds(left_out, "session.txt:1 $ kafka-topics.sh --bootstrap-server localhost:9092 --describe"));
  CHECK(holds(left_out, "session.txt:8 Error: Consumer group 'gone' does not exist."));
}

TEST_CASE("server.properties: who the server is, what it is set to, and what is left out") {
  const Inventory inventory = inventory_of({input_file("server.properties")});
  REQUIRE(inventory.servers.size() == 1);
  const Server& server = inventory.servers.front();
  CHECK(server.id == 101);
  CHECK(server.is_broker);
  CHECK(server.is_controller);
  CHECK(server.rack == "zone-a");
  CHECK(inventory.voters == 3);
  CHECK(setting(server.settings, "num.partitions") == "6");
  const std::vector<std::string> left_out = left_out_of(inventory);
  CHECK(holds(left_out, "server.properties:9 num.io.threads=eight"));
  CHECK(holds(left_out, "server.properties:12 ssl.keystore.password=[hidden]"));
  CHECK(holds(left_out, "server.properties:13 zookeeper.connect=zk:2181"));
  CHECK(holds(left_out, "server.properties:15 confluent.balancer.enable=true"));
  const auto misspelled =
      std::find_if(inventory.left_out.begin(), inventory.left_out.end(),
                   [](const LeftOut& one) { return one.what.starts_with("broker.sesion"); });
  REQUIRE(misspelled != inventory.left_out.end());
  CHECK(misspelled->reason.find("did you mean broker.session.timeout.ms?") != std::string::npos);

  const Plan plan = plan_of(inventory);
  CHECK(plan.brokers == 3);  // controller.quorum.voters, and each of them is a broker
  CHECK(plan.controllers == 3);
  CHECK(plan.combined);
}

TEST_CASE("several servers: one configuration, and what differs is said") {
  const auto server = [](int id, const std::string& rack, const std::string& threads) {
    return InputText{"server-" + std::to_string(id) + ".properties",
                     "process.roles=broker\nnode.id=" + std::to_string(id) + "\nbroker.rack=" + rack +
                         "\nnum.io.threads=" + threads + "\n"};
  };
  const Imported shop =
      imported({server(10, "a", "8"), server(11, "b", "8"), server(12, "a", "16"), server(13, "b", "8")});
  CHECK(shop.plan.brokers == 4);
  CHECK(shop.plan.racks == std::vector<std::string>{"a", "b"});
  CHECK(setting(shop.plan.settings, "num.io.threads") == "8");
  CHECK(
      shop.text.find("server-12.properties:4  num.io.threads=16: all servers have one configuration here") !=
      std::string::npos);
  CHECK(shop.text.find("10 is broker-1") != std::string::npos);
}

TEST_CASE("clients' properties: told apart by what is in them, and joined to their group") {
  const Imported shop = imported({input_file("producer.properties"), input_file("consumer.properties"),
                                  input_file("groups.txt"), input_file("topics.txt")});
  const PlannedClient& checkout = client(shop.plan, "checkout");
  CHECK(checkout.produces);
  CHECK(checkout.topic == "orders");
  CHECK(setting(checkout.settings, "linger.ms") == "20");
  const PlannedClient& payment = client(shop.plan, "payment");
  CHECK(payment.members == 2);
  CHECK(payment.commit == "after-batch");  // enable.auto.commit=false
  CHECK(setting(payment.settings, "max.poll.records") == "50");
}

TEST_CASE("docker compose: servers, their version, merge keys, defaults of variables") {
  const Inventory inventory = inventory_of({input_file("compose.yaml")});
  CHECK(inventory.servers.size() == 3);
  CHECK(inventory.kafka == "4.1");
  CHECK(setting(inventory.servers.front().settings, "num.partitions") == "12");
  CHECK(setting(inventory.servers[1].settings, "min.insync.replicas") == "2");
  CHECK(inventory.servers[1].id == 2);
  const std::vector<std::string> left_out = left_out_of(inventory);
  CHECK(holds(left_out, "compose.yaml:14 KAFKA_LOG_RETENTION_MS=${RETENTION}"));
  CHECK(holds(left_out, "compose.yaml:24 HEAP=1g"));
  CHECK(holds(left_out, "compose.yaml:25 service kafka-ui (provectuslabs/kafka-ui:latest)"));
  const Imported shop = imported({input_file("compose.yaml")});
  CHECK(shop.plan.brokers == 3);
  CHECK(shop.plan.combined);
  CHECK(setting(shop.plan.settings, "min.insync.replicas") == "2");
  CHECK(shop.text.find("kafka: \"4.1\"") != std::string::npos);
}

TEST_CASE("docker compose of other images") {
  const std::string confluent =
      "services:\n"
      "  zookeeper: {image: 'confluentinc/cp-zookeeper:7.6.1'}\n"
      "  broker:\n"
      "    image: confluentinc/cp-kafka:7.6.1\n"
      "    environment: {KAFKA_BROKER_ID: 1, KAFKA_ZOOKEEPER_CONNECT: 'zookeeper:2181', "
      "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 1}\n";
  const Plan one = plan_of(inventory_of({{"compose.yml", confluent}}));
  CHECK(one.kafka == "3.6");
  CHECK(one.brokers == 1);
  CHECK(setting(one.settings, "offsets.topic.replication.factor") == "1");
  const std::string bitnami =
      "services:\n"
      "  kafka:\n"
      "    image: docker.io/bitnami/kafka:3.9.0-debian-12-r1\n"
      "    deploy: {replicas: 3}\n"
      "    environment:\n"
      "      - KAFKA_CFG_NUM_IO_THREADS=16\n"
      "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n";
  const Plan three = plan_of(inventory_of({{"compose.yml", bitnami}}));
  CHECK(three.kafka == "3.9");
  CHECK(three.brokers == 3);
  CHECK(setting(three.settings, "num.io.threads") == "16");
  CHECK(refusal_of("services: {db: {image: postgres}}\n") == "none of its services is a server of Kafka");
}

TEST_CASE("resources of Strimzi") {
  const Imported shop = imported({input_file("strimzi.yaml")});
  CHECK(shop.plan.brokers == 5);
  CHECK(shop.plan.controllers == 3);
  CHECK_FALSE(shop.plan.combined);
  CHECK(shop.plan.kafka == "3.9");
  CHECK(setting(shop.plan.settings, "replica.lag.time.max.ms") == "20000");
  CHECK(shop.plan.topics.front().partitions == 12);
  CHECK(setting(shop.plan.topics.front().settings, "retention.ms") == "7200000");
  CHECK(shop.text.find("kind: Deployment: is no resource of Strimzi's") != std::string::npos);
  CHECK(shop.text.find("spec.storage") != std::string::npos);
  CHECK(refusal_of("apiVersion: v1\nkind: Service\n").starts_with("none of its resources"));
}

TEST_CASE("Spring's application.yml") {
  const Imported shop = imported({input_file("application.yml")});
  const PlannedClient& producer = client(shop.plan, "shop");
  CHECK(producer.produces);
  CHECK(producer.topic == "orders");
  CHECK(setting(producer.settings, "batch.size") == "32768");
  CHECK(setting(producer.settings, "linger.ms") == "10");
  const PlannedClient& payment = client(shop.plan, "payment");
  CHECK(payment.members == 3);
  CHECK(payment.commit == "after-each");
  CHECK(setting(payment.settings, "max.poll.records") == "100");
  CHECK(setting(payment.settings, "auto.offset.reset") == "earliest");
  CHECK(shop.text.find("2 keys of server, spring.datasource: are not of spring.kafka") != std::string::npos);
  CHECK(shop.text.find("the document of profile test") != std::string::npos);
  CHECK(shop.text.find("poll-timeout") != std::string::npos);
}

TEST_CASE("what cannot be read is refused, and says why") {
  CHECK(refusal_of("") == "there is nothing in it");
  CHECK(refusal_of("# nothing\n\n! at all\n") == "there is nothing in it");
  CHECK(refusal_of("log4j.rootLogger=INFO, stdout\nlog4j.appender.stdout=x\n")
            .starts_with("none of its 2 properties"));
  CHECK(refusal_of("clientPort=2181\ndataDir=/var/lib/zk\n").starts_with("none of its 2 properties"));
  CHECK(refusal_of("replicas: 3\nimage: {repository: x}\n").starts_with("is YAML, and neither"));
  CHECK(refusal_of("schema: kraftsim/v1\nduration: 1s\n") == "is a scenario already");
  CHECK(refusal_of("services: [\n").find("never closed") != std::string::npos);
  CHECK(refusal_of(input_file("perf-test.txt").text) == "is what kafka-producer-perf-test printed");
  // A broken application.yml is not taken for properties.
  CHECK(refusal_of("spring:\n  kafka:\n    producer:\n      acks: all\n   broken\n") != "read");
}

TEST_CASE("a setting that a scenario refuses is taken out and listed") {
  // Alone each is fine; together the loader refuses them.
  const Imported shop = imported(
      {{"consumer.properties", "group.id=g\nsession.timeout.ms=6000\nheartbeat.interval.ms=9000\n"}});
  CHECK(std::any_of(shop.plan.left_out.begin(), shop.plan.left_out.end(), [](const LeftOut& one) {
    return one.what == "heartbeat.interval.ms=9000" || one.what == "session.timeout.ms=6000";
  }));
}

TEST_CASE("a group that reads several topics is several services here") {
  const std::string table =
      "GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             "
      "CONSUMER-ID     HOST    "
      "        CLIENT-ID\n"
      "billing         orders          0          1               1               0               a-1        "
      "     /h      "
      "        a\n"
      "billing         returns         0          1               1               0               a-2        "
      "     /h      "
      "        a\n";
  const Imported shop = imported({{"groups.txt", table}});
  CHECK(client(shop.plan, "billing-orders").group_id == "billing-orders");
  CHECK(client(shop.plan, "billing-returns").topic == "returns");
  CHECK(shop.text.find("group billing reads 2 topics") != std::string::npos);
}

TEST_CASE("versions of images") {
  CHECK(release_of("3.9.0-debian-12-r1") == "3.9");
  CHECK(release_of("v4.1") == "4.1");
  CHECK(release_of("latest").empty());
  CHECK(release_of("9.9").empty());
  CHECK(release_of_confluent("7.6.1") == "3.6");
  CHECK(release_of_confluent("8.0.0") == "4.0");
  CHECK(release_of_confluent("6.2.0") == "2.8");
  CHECK(with_defaults("a${X:-b}c${Y-d}${Z}") == "abcd${Z}");
}

TEST_CASE("a first scenario can be loaded, whatever was asked for") {
  for (const int brokers : {1, 2, 3, 7}) {
    for (const int partitions : {1, 6, 100}) {
      for (const std::int64_t rate : {1, 200, 20'000}) {
        FirstScenario wanted;
        wanted.brokers = brokers;
        wanted.partitions = partitions;
        wanted.replication_factor = std::min(3, brokers);
        wanted.min_isr = std::min(2, wanted.replication_factor);
        wanted.orders_per_second = rate;
        wanted.has_crash = brokers > 1;
        CAPTURE(brokers);
        CAPTURE(partitions);
        CAPTURE(rate);
        const auto loaded = scenario::load_text("shop.yaml", first_scenario_text(wanted, "shop.yaml"), {});
        if (!loaded) CAPTURE(loaded.problems().front().message);
        CHECK(loaded.ok());
        const Crew crew = crew_for(rate, partitions);
        CHECK(crew.members <= std::max(partitions, 1));
        // They are busy at most six tenths of the time: the mean is 1.27 times the median.
        CHECK(rate * crew.service_us * 127 / 100 <= std::int64_t{1'000'000} * crew.members * 61 / 100);
      }
    }
  }
}

}  // namespace
}  // namespace sim::importer
