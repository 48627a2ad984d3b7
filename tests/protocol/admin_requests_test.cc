// Requests of administrators: what is answered to them, and a topic's settings by name.
#include "protocol/admin_requests.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "protocol/topic_settings.h"

namespace sim {
namespace {

TEST_CASE("a refusal speaks of everything that was asked for") {
  const AdminRequest requests[] = {
      ElectLeadersRequest{ElectionType::unclean, false, {{"orders", 0}, {"orders", 1}}},
      AlterPartitionReassignmentsRequest{{{{"orders", 0}, {NodeId{1}}, false}, {{"orders", 1}, {}, true}}},
      DeleteTopicsRequest{{"orders", "bills"}},
      IncrementalAlterConfigsRequest{{{"orders", {}}, {"bills", {}}}},
      CreatePartitionsRequest{{{"orders", 3}, {"bills", 4}}},
  };
  for (const AdminRequest& request : requests) {
    const Message message = message_of(request);
    CAPTURE(name(message));
    REQUIRE(admin_request_of(message).has_value());
    CHECK(admin_request_of(message)->index() == request.index());
    CHECK_FALSE(is_admin_response(message));

    const Message refused = error_response(request, ErrorCode::request_timed_out);
    CHECK(is_admin_response(refused));
    CHECK_FALSE(admin_request_of(refused).has_value());
    const std::vector<AdminResult> results = results_of(refused);
    REQUIRE(results.size() == 2);
    CHECK((results[0].resource == "orders" || results[0].resource == "orders-0"));
    CHECK(results[0].error == ErrorCode::request_timed_out);
    CHECK(admin_response_says(refused, ErrorCode::request_timed_out));
    CHECK_FALSE(admin_response_says(refused, ErrorCode::not_controller));
    CHECK(admin_response_says(with_errors(refused, ErrorCode::not_controller), ErrorCode::not_controller));
    CHECK(wire_size(message) > 0);
    CHECK(wire_size(refused) > 0);
  }
  CHECK(results_of(ApiVersionsResponse{}).empty());
}

TEST_CASE("an election of all partitions is refused as a whole") {
  const Message refused =
      error_response(ElectLeadersRequest{ElectionType::preferred, true, {}}, ErrorCode::not_controller);
  CHECK(admin_response_says(refused, ErrorCode::not_controller));
}

TEST_CASE("topic settings by Kafka's names") {
  struct Row {
    const char* name;
    const char* value;
    bool valid;
  };
  const Row rows[] = {
      {"retention.ms", "60000", true},
      {"retention.ms", "-1", true},
      {"retention.ms", "-2", false},
      {"retention.ms", "", false},
      {"retention.ms", "6e4", false},
      {"segment.bytes", "1048576", true},
      {"segment.bytes", "14", false},
      {"min.insync.replicas", "0", false},
      {"unclean.leader.election.enable", "true", true},
      {"cleanup.policy", "compact", true},
      {"cleanup.policy", "delete,compact", true},
      {"cleanup.policy", "shred", false},
      {"cleanup.policy", "", false},
      {"unclean.leader.election.enable", "1", false},
      {"color", "red", false},
      {"leader.replication.throttled.replicas", "*", true},
      {"leader.replication.throttled.replicas", "0:1,0:2", true},
      {"leader.replication.throttled.replicas", "0-1", false},
      {"leader.replication.throttled.replicas", "-1:2", false},
      {"message.timestamp.type", "LogAppendTime", true},
      {"message.timestamp.type", "logappendtime", false},
      {"min.cleanable.dirty.ratio", "1e-1", true},
      {"min.cleanable.dirty.ratio", "-0.1", false},
      {"segment.bytes", "2147483648", false},
      {"compression.type", "zstd", true},
      {"compression.type", "lzma", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.value);
    TopicConfig config;
    CHECK(set_topic_config(config, row.name, row.value) == row.valid);
    if (!row.valid) CHECK(config == TopicConfig{});
  }
  TopicConfig config;
  REQUIRE(set_topic_config(config, "min.insync.replicas", "2"));
  CHECK(config.min_insync_replicas == 2);
  REQUIRE(reset_topic_config(config, "min.insync.replicas", TopicConfig{}));
  CHECK(config == TopicConfig{});
  CHECK_FALSE(reset_topic_config(config, "color", TopicConfig{}));
}

TEST_CASE("every setting's value is written as it is read, and back") {
  for (const TopicSetting& setting : topic_settings()) {
    CAPTURE(setting.name);
    CHECK(find_topic_setting(setting.name) == &setting);
    const std::optional<std::string> fallback = canonical_setting(setting, setting.fallback);
    REQUIRE(fallback.has_value());
    if (!setting.is_modelled()) continue;
    CHECK(setting.print(TopicConfig{}) == *fallback);  // Kafka's default is the field's
    // Another value that the setting takes: it is told, copied and written back.
    const char* others[] = {"compact", "123456789", "0.25", "LogAppendTime", "true", "0:1,7:2"};
    const auto other = std::find_if(std::begin(others), std::end(others), [&](const char* text) {
      const auto value = canonical_setting(setting, text);
      return value && *value != *fallback;
    });
    REQUIRE(other != std::end(others));
    TopicConfig config;
    REQUIRE(set_topic_config(config, setting.name, *other));
    CHECK(setting.print(config) == *other);
    CHECK_FALSE(setting.same(config, TopicConfig{}));
    CHECK(digest(config) != digest(TopicConfig{}));
    int overrides = 0;
    for_each_override(config, [&](std::string_view name, const std::string& value) {
      CHECK(name == setting.name);
      CHECK(value == *other);
      ++overrides;
    });
    CHECK(overrides == 1);
    REQUIRE(reset_topic_config(config, setting.name, TopicConfig{}));
    CHECK(config == TopicConfig{});
  }
  TopicConfig config;
  CHECK(is_valid(config));
  config.min_compaction_lag_ms = 8;
  config.max_compaction_lag_ms = 7;
  CHECK_FALSE(is_valid(config));
}

}  // namespace
}  // namespace sim
