#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "coordinator/deadlines.h"
#include "group/classic_group.h"
#include "group/writes.h"
#include "node/node.h"
#include "protocol/coordinator_records.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"
#include "server/config.h"

// The classic group coordinator of one broker, for the partitions of __consumer_offsets it leads
// (GroupCoordinatorService, GroupMetadataManager, ClassicGroup, OffsetMetadataManager in Kafka).
//
// Groups, members, generations and committed offsets. It decides and keeps the state; it does not know how a
// log is written: what must be durable is handed to the broker as a Write, which appends it to its partition
// with acks=all and tells the outcome when the high watermark has passed it or it has failed. Replies
// that rest on a write leave then. State is applied when records are replayed: at once for its own
// writes (and taken back if the write fails), and from the log after an election.
//
// As in CoordinatorRuntime, the first record opens a batch, which is written when
// group.coordinator.append.linger.ms have passed or max.message.bytes are reached; and an answer that wrote
// nothing still waits for what was written before it in the same partition, for offsets.commit.timeout.ms at
// most. What a group's members are up to (joining, syncing) is not undone with a failed write, in Kafka
// neither; offsets and the existence of groups are.
//
// It needs one timer of its process and keeps all its deadlines (sessions, joins, pending syncs, offset
// expiry, append linger) behind it. It is a value.
//
// Left out: commit metadata (so no OFFSET_METADATA_TOO_LARGE), transactions (so no UNSTABLE_OFFSET_COMMIT),
// the administrator's APIs, the consumer group protocol of KIP-848. A group's record keeps the topics a
// member subscribed to, not the rest of its subscription. Offsets are scanned for expiry only when one can
// have expired, at the instants at which Kafka would scan.
namespace sim::group {

using server::BrokerConfig;
using server::send;

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
  // The partition's high watermark has advanced. Only what load() brought and was not committed then waits
  // for it; its own writes are told by written().
  void high_watermark_advanced(std::int32_t partition, Offset high_watermark, node::Env env,
                               node::Effects& out);

  // Requests; answered now or later with node::reply.
  void on(const JoinGroupRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const SyncGroupRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const HeartbeatRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const LeaveGroupRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const OffsetCommitRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const OffsetFetchRequest& request, const Envelope& from, node::Env env, node::Effects& out);

  void timer_fired(node::Env env, node::Effects& out);
  // The wall clock was set: offsets are not as old as they were.
  void clock_stepped(node::Env env, node::Effects& out);

  // What is to be written by now; the broker takes them after every call above.
  std::vector<Write> take_writes() { return std::exchange(writes_, {}); }
  // ErrorCode::none: the high watermark has passed the batch's end, and so that of all batches before it.
  // Otherwise the append failed with this error (mapped for clients as CoordinatorRuntime does). As in Kafka
  // only the high watermark counts once a batch is in the log: NOT_ENOUGH_REPLICAS_AFTER_APPEND is as good as
  // none, and after REQUEST_TIMED_OUT the batch stays pending until this is called again, or for a later one.
  void written(WriteId id, ErrorCode error, node::Env env, node::Effects& out);

  // abs(javaStringHash(group)) mod offsets.topic.num.partitions.
  static std::int32_t partition_for(std::string_view group, std::int32_t partitions);

  // For tests and inspection: null if there is none.
  const ClassicGroup* find_group(const std::string& name) const;
  std::size_t queued_deadlines() const { return deadlines_.entries(); }

 private:
  // One call from outside: the world's side of it.
  struct Step {
    node::Env env;
    node::Effects& out;
  };
  struct Lookup {
    ErrorCode error = ErrorCode::none;
    std::int32_t partition = 0;
    ClassicGroup* group = nullptr;  // null: there is none
  };
  // A record the group must write, as a rule none.
  using GroupRecord = std::optional<GroupMetadataRecord>;

  // ---- Groups and deadlines (group_coordinator.cc)
  Lookup find(const std::string& name);
  ClassicGroup* resolve(GroupRef ref);
  ClassicGroup& make_group(const std::string& name, std::int32_t partition);
  ClassicGroup& create_group(const std::string& name, std::int32_t partition, const Step& step);
  void erase_group(ClassicGroup& group);
  void cancel_deadlines(ClassicGroup& group);
  void transition(ClassicGroup& group, GroupState state, const Step& step);
  void arm(DeadlineHandle& handle, const Deadline& what, Duration delay, const Step& step);
  void arm_session(ClassicGroup& group, GroupMember& member, std::int64_t timeout_ms, const Step& step);
  void set_timer(node::Effects& out);
  void passed(const Deadline& deadline, const Step& step);

