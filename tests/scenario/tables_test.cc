#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "fault/fault.h"
#include "scenario/properties.h"
#include "scenario/schema.h"
#include "scenario/suggest.h"
#include "scenario/units.h"

// The tables the loader reads, and the readers of single values.
namespace sim::scenario::test {

TEST_CASE("every row of the property table is whole") {
  std::set<std::pair<std::string_view, int>> seen;
  for (const Property& property : properties()) {
    CAPTURE(property.name);
    for (const Components component : {kBroker, kController, kTopic, kProducer, kConsumer}) {
      if ((property.components & component) != 0) CHECK(seen.emplace(property.name, component).second);
    }
    CHECK(property.components != 0);
    CHECK_FALSE(property.meaning.empty());
    const bool has_effect =
        property.apply != nullptr || (property.setting != nullptr && property.setting->is_modelled());
    CHECK((property.status == Status::modelled) == has_effect);
    if (property.status != Status::removed) CHECK(property.meaning.back() == '.');
    if (property.has_default() && property.name.back() != '*') {
      const PropertyValue value = read_property(property, property.fallback);
      const bool empty_list = property.type == PropertyType::list && property.fallback.empty();
      if (!empty_list) CHECK_MESSAGE(value.value.has_value(), value.problem);
    }
  }
  CHECK(seen.size() > 300);
}

template <class... Kinds>
std::vector<std::string> words_of_faults(std::type_identity<std::variant<Kinds...>>) {
  return {fault::word(Kinds{})...};
}

TEST_CASE("a scenario can have every kind of fault, and no other") {
  std::vector<std::string> words = words_of_faults(std::type_identity<fault::Kind>{});
  std::vector<std::string> written;
  for (const Key* key : keys_below("faults/[]")) {
    if (key->alternative != 0) written.emplace_back(key->last());
  }
  std::sort(words.begin(), words.end());
  std::sort(written.begin(), written.end());
  CHECK(words == written);
}

TEST_CASE("the table's defaults are those of the config structs") {
  server::BrokerConfig broker;
  controller::ControllerConfig controller;
  TopicConfig topic;
  client::ProducerConfig producer;
  client::ConsumerConfig consumer;
  const auto apply = [](Components components, const Targets& targets) {
    for (const Property& property : properties()) {
      if ((property.components & components) == 0 || property.status != Status::modelled) continue;
      if (property.has_default())
        apply_property(property, targets, *read_property(property, property.fallback).value);
    }
  };
  apply(kBroker | kController, Targets{.broker = &broker, .controller = &controller});
  apply(kTopic, Targets{.topic = &topic});
  apply(kProducer, Targets{.producer = &producer});
  apply(kConsumer, Targets{.consumer = &consumer});
  CHECK(topic == TopicConfig{});
  CHECK(broker.log == TopicConfig{});
  CHECK(controller.log == TopicConfig{});
  const server::BrokerConfig b;
  const controller::ControllerConfig c;
  const client::ProducerConfig p;
  const client::ConsumerConfig k;
#define SAME(a, b, field) CHECK(a.field == b.field)
  SAME(broker, b, num_network_threads);
  SAME(broker, b, num_io_threads);
  SAME(broker, b, queued_max_requests);
  SAME(broker, b, connections_max_idle_ms);
  SAME(broker, b, request_timeout_ms);
  SAME(broker, b, num_replica_fetchers);
  SAME(broker, b, replica_lag_time_max_ms);
  SAME(broker, b, replica_fetch_wait_max_ms);
  SAME(broker, b, replica_fetch_min_bytes);
  SAME(broker, b, replica_fetch_max_bytes);
  SAME(broker, b, replica_fetch_response_max_bytes);
  SAME(broker, b, replica_fetch_backoff_ms);
  SAME(broker, b, replica_socket_timeout_ms);
  SAME(broker, b, replica_high_watermark_checkpoint_interval_ms);
  SAME(broker, b, fetch_max_bytes);
  SAME(broker, b, max_incremental_fetch_session_cache_slots);
  SAME(broker, b, auto_create_topics_enable);
  SAME(broker, b, num_partitions);
  SAME(broker, b, default_replication_factor);
  SAME(broker, b, offsets_topic_num_partitions);
  SAME(broker, b, offsets_topic_replication_factor);
  SAME(broker, b, offsets_topic_segment_bytes);
  SAME(broker, b, offsets_retention_minutes);
  SAME(broker, b, offsets_retention_check_interval_ms);
  SAME(broker, b, offsets_commit_timeout_ms);
  SAME(broker, b, offsets_load_buffer_size);
  SAME(broker, b, offset_metadata_max_bytes);
  SAME(broker, b, group_min_session_timeout_ms);
  SAME(broker, b, group_max_session_timeout_ms);
  SAME(broker, b, group_initial_rebalance_delay_ms);
  SAME(broker, b, group_max_size);
  SAME(broker, b, group_coordinator_append_linger_ms);
  SAME(broker, b, group_coordinator_threads);
  SAME(broker, b, transaction_state_log_num_partitions);
  SAME(broker, b, transaction_state_log_replication_factor);
  SAME(broker, b, transaction_state_log_min_isr);
  SAME(broker, b, transaction_state_log_segment_bytes);
  SAME(broker, b, transaction_state_log_load_buffer_size);
  SAME(broker, b, transaction_max_timeout_ms);
  SAME(broker, b, transactional_id_expiration_ms);
  SAME(broker, b, transaction_abort_timed_out_transaction_cleanup_interval_ms);
  SAME(broker, b, transaction_remove_expired_transaction_cleanup_interval_ms);
  SAME(broker, b, transaction_partition_verification_enable);
  SAME(broker, b, add_partitions_to_txn_retry_backoff_ms);
  SAME(broker, b, add_partitions_to_txn_retry_backoff_max_ms);
  SAME(broker, b, producer_id_expiration_ms);
  SAME(broker, b, producer_id_expiration_check_interval_ms);
  SAME(broker, b, broker_heartbeat_interval_ms);
  SAME(broker, b, broker_session_timeout_ms);
  SAME(controller, c, broker_session_timeout_ms);
  SAME(controller, c, auto_leader_rebalance_enable);
  SAME(controller, c, leader_imbalance_check_interval_seconds);
  SAME(controller, c, unclean_leader_election_interval_ms);
  SAME(controller, c, metadata_max_idle_interval_ms);
  SAME(controller, c, history.eligible_leader_replicas);
  SAME(producer, p, acks);
  SAME(producer, p, linger_ms);
  SAME(producer, p, batch_size);
  SAME(producer, p, buffer_memory);
  SAME(producer, p, max_block_ms);
  SAME(producer, p, max_request_size);
  SAME(producer, p, retries);
  SAME(producer, p, delivery_timeout_ms);
  SAME(producer, p, max_in_flight_requests_per_connection);
  SAME(producer, p, enable_idempotence);
  SAME(producer, p, partitioner_ignore_keys);
  SAME(producer, p, partitioner_adaptive_partitioning_enable);
  SAME(producer, p, partitioner_availability_timeout_ms);
  SAME(producer, p, metadata_max_age_ms);
  SAME(producer, p, metadata_max_idle_ms);
  SAME(producer, p, retry_backoff_ms);
  SAME(producer, p, retry_backoff_max_ms);
  SAME(producer, p, reconnect_backoff_ms);
  SAME(producer, p, reconnect_backoff_max_ms);
  SAME(producer, p, socket_connection_setup_timeout_ms);
  SAME(producer, p, socket_connection_setup_timeout_max_ms);
  SAME(producer, p, connections_max_idle_ms);
  SAME(producer, p, request_timeout_ms);
  SAME(consumer, k, partition_assignment_strategy);
  SAME(consumer, k, session_timeout_ms);
  SAME(consumer, k, heartbeat_interval_ms);
  SAME(consumer, k, max_poll_interval_ms);
  SAME(consumer, k, max_poll_records);
  SAME(consumer, k, enable_auto_commit);
  SAME(consumer, k, auto_commit_interval_ms);
  SAME(consumer, k, auto_offset_reset);
  SAME(consumer, k, isolation_level);
  SAME(consumer, k, fetch_min_bytes);
  SAME(consumer, k, fetch_max_wait_ms);
  SAME(consumer, k, fetch_max_bytes);
  SAME(consumer, k, max_partition_fetch_bytes);
  SAME(consumer, k, default_api_timeout_ms);
  SAME(consumer, k, allow_auto_create_topics);
#undef SAME
}

TEST_CASE("Kafka's readings of a value") {
  struct Row {
    std::string name;
    Components component;
    std::string text;
    const char* want;  // null: refused
  };
  const Row rows[] = {
      {"acks", kProducer, "all", "all"},
      {"acks", kProducer, "-1", "all"},
      {"acks", kProducer, "2", nullptr},
      {"linger.ms", kProducer, "+5", "5"},
      {"linger.ms", kProducer, "010", "10"},
      {"linger.ms", kProducer, " 5 ", "5"},
      {"linger.ms", kProducer, "", nullptr},
      {"linger.ms", kProducer, "5.0", nullptr},
      {"linger.ms", kProducer, "-", nullptr},
      {"enable.idempotence", kProducer, "TRUE", "true"},
      {"enable.idempotence", kProducer, "1", nullptr},
      {"log.cleanup.policy", kBroker, "compact, delete", "compact,delete"},
      {"log.cleanup.policy", kBroker, "", nullptr},
      {"offsets.topic.replication.factor", kBroker, "32768", nullptr},
      {"log.cleaner.threads", kBroker, "anything", "anything"},
      {"min.cleanable.dirty.ratio", kTopic, "0.25", "0.25"},
      {"min.cleanable.dirty.ratio", kTopic, "1.5", nullptr},
      {"min.cleanable.dirty.ratio", kTopic, "2.50e-1", "0.25"},
      {"min.cleanable.dirty.ratio", kTopic, "nan", nullptr},
      {"leader.replication.throttled.replicas", kTopic, "0:1, 0:2", "0:1,0:2"},
      {"leader.replication.throttled.replicas", kTopic, "0:-1", nullptr},
      {"request.timeout.ms", kConsumer, "1", "1"},
      {"partition.assignment.strategy", kConsumer, "org.apache.kafka.clients.consumer.StickyAssignor,range",
       "sticky,range"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.text);
    const Property* property = find_property(row.name, row.component);
    REQUIRE(property != nullptr);
    const PropertyValue got = read_property(*property, row.text);
    CHECK(got.value.has_value() == (row.want != nullptr));
    if (got.value && row.want != nullptr) CHECK(*got.value == row.want);
  }
  CHECK(find_property("acks", kConsumer) == nullptr);
  CHECK(find_property("ssl.keystore.location", kBroker)->name == "ssl.*");
}

TEST_CASE("every row of the key table is whole") {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Key& key : keys()) {
    CAPTURE(key.path);
    CHECK(seen.emplace(key.path, key.only_with).second);
    CHECK_FALSE(key.meaning.empty());
    CHECK(key.meaning.back() == '.');
    if (key.type != KeyType::section) CHECK((key.type == KeyType::word) == !key.words.empty());
    CHECK((key.type == KeyType::properties) == (key.components != 0));
    const std::size_t parent = key.path.rfind('/');
    const bool rooted =
        parent == std::string_view::npos || std::any_of(keys().begin(), keys().end(), [&](const Key& other) {
          const std::string_view above = key.path.substr(0, parent);
          return other.path == above ||
                 (above.ends_with("/[]") && other.path == above.substr(0, above.size() - 3));
        });
    CHECK(rooted);
  }
}

