// Messages have Kafka's names and take the bytes that Kafka's newest encodings take.
#include "protocol/messages.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "protocol/batch_builder.h"
#include "protocol/wire.h"

namespace sim {
namespace {

constexpr std::int64_t kRequest =
    4 + 2 + 2 + 4 + 2 + wire::kClientIdBytes + 1 + 1;  // prefix, header v2, body's tags
constexpr std::int64_t kResponse = 4 + 4 + 1 + 1;      // prefix, header v1, body's tags
const TopicPartition kOrders0{TopicId{1}, 0};
const TopicPartition kOrders1{TopicId{1}, 1};
const TopicPartition kOther0{TopicId{2}, 0};

TEST_CASE("a produce request carries its batches to the byte") {
  const BatchDataPtr batch = make_data_batch(std::vector<Record>(10, Record{RecordId{0}, 0, 8, 100}));
  ProduceRequest request;
  const std::int64_t bare = kRequest + 1 + 2 + 4 + 1;  // transactional id, acks, timeout, no topics
  CHECK(wire_size(request) == bare);

  constexpr std::int64_t kTopic = 16 + 1 + 1;            // id, number of partitions, tags
  constexpr std::int64_t kPartition = 4 + 2 + 1231 + 1;  // index, length of the records, records, tags
  request.partitions.push_back({kOrders0, batch});
  CHECK(wire_size(request) == bare + kTopic + kPartition);
  request.partitions.push_back({kOrders1, batch});
  CHECK(wire_size(request) == bare + kTopic + 2 * kPartition);  // one topic entry for both
  request.partitions.push_back({kOther0, batch});
  CHECK(wire_size(request) == bare + 2 * kTopic + 3 * kPartition);
}

TEST_CASE("a fetch: sessions make both sides small, batches count to the byte, optional fields only if set") {
  FetchRequest request;
  const std::int64_t bare = kRequest + 3 * 4 + 1 + 2 * 4 + 1 + 1 + 1;
  CHECK(wire_size(request) == bare);
  request.replica = NodeId{1};
  CHECK(wire_size(request) == bare + 2 + 13);
  FetchRequest::Partition partition;
  partition.tp = kOrders0;
  request.partitions.push_back(partition);
  CHECK(wire_size(request) == bare + 2 + 13 + 18 + 33);
  request.partitions[0].high_watermark = 7;
  CHECK(wire_size(request) == bare + 2 + 13 + 18 + 33 + 10);

  FetchResponse response;
  const std::int64_t empty = kResponse + 4 + 2 + 4 + 1;
  CHECK(wire_size(response) == empty);
  FetchResponse::Partition data;
  data.tp = kOrders0;
  response.partitions.push_back(data);
  CHECK(wire_size(response) == empty + 18 + (4 + 2 + 24 + 1 + 4 + 1 + 1));
  const BatchDataPtr batch = make_data_batch(std::vector<Record>(10, Record{RecordId{0}, 0, 8, 100}));
  response.partitions[0].batches = {Batch{0, LeaderEpoch{0}, 10, batch},
                                    Batch{10, LeaderEpoch{0}, 10, batch}};
  CHECK(wire_size(response) == empty + 18 + (4 + 2 + 24 + 1 + 4 + 2 + 1) + 2 * 1231);
}

TEST_CASE("small answers take what their fields take") {
  CHECK(wire_size(HeartbeatResponse{}) == kResponse + 4 + 2);
  CHECK(wire_size(BrokerHeartbeatResponse{}) == kResponse + 4 + 2 + 3);
  CHECK(wire_size(InitProducerIdResponse{}) == kResponse + 4 + 2 + 8 + 2);
  CHECK(wire_size(HeartbeatRequest{"payment", Generation{1}, "member", ""}) == kRequest + 8 + 4 + 7 + 1);
  CHECK(wire_size(NoOpResponse{}) == 0);
}

TEST_CASE("a metadata answer grows with brokers, topics and partitions") {
  MetadataResponse response;
  const std::int64_t empty = wire_size(response);
  response.brokers.push_back({NodeId{1}, ProcessId{4}, "a"});
  CHECK(wire_size(response) == empty + 4 + 1 + wire::kHostNameBytes + 4 + 2 + 1);
  MetadataResponse::Topic topic;
  topic.name = "orders";
  MetadataResponse::Partition partition;
  partition.replicas = {NodeId{1}, NodeId{2}, NodeId{3}};
  partition.isr = partition.replicas;
  topic.partitions.assign(6, partition);
  const std::int64_t with_broker = wire_size(response);
  response.topics.push_back(topic);
  CHECK(wire_size(response) == with_broker + 2 + 7 + 16 + 1 + 1 + 6 * (2 + 12 + 13 + 13 + 1 + 1) + 4 + 1);
}

TEST_CASE("names are Kafka's") {
  CHECK(std::string(name(FetchRequest{})) == "FetchRequest");
  CHECK(std::string(name(AlterPartitionResponse{})) == "AlterPartitionResponse");
  CHECK(std::string(name(NoOpResponse{})) == "NoOpResponse");
}

}  // namespace
}  // namespace sim
