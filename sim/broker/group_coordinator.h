#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "broker/config.h"
#include "node/node.h"
#include "protocol/coordinator_records.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"

// The classic group coordinator of one broker, for the partitions of __consumer_offsets it leads
// (GroupCoordinatorService, GroupMetadataManager, ClassicGroup, OffsetMetadataManager in Kafka).
//
// Groups, members, generations and committed offsets. It decides and keeps the state; it does not know how a log
// is written: what must be durable is handed to the broker as a Write, which appends it to its partition
// with acks=all and tells the outcome when the high watermark has passed it or it has failed. Replies
// that rest on a write leave then. State is applied when records are replayed: at once for its own
// writes (and taken back if the write fails), and from the log after an election.
//
// It needs one timer of its process and keeps all its deadlines (sessions, joins, pending syncs, offset
// expiry, append linger) behind it. It is a value.
namespace sim::broker {

class GroupCoordinator {
 public:
  using WriteId = std::uint64_t;
  struct Write {  // to be appended to __consumer_offsets-<partition> as one batch
    WriteId id = 0;
    std::int32_t partition = 0;
    std::vector<CoordinatorRecord> records;
  };

  GroupCoordinator(const BrokerConfig& config, NodeId self, node::TimerId timer);

  // This broker now leads the partition: its log is to be read from its start to `log_end_offset`; until
  // loaded() its groups answer COORDINATOR_LOAD_IN_PROGRESS.
  void elected(std::int32_t partition, LeaderEpoch leader_epoch);
  // Replays batches in order; what lies at or above `high_watermark` is not yet committed.
  void load(std::int32_t partition, const std::vector<Batch>& batches, Offset high_watermark);
  void loaded(std::int32_t partition, node::Env env, node::Effects& out);
  // No longer leads it: waiting members hear NOT_COORDINATOR, its state is forgotten.
  void resigned(std::int32_t partition, node::Effects& out);

  // Requests; answered now or later with node::reply.
  void on(const JoinGroupRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const SyncGroupRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const HeartbeatRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const LeaveGroupRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const OffsetCommitRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const OffsetFetchRequest& request, const Envelope& from, node::Env env, node::Effects& out);

  void timer_fired(node::Env env, node::Effects& out);

  // What is to be written by now; the broker takes them after every call above.
  std::vector<Write> take_writes() { return std::exchange(writes_, {}); }
  // ErrorCode::none: the high watermark has passed the batch's end. Otherwise the append or its replication
  // failed with this error (mapped for clients as CoordinatorRuntime does).
  void written(WriteId id, ErrorCode error, node::Env env, node::Effects& out);

  // abs(javaStringHash(group)) mod offsets.topic.num.partitions.
  static std::int32_t partition_for(std::string_view group, std::int32_t partitions);

 private:
  std::vector<Write> writes_;
};

}  // namespace sim::broker