TEST_CASE("numbers with units are read exactly and printed back") {
  struct Row {
    UnitKind kind;
    std::string text;
    std::int64_t want;  // -1: refused
    const char* printed;
  };
  const Row rows[] = {
      {UnitKind::duration, "120s", 120'000'000'000, "120s"},
      {UnitKind::duration, "1.5s", 1'500'000'000, "1500ms"},
      {UnitKind::duration, "2min", 120'000'000'000, "120s"},
      {UnitKind::duration, "400 us", 400'000, "400us"},
      {UnitKind::duration, "4\xC2\xB5s", 4'000, "4us"},
      {UnitKind::duration, "0s", 0, "0s"},
      {UnitKind::duration, "0.5ns", -1, ""},
      {UnitKind::duration, "s", -1, ""},
      {UnitKind::duration, "1.s", -1, ""},
      {UnitKind::duration, ".5s", -1, ""},
      {UnitKind::duration, "1s2", -1, ""},
      {UnitKind::duration, "999999999999d", -1, ""},
      {UnitKind::duration, "0x10s", -1, ""},
      {UnitKind::duration, "1e3s", -1, ""},
      {UnitKind::duration, "", -1, ""},
      {UnitKind::size, "1KiB", 1024, "1KiB"},
      {UnitKind::size, "1.5KiB", 1536, "1536B"},
      {UnitKind::size, "3MB", 3'000'000, "3MB"},
      {UnitKind::size, "1kb", -1, ""},
      {UnitKind::rate, "500/s", 500'000, "500/s"},
      {UnitKind::rate, "0.5/s", 500, "0.5/s"},
      {UnitKind::rate, "30/min", 500, "0.5/s"},
      {UnitKind::rate, "1.234/s", 1'234, "1.234/s"},
      {UnitKind::rate, "1.2345/s", -1, ""},
      {UnitKind::bandwidth, "1Gbit", 1'000'000'000, "1Gbit"},
      {UnitKind::bandwidth, "unlimited", 0, "unlimited"},
      {UnitKind::byte_rate, "100MiB/s", 104'857'600, "100MiB/s"},
      {UnitKind::ratio, "0.6", 60, "0.6"},
      {UnitKind::ratio, "1", 100, "1"},
      {UnitKind::ratio, "0.125", -1, ""},
      {UnitKind::none, "0", 0, "0"},
      {UnitKind::none, "007", -1, ""},
      {UnitKind::none, "9223372036854775807", 9223372036854775807, "9223372036854775807"},
      {UnitKind::none, "9223372036854775808", -1, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Scalar got = read_scalar(row.text, row.kind);
    CHECK(got.value.value_or(-1) == row.want);
    CHECK(got.problem.empty() == got.value.has_value());
    if (got.value) {
      CHECK(print_scalar(*got.value, row.kind) == row.printed);
      CHECK(read_scalar(row.printed, row.kind).value == got.value);
    }
  }
}

TEST_CASE("the word somebody probably meant") {
  CHECK(nearest("brokres", {"brokers", "controllers"}) == "brokers");
  CHECK(nearest("BROKERS", {"brokers"}) == "brokers");
  CHECK(nearest("x", {"y", "zz"}).empty());
  CHECK(nearest("colour", {"cluster", "clients"}).empty());
  CHECK(nearest("ab", {"ac", "ad"}) == "ac");
  CHECK(nearest(std::string(5000, 'a'), {"a"}).empty());
  CHECK(did_you_mean("warmpu", {"warmup"}) == "did you mean warmup?");
}

}  // namespace sim::scenario::test
