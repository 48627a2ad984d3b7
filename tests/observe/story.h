#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "observe/observation.h"

// Observations written by hand, for the tests of those who only watch: what happens to a few orders on their
// way through one partition and its services. Times are milliseconds.
namespace sim::test {

inline constexpr TopicPartition kOrders0{TopicId{1}, 0};
inline constexpr ProcessId kBroker1{10}, kBroker2{11}, kShop{20}, kInventory{30}, kPayment{31};

class Story {
 public:
  explicit Story(std::function<void(const observe::Observation&)> listener)
      : listener_(std::move(listener)) {}
  explicit Story(observe::Observer& observer)
      : Story([&observer](const observe::Observation& observation) { observer.on(observation); }) {}

  void tell(std::int64_t ms, ProcessId who, const observe::Fact& fact) {
    ++seq_;
    listener_(observe::Observation{Instant{from_millis(ms)}, seq_, seq_ - 1, who, Incarnation{1}, fact});
  }

  static RecordId order(std::int64_t number, FlowId flow = FlowId{0}) { return record_id(flow, number); }
  static BatchDataPtr batch_of(const std::vector<std::int64_t>& numbers) {
    BatchData data;
    std::vector<Record> records;
    for (const std::int64_t number : numbers) records.push_back(Record{order(number), 0, -1, 100});
    data.size_bytes = 200;
    data.records = std::move(records);
    return std::make_shared<const BatchData>(std::move(data));
  }

