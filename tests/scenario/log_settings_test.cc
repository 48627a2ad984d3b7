// How retention, compaction, time stamps and clocks are set.
#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "scenario/loading.h"

namespace sim::scenario {
namespace {

using namespace std::chrono_literals;
using test::load_text;

TEST_CASE("a topic has its own settings, or its brokers' under their names") {
  const auto loaded = load_text(
      "schema: kraftsim/v1\nduration: 60s\ncluster:\n  brokers: 3\n  config:\n"
      "    log.retention.check.interval.ms: 7000\n    log.initial.task.delay.ms: 1000\n    "
      "log.cleaner.enable: false\n"
      "    log.cleaner.backoff.ms: 5\n    log.cleaner.min.cleanable.ratio: 0.25\n    "
      "log.message.timestamp.type: LogAppendTime\n"
      "    log.cleaner.delete.retention.ms: 9\n"
      "topics:\n  orders: {replication.factor: 3}\n"
      "  own: {config: {min.cleanable.dirty.ratio: 0.000001, message.timestamp.type: CreateTime, "
      "message.timestamp.before.max.ms: 11,\n"
      "                 message.timestamp.after.max.ms: 12, min.compaction.lag.ms: 13, "
      "max.compaction.lag.ms: 14, delete.retention.ms: 15}}\n");
  REQUIRE(loaded);
  const server::BrokerConfig& broker = loaded->cluster.brokers[0].config;
  CHECK(broker.log_retention_check_interval_ms == 7'000);
  CHECK(broker.log_initial_task_delay_ms == 1'000);
  CHECK_FALSE(broker.log_cleaner_enable);
  CHECK(broker.log_cleaner_backoff_ms == 5);
  const TopicConfig& inherits = loaded->cluster.topics[0].config;
  CHECK(inherits.min_cleanable_dirty_per_million == 250'000);
  CHECK(inherits.log_append_time);
  CHECK(inherits.delete_retention_ms == 9);
  const TopicConfig& own = loaded->cluster.topics[1].config;
  CHECK(own.min_cleanable_dirty_per_million == 1);
  CHECK_FALSE(own.log_append_time);
  CHECK(own.message_timestamp_before_max_ms == 11);
  CHECK(own.message_timestamp_after_max_ms == 12);
  CHECK(own.min_compaction_lag_ms == 13);
  CHECK(own.max_compaction_lag_ms == 14);
  CHECK(own.delete_retention_ms == 15);
}

TEST_CASE("clocks: how far off, and how fast") {
  const auto loaded = load_text(
      "schema: kraftsim/v1\nduration: 60s\ncluster: {brokers: 3}\nfaults:\n"
      "  - {at: 10s, for: 5s, time-offset: {target: broker-1, by: -10d}}\n"
      "  - {at: 20s, drift: {target: brokers, ppm: -200}}\n");
  REQUIRE(loaded);
  const auto& offset = std::get<fault::TimeOffset>(loaded->cluster.faults[0].kind);
  CHECK(offset.by == -240h);
  CHECK(offset.targets.size() == 1);
  CHECK(std::get<fault::Drift>(loaded->cluster.faults[1].kind).ppm == -200);
}

}  // namespace
}  // namespace sim::scenario
