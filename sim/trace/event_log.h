#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "observe/names.h"
#include "observe/observation.h"
#include "observe/partition_map.h"

// events.jsonl: what happened, a JSON object a line.
//
//   {"t":32000000000,"seq":918,"node":"broker-2","ev":"HighWatermarkAdvanced","cause":911,"tp":"orders-0","from":7,"to":8}
//
// `t` is simulated nanoseconds, `seq` the number of the event being handled, `cause` that of the event whose
// handling scheduled it. Written straight into a buffer: no allocation, no locale, several million lines a
// second.
namespace sim::trace {

enum class Level : std::uint8_t {
  off,
  control,  // what happens to brokers, partitions and groups, and every error; nothing per record, batch or
            // message
  full,     // every fact
};
constexpr const char* name(Level level) {
  switch (level) {
    case Level::off: return "off";
    case Level::control: return "control";
    case Level::full: return "full";
  }
  return "";
}

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(std::string_view bytes) = 0;
};

class EventLog final : public observe::Observer {
 public:
  // REQUIRES: level != off; `sink` outlives this
  EventLog(Sink& sink, Level level, const observe::Names& names);

  void on(const observe::Observation& observation) override;
  bool wants_messages() const override { return level_ == Level::full; }
  // Hands the sink what is still buffered.
  void flush();

 private:
  static constexpr std::size_t kFlushAt = 192 * 1024;

  // Fields of one fact, each with its leading comma.
  void fields(const observe::OrderPlaced& fact);
  void fields(const observe::RecordAccepted& fact);
  void fields(const observe::RecordFailed& fact);
  void fields(const observe::BatchDrained& fact);
  void fields(const observe::BatchAppended& fact);
  void fields(const observe::BatchAcknowledged& fact);
  void fields(const observe::RequestProgress& fact);
  void fields(const observe::HighWatermarkAdvanced& fact);
  void fields(const observe::BecameLeader& fact);
  void fields(const observe::BecameFollower& fact);
  void fields(const observe::IsrChanged& fact);
  void fields(const observe::IsrProposed& fact);
  void fields(const observe::LogTruncated& fact);
  void fields(const observe::ReplicaAppended& fact);
  void fields(const observe::TopicCreated& fact);
  void fields(const observe::RecordsPolled& fact);
  void fields(const observe::ProcessingStarted& fact);
  void fields(const observe::ProcessingDone& fact);
  void fields(const observe::CommitSent& fact);
  void fields(const observe::CommitAcknowledged& fact);
  void fields(const observe::OffsetsStored& fact);
  void fields(const observe::PositionReset& fact);
  void fields(const observe::GroupStateChanged& fact);
  void fields(const observe::AssignmentReceived& fact);
  void fields(const observe::MessageSent& fact);
  void fields(const observe::MessageDelivered& fact);
  void fields(const observe::ConnectionOpened& fact);
  void fields(const observe::ConnectionClosed& fact);
  void fields(const observe::ClientThrottled& fact);
  void fields(const observe::QuorumRoleChanged& fact);
  void fields(const observe::QuorumStateStored& fact);
  void fields(const observe::QuorumVoteAnswered& fact);
  void fields(const observe::QuorumVotersChanged& fact);
  void fields(const observe::MetadataLogOpened& fact);
  void fields(const observe::MetadataAppended& fact);
  void fields(const observe::MetadataTruncated& fact);
  void fields(const observe::MetadataSnapshotFetched& fact);
  void fields(const observe::MetadataCommitted& fact);
  void fields(const observe::MetadataReplayed& fact);
  void fields(const observe::ControllerChanged& fact);
  void fields(const observe::BrokerStateChanged& fact);
  void fields(const observe::PartitionChanged& fact);
  void fields(const observe::FaultStruck& fact);
  void fields(const observe::FaultEnded& fact);
  void fields(const observe::AdminAnswered& fact);
  void fields(const observe::TopicDeleted& fact);
  void fields(const observe::FollowerHighWatermarkAdvanced& fact);
  void fields(const observe::IsrProposalDropped& fact);
  void fields(const observe::ReplicaOpened& fact);
  void fields(const observe::LogStartRaised& fact);
  void fields(const observe::LogCleaned& fact);
  void fields(const observe::LogDeleted& fact);
  void fields(const observe::LogLost& fact);
  void fields(const observe::ProcessStarted&) {}
  void fields(const observe::ProcessStopped&) {}

  void raw(std::string_view text) { buffer_.append(text); }
  void number(std::int64_t value);
  void count(std::string_view key, std::int64_t value);     // "key":17
  void text(std::string_view key, std::string_view value);  // "key":"value", escaped
  void nodes(std::string_view key, const std::vector<NodeId>& ids);
  void order(RecordId id);
  void partition(TopicPartition tp);
  void who(observe::ServiceId service, std::int32_t member);
  void batch(const BatchData& data);
  void message(const Envelope& envelope);
  void channel(const Channel& channel);
  void error(ErrorCode error);
  std::string_view process(ProcessId id) const;
  const std::string& quoted(TopicPartition tp);

  Sink& sink_;
  Level level_;
  std::string buffer_;
  std::vector<std::string> processes_;  // in quotes
  std::vector<std::string> flows_;
  std::vector<std::string> faults_;
  std::vector<std::string> services_;
  observe::TopicNames topics_;
  observe::PartitionMap<std::string> partitions_;  // in quotes; empty = not yet asked for
};

}  // namespace sim::trace
