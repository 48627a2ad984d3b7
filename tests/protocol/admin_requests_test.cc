// Requests of administrators: what is answered to them, and a topic's settings by name.
#include "protocol/admin_requests.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "protocol/topic_config_entries.h"

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
  const std::vector<std::string_view> names = alterable_topic_configs();
  CHECK(std::is_sorted(names.begin(), names.end()));
}

}  // namespace
}  // namespace sim