  // ---- Writing and loading (group_runtime.cc)
  PendingWrite& open_batch(std::int32_t partition, const Step& step);
  PendingWrite& append(std::int32_t partition, CoordinatorRecord record, const Step& step);
  void flush(std::int32_t partition);
  void finish(std::int32_t partition);
  void finish(std::int32_t partition, DeferredWork work, const Step& step);
  void commit(std::int32_t partition, std::size_t count, const Step& step);
  void commit_offsets(const PendingWrite& write);
  void fail(std::int32_t partition, std::size_t index, ErrorCode error, const Step& step);
  void take_back(const PendingWrite& write, const OffsetsPartition& log, std::size_t later, ErrorCode error,
                 node::Effects& out);
  void time_out_writes(std::int32_t partition, const Step& step);
  void succeeded(DeferredWork& work, const Step& step);
  void failed(DeferredWork& work, ErrorCode error, const Step& step);
  void refuse(DeferredWork& work, ErrorCode error, node::Effects& out);
  void replay(std::int32_t partition, const OffsetCommitRecord& record, PendingWrite* uncommitted);
  void replay(std::int32_t partition, const GroupMetadataRecord& record);

  // ---- Members (group_members.cc)
  bool accepts(ClassicGroup& group, const std::string& member_id) const;
  GroupRecord join_new(ClassicGroup& group, const JoinGroupRequest& request, const ReplyTo& to,
                       std::optional<DeferredReplacement>& replacement, const Step& step);
  GroupRecord join_existing(ClassicGroup& group, const JoinGroupRequest& request, const ReplyTo& to,
                            const Step& step);
  GroupRecord add_member(ClassicGroup& group, const JoinGroupRequest& request, std::string member_id,
                         const ReplyTo& to, const Step& step);
  GroupRecord update_member(ClassicGroup& group, GroupMember& member, const JoinGroupRequest& request,
                            const ReplyTo& to, const Step& step);
  GroupRecord replace_static(ClassicGroup& group, GroupMember& member, const JoinGroupRequest& request,
                             const std::string& new_id, const ReplyTo& to,
                             std::optional<DeferredReplacement>& replacement, const Step& step);
  void rename_static(ClassicGroup& group, GroupMember& member, const std::string& new_id, const Step& step);
  void replacement_stored(const DeferredReplacement& work, const Step& step);
  void replacement_failed(DeferredReplacement& work, ErrorCode error, const Step& step);
  void remove_member(ClassicGroup& group, GroupMember& member, node::Effects& out);
  void remove_pending(ClassicGroup& group, PendingMember& member);
  void answer_join(GroupMember& member, JoinGroupResponse response, node::Effects& out);
  void answer_sync(GroupMember& member, SyncGroupResponse response, node::Effects& out);
  void answer_parked(ClassicGroup& group, ErrorCode error, node::Effects& out);

  // ---- Generations (group_rebalance.cc)
  GroupRecord rebalance_or_complete_join(ClassicGroup& group, const Step& step);
  GroupRecord prepare_rebalance(ClassicGroup& group, const Step& step);
  GroupRecord maybe_complete_join(ClassicGroup& group, const Step& step);
  GroupRecord complete_join(ClassicGroup& group, const Step& step);
  GroupRecord next_generation(ClassicGroup& group, const Step& step);
  GroupRecord join_deadline_passed(ClassicGroup& group, const Step& step);
  GroupRecord sync_deadline_passed(ClassicGroup& group, const Step& step);
  GroupRecord session_passed(ClassicGroup& group, std::uint64_t serial, const Step& step);
  void arm_join(ClassicGroup& group, Duration delay, const Step& step);
  void sync_received(ClassicGroup& group, GroupMember& member);
  void propagate_assignment(ClassicGroup& group, ErrorCode error, const Step& step);
  void reset_assignment(ClassicGroup& group, ErrorCode error, const Step& step);
  void assignment_stored(const DeferredAssignment& work, const Step& step);
  void assignment_failed(const DeferredAssignment& work, ErrorCode error, const Step& step);

  // ---- Offsets (group_offset_requests.cc)
  void store_offset(ClassicGroup& group, TopicPartition tp, const StoredOffset& value, const Step& step);
  void arm_scan(std::int32_t partition, LocalTime earliest, const Step& step);
  void plan_scan(std::int32_t partition, const Step& step);
  void scan(std::int32_t partition, const Step& step);
  bool expire_offsets(ClassicGroup& group, const Step& step);

  BrokerConfig config_;
  node::TimerId timer_;
  std::optional<LocalTime> timer_set_;
  coordinator::Deadlines<Deadline> deadlines_;
  std::vector<OffsetsPartition> partitions_;
  std::deque<ClassicGroup> groups_;  // by slot: a reference stays good when others come and go
  std::vector<std::uint32_t> free_slots_;
  std::unordered_map<std::string, std::uint32_t> slots_;  // by name; for look-up only
  std::uint64_t next_uid_ = 1;
  std::uint64_t next_serial_ = 1;
  std::uint64_t next_write_ = 1;
  std::vector<Write> writes_;
  PendingWrite spare_;  // empty, but for what its vectors have allocated
};

}  // namespace sim::group
