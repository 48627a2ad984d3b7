#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/cluster.h"
#include "scenario/loading.h"
#include "scenario/properties.h"
#include "scenario/scenario.h"

// Every number Kafka knows, at the ends of what may be written: it is refused with its line and column, or a
// small shop with a leader that dies is played with it to a normal end. Run with the sanitizers, this finds
// what overflows.
namespace sim::scenario::test {

namespace {

constexpr const char* kExtremes[] = {
    "0", "1", "-1", "2147483647", "2147483648", "4611686018427387904", "9223372036854775807"};

struct Place {
  Components components;
  const char* config;  // of whom, in the text below
};
constexpr Place kPlaces[] = {
    {kBroker | kController, "SERVER"}, {kTopic, "TOPIC"}, {kProducer, "PRODUCER"}, {kConsumer, "CONSUMER"}};

// Each config in a line of its own, with what else must be set so that the value may stand.
std::string shop(std::string_view whose, const std::string& line) {
  std::string text =
      "schema: kraftsim/v1\n"
      "duration: 6s\n"
      "warmup: 0s\n"
      "drain: 3s\n"
      "cluster:\n"
      "  brokers: 3\n"
      "  config:\n"
      "    default.replication.factor: 3\n"
      "    SERVER\n"
      "topics:\n"
      "  orders:\n"
      "    partitions: 2\n"
      "    config:\n"
      "      min.insync.replicas: 2\n"
      "      TOPIC\n"
      "clients:\n"
      "  shop:\n"
      "    produces: orders\n"
      "    start: 0s\n"
      "    arrivals: {constant: 20/s}\n"
      "    config:\n"
      "      acks: all\n"
      "      PRODUCER\n"
      "  payment:\n"
      "    consumes: orders\n"
      "    members: 2\n"
      "    commit: after-batch\n"
      "    config:\n"
      "      auto.offset.reset: earliest\n"
      "      CONSUMER\n"
      "faults:\n"
      "  - {at: 2s, for: 1s, kill: {target: \"leader(orders-0)\"}}\n"
      "  - {at: 4s, for: 1s, stop: {target: broker-3}}\n";
  for (const Place& place : kPlaces) {
    const std::string_view word = place.config;
    const std::size_t at = text.find("  " + std::string(word) + "\n") + 2;
    text.replace(at, word.size(), word == whose ? line : "");
  }
  return text;
}

bool is_number(const Property& property) {
  return property.type == PropertyType::int16 || property.type == PropertyType::int32 ||
         property.type == PropertyType::int64;
}

void play(const Scenario& scenario) {
  constexpr std::uint64_t kEnough = 150'000;  // what goes round in circles goes on doing so
  cluster::Cluster world(scenario.cluster);
  world.set_time_limit(Instant{} + scenario.duration + scenario.drain);
  world.set_event_budget(kEnough);
  while (world.step()) {
  }
  world.end_faults();
}

void check(std::string_view whose, const std::string& line, int& played, int& refused) {
  CAPTURE(whose);
  CAPTURE(line);
  const Result<Scenario> result = load_text(shop(whose, line));
  if (result.ok()) {
    ++played;
    CHECK_NOTHROW(play(*result));
    return;
  }
  ++refused;
  for (const Problem& problem : result.problems()) {
    if (!problem.warning) CHECK(problem.line > 0);
    if (!problem.warning) CHECK(problem.column > 0);
  }
}

}  // namespace

TEST_CASE("every number of every property, at its extremes, is refused where it stands or played") {
  int played = 0;
  int refused = 0;
  for (const Place& place : kPlaces) {
    for (const Property& property : properties()) {
      if ((property.components & place.components) == 0 || !is_number(property) ||
          property.status != Status::modelled)
        continue;
      for (const char* value : kExtremes)
        check(place.config, std::string(property.name) + ": " + value, played, refused);
    }
  }
  CHECK(played > 300);
  CHECK(refused > 150);
}

TEST_CASE("extremes that need another setting beside them") {
  struct Row {
    const char* whose;
    const char* lines;
  };
  const Row rows[] = {
      {"SERVER", "replica.lag.time.max.ms: 1\n    replica.fetch.wait.max.ms: 1"},
      {"SERVER", "replica.lag.time.max.ms: 0\n    replica.fetch.wait.max.ms: 0"},
      {"SERVER", "replica.socket.timeout.ms: 1\n    replica.fetch.wait.max.ms: 1"},
      {"SERVER", "group.min.session.timeout.ms: 0\n    group.max.session.timeout.ms: 2147483647"},
      {"SERVER", "replica.lag.time.max.ms: 9223372036854775807\n    broker.session.timeout.ms: 2147483647"},
      {"SERVER", "log.flush.scheduler.interval.ms: 1\n    log.flush.interval.ms: 0"},
      {"SERVER",
       "log.initial.task.delay.ms: 0\n    log.retention.check.interval.ms: 1\n    log.retention.ms: 1"},
      {"SERVER",
       "controller.quorum.election.timeout.ms: 2147483647\n    controller.quorum.fetch.timeout.ms: 1"},
      {"CONSUMER", "session.timeout.ms: 45000\n      heartbeat.interval.ms: 0"},
      {"CONSUMER", "retry.backoff.ms: 9223372036854775807\n      retry.backoff.max.ms: 9223372036854775807"},
      {"CONSUMER", "reconnect.backoff.ms: 9223372036854775807\n      reconnect.backoff.max.ms: 0"},
      {"PRODUCER",
       "linger.ms: 2147483647\n      delivery.timeout.ms: 2147483647\n      request.timeout.ms: 0"},
      {"PRODUCER", "max.block.ms: 9223372036854775807\n      buffer.memory: 0"},
      {"PRODUCER", "retry.backoff.ms: 0\n      retry.backoff.max.ms: 0\n      request.timeout.ms: 1"},
      {"TOPIC", "cleanup.policy: compact\n      min.compaction.lag.ms: 9223372036854775807"},
      {"TOPIC",
       "cleanup.policy: \"compact,delete\"\n      delete.retention.ms: 9223372036854775807\n      "
       "segment.ms: 1\n      retention.ms: 0"},
  };
  int played = 0;
  int refused = 0;
  for (const Row& row : rows) check(row.whose, row.lines, played, refused);
  CHECK(played >= 14);
}

}  // namespace sim::scenario::test
