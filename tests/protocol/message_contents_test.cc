// Which partitions messages name, and what answers say went wrong.
#include "protocol/message_contents.h"

#include <doctest/doctest.h>

namespace sim {
namespace {

constexpr TopicPartition kNamed{TopicId{3}, 1};
constexpr TopicPartition kOther{TopicId{3}, 2};

TEST_CASE("partitions of requests, answers and bare lists; other messages name none") {
  ProduceRequest produce;
  produce.partitions.push_back({kNamed, nullptr});
  FetchResponse fetched;
  fetched.partitions.emplace_back().tp = kNamed;
  OffsetFetchRequest offsets;
  offsets.partitions.push_back(kNamed);
  for (const Message& message : {Message(produce), Message(fetched), Message(offsets)}) {
    CAPTURE(name(message));
    CHECK(names_partition(message, kNamed));
    CHECK_FALSE(names_partition(message, kOther));
  }
  CHECK_FALSE(names_partition(HeartbeatRequest{}, kNamed));
}

TEST_CASE("errors of the whole first, then of partitions and topics") {
  FetchResponse fetched;
  fetched.error = ErrorCode::fetch_session_id_not_found;
  fetched.partitions.emplace_back().tp = kNamed;
  fetched.partitions.back().error = ErrorCode::offset_out_of_range;
  fetched.partitions.emplace_back().tp = kOther;
  const std::vector<SaidError> errors = errors_of(fetched);
  REQUIRE(errors.size() == 2);
  CHECK_FALSE(errors[0].tp);
  CHECK(errors[0].error == ErrorCode::fetch_session_id_not_found);
  CHECK(errors[1].tp == kNamed);

  ElectLeadersResponse elected;
  elected.partitions.push_back({{"orders", 4}, ErrorCode::election_not_needed});
  REQUIRE(errors_of(elected).size() == 1);
  CHECK(errors_of(elected)[0].resource == "orders-4");

  MetadataResponse metadata;
  metadata.topics.emplace_back().id = TopicId{3};
  MetadataResponse::Partition& partition = metadata.topics.back().partitions.emplace_back();
  partition.index = 1;
  partition.error = ErrorCode::leader_not_available;
  metadata.topics.emplace_back().name = "later";
  metadata.topics.back().error = ErrorCode::unknown_topic_or_partition;
  REQUIRE(errors_of(metadata).size() == 2);
  CHECK(errors_of(metadata)[0].resource == "later");
  CHECK(errors_of(metadata)[1].tp == kNamed);
  CHECK(errors_of(HeartbeatRequest{}).empty());
}

}  // namespace
}  // namespace sim