  void placed(std::int64_t ms, std::int64_t number) {
    tell(ms, kShop, observe::OrderPlaced{order(number), FlowId{0}, ms * 1'000'000, 7, 6, 100});
  }
  void accepted(std::int64_t ms, std::int64_t number) {
    tell(ms, kShop, observe::RecordAccepted{order(number), kOrders0});
  }
  void failed(std::int64_t ms, std::int64_t number, ErrorCode error) {
    tell(ms, kShop, observe::RecordFailed{order(number), error});
  }
  void drained(std::int64_t ms, const BatchDataPtr& batch, std::int32_t attempt = 0) {
    tell(ms, kShop, observe::BatchDrained{kOrders0, batch, attempt});
  }
  void arrived(std::int64_t ms, observe::RequestStage stage, const BatchDataPtr& batch,
               ProcessId broker = kBroker1) {
    const Envelope envelope{Channel{kShop, broker, Lane::data}, 1, false,
                            ProduceRequest{-1, 30'000, {ProduceRequest::Partition{kOrders0, batch}}}};
    tell(ms, broker, observe::RequestProgress{stage, &envelope, envelope.channel, 1});
  }
  void appended(std::int64_t ms, Offset base, const BatchDataPtr& batch, std::int32_t leader_epoch = 0,
                ProcessId broker = kBroker1) {
    tell(ms, broker,
         observe::BatchAppended{kOrders0,
                                Batch{base, LeaderEpoch{leader_epoch}, batch->record_count(), batch}});
  }
  void high_watermark(std::int64_t ms, Offset from, Offset to, ProcessId broker = kBroker1) {
    tell(ms, broker, observe::HighWatermarkAdvanced{kOrders0, from, to});
  }
  // What one broker tells of its own replica; a leader's append without a broker is the current leader's.
  static NodeId broker_of(ProcessId process) { return NodeId{process.value() - 9}; }
  void appended_by(std::int64_t ms, ProcessId broker, Offset base, const BatchDataPtr& batch,
                   std::int32_t leader_epoch = 0) {
    tell(
        ms, broker,
        observe::BatchAppended{kOrders0, Batch{base, LeaderEpoch{leader_epoch}, batch->record_count(), batch},
                               broker_of(broker)});
  }
  void replicated(std::int64_t ms, ProcessId broker, Offset base, const BatchDataPtr& batch,
                  std::int32_t leader_epoch = 0) {
    const Batch placed{base, LeaderEpoch{leader_epoch}, batch->record_count(), batch};
    tell(ms, broker, observe::ReplicaAppended{kOrders0, broker_of(broker), placed.end_offset(), placed});
  }
  void follows(std::int64_t ms, ProcessId broker, std::int32_t leader_epoch, ProcessId leader) {
    tell(ms, broker,
         observe::BecameFollower{kOrders0, broker_of(broker), LeaderEpoch{leader_epoch}, broker_of(leader)});
  }
  void truncated(std::int64_t ms, ProcessId broker, Offset from, Offset to) {
    tell(ms, broker, observe::LogTruncated{kOrders0, broker_of(broker), from, to});
  }
  // The controller's: who leads, who is in sync, who is eligible besides.
  void decided(std::int64_t ms, Offset record, NodeId leader, std::int32_t leader_epoch,
               std::vector<NodeId> isr, std::vector<NodeId> elr = {}) {
    tell(ms, kNoProcess,
         observe::PartitionChanged{kOrders0,
                                   leader,
                                   LeaderEpoch{leader_epoch},
                                   PartitionEpoch{leader_epoch},
                                   {NodeId{1}, NodeId{2}, NodeId{3}},
                                   std::move(isr),
                                   std::move(elr),
                                   record});
  }
  void acknowledged(std::int64_t ms, Offset base, const BatchDataPtr& batch) {
    tell(ms, kShop, observe::BatchAcknowledged{kOrders0, batch, ErrorCode::none, base, false});
  }
  void refused(std::int64_t ms, const BatchDataPtr& batch, ErrorCode error, bool will_retry) {
    tell(ms, kShop, observe::BatchAcknowledged{kOrders0, batch, error, kNoOffset, will_retry});
  }
  void leads(std::int64_t ms, std::int32_t leader_epoch, Offset epoch_start, ProcessId broker = kBroker1) {
    tell(ms, broker,
         observe::BecameLeader{kOrders0, NodeId{broker.value() - 9}, LeaderEpoch{leader_epoch}, epoch_start});
  }
  void isr(std::int64_t ms, std::vector<NodeId> isr, ProcessId broker = kBroker1) {
    tell(ms, broker, observe::IsrChanged{kOrders0, std::move(isr), PartitionEpoch{0}});
  }

  // Services are numbered from 0, each with one member: a process of its own.
  static ProcessId member_of(std::int32_t service) { return ProcessId{kInventory.value() + service}; }
  void polled(std::int64_t ms, std::int32_t service, Offset from, Offset to) {
    tell(ms, member_of(service), observe::RecordsPolled{observe::ServiceId{service}, 0, kOrders0, from, to});
  }
  void started(std::int64_t ms, std::int32_t service, Offset offset, std::int64_t number) {
    tell(ms, member_of(service),
         observe::ProcessingStarted{observe::ServiceId{service}, 0, kOrders0, offset, order(number)});
  }
  void done(std::int64_t ms, std::int32_t service, Offset offset, std::int64_t number) {
    tell(ms, member_of(service),
         observe::ProcessingDone{observe::ServiceId{service}, 0, kOrders0, offset, order(number)});
  }
  void committed(std::int64_t ms, std::int32_t service, Offset offset) {
    tell(ms, member_of(service),
         observe::CommitAcknowledged{observe::ServiceId{service}, 0, kOrders0, offset, ErrorCode::none});
  }

  // The whole way of orders 0.. in one batch at `base` up to the acknowledgement, from `ms` on.
  BatchDataPtr published(std::int64_t ms, const std::vector<std::int64_t>& numbers, Offset base) {
    for (const std::int64_t number : numbers) {
      placed(ms, number);
      accepted(ms + 1, number);
    }
    const BatchDataPtr batch = batch_of(numbers);
    drained(ms + 6, batch);
    arrived(ms + 7, observe::RequestStage::received, batch);
    arrived(ms + 9, observe::RequestStage::dequeued, batch);
    appended(ms + 12, base, batch);
    high_watermark(ms + 16, base, base + batch->record_count());
    acknowledged(ms + 17, base, batch);
    return batch;
  }

 private:
  std::function<void(const observe::Observation&)> listener_;
  std::uint64_t seq_ = 0;
};

}  // namespace sim::test
