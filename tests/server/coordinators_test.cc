#include "server/coordinators.h"

#include <doctest/doctest.h>

#include <set>
#include <string_view>

namespace sim::server {
namespace {

TEST_CASE("every kind of coordinator is found by its type and by its topic, and only its topic is internal") {
  std::set<std::string_view> topics;
  for (const CoordinatorKind& row : kCoordinators) {
    CAPTURE(row.topic);
    CHECK(topics.insert(row.topic).second);
    CHECK(&coordinator_of(row.type) == &row);
    CHECK(coordinator_on(row.topic) == &row);
    CHECK(is_internal_topic(row.topic));
    CHECK(BrokerConfig{}.*row.partitions > 0);
  }
  CHECK(coordinator_of(CoordinatorType::group).topic == "__consumer_offsets");
  CHECK(coordinator_on("orders") == nullptr);
  CHECK_FALSE(is_internal_topic("orders"));
  CHECK_FALSE(is_internal_topic("__cluster_metadata"));  // no topic at all to clients
}

}  // namespace
}  // namespace sim::server
