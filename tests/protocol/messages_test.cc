// Messages have Kafka's names and take the bytes that Kafka's newest encodings take.
#include "protocol/messages.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "protocol/batch_builder.h"
#include "protocol/message_contents.h"
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

TEST_CASE("messages of transactions take what their fields take") {
  EndTxnRequest end;
  end.transactional_id = "payments-1";
  CHECK(wire_size(end) == kRequest + 11 + 8 + 2 + 1);
  CHECK(wire_size(EndTxnResponse{}) == kResponse + 4 + 2 + 8 + 2);

  AddPartitionsToTxnRequest add;
  add.transactions.push_back({"payments-1", ProducerId{1}, ProducerEpoch{0}, false, {kOrders0, kOrders1}});
  const std::int64_t one = 11 + 8 + 2 + 1 + (1 + wire::kTopicNameBytes + 1 + 2 * 4 + 1);
  CHECK(wire_size(add) == kRequest + one);  // as a client's: one transaction, no list of them
  add.from_broker = true;
  CHECK(wire_size(add) == kRequest + 1 + one + 1 + 1);  // + verify only, tags

  WriteTxnMarkersRequest write;
  write.markers.push_back({ProducerId{1}, ProducerEpoch{1}, true, CoordinatorEpoch{3}, {kOrders0}});
  CHECK(wire_size(write) == kRequest + 1 + 8 + 2 + 1 + (1 + 1 + wire::kTopicNameBytes + 1 + 4 + 1) + 4 + 1);
  write.markers[0].transaction_version = kTransactionVersion2;  // KIP-1228
  CHECK(wire_size(write) ==
        kRequest + 1 + 8 + 2 + 1 + (1 + 1 + wire::kTopicNameBytes + 1 + 4 + 1) + 4 + 1 + 1);

  ProduceRequest produce;
  const std::int64_t bare = wire_size(produce);
  produce.transactional_id = "payments-1";
  CHECK(wire_size(produce) == bare + 10);

  FetchResponse fetched;
  fetched.partitions.resize(1);
  const std::int64_t without = wire_size(fetched);
  fetched.partitions[0].aborted_transactions = {{ProducerId{1}, 7}};
  CHECK(wire_size(fetched) == without + 17);
}

TEST_CASE("a transaction's marker is a control batch of one offset and 78 bytes, and names its producer") {
  const BatchDataPtr marker = make_marker_batch(EndTransactionMarker{true, CoordinatorEpoch{4}},
                                                ProducerId{7}, ProducerEpoch{3}, 1'000);
  CHECK(marker->size_bytes == 78);
  CHECK(marker->record_count() == 1);
  CHECK(marker->control);
  CHECK(marker->transactional);
  CHECK(marker->producer_id == ProducerId{7});
  CHECK(marker->producer_epoch == ProducerEpoch{3});
  CHECK(marker->base_sequence == -1);
  REQUIRE(marker->end_transaction_marker() != nullptr);
  CHECK(marker->end_transaction_marker()->committed);
  CHECK(marker->end_transaction_marker()->coordinator_epoch == CoordinatorEpoch{4});

  const BatchDataPtr data =
      make_data_batch({Record{RecordId{0}, 0, 8, 100}}, ProducerId{7}, ProducerEpoch{2}, 0, 100, true);
  CHECK(data->transactional);
  CHECK(data->end_transaction_marker() == nullptr);
}

TEST_CASE("what a fault says of a partition holds for partitions inside of transactions and markers") {
  AddPartitionsToTxnResponse added;
  added.transactions.push_back(
      {"payments-1", {{kOrders0, ErrorCode::none}, {kOrders1, ErrorCode::producer_fenced}}});
  CHECK(names_partition(added, kOrders1));
  CHECK_FALSE(names_partition(added, kOther0));
  const std::vector<SaidError> errors = errors_of(added);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].tp == kOrders1);
  CHECK(errors[0].error == ErrorCode::producer_fenced);

  WriteTxnMarkersResponse written;
  written.markers.push_back({ProducerId{1}, {{kOther0, ErrorCode::not_leader_or_follower}}});
  CHECK(names_partition(written, kOther0));
  CHECK(errors_of(written).size() == 1);
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
