#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "coordinator/runtime.h"
#include "group/classic_group.h"
#include "group/topic_catalog.h"
#include "group/writes.h"
#include "protocol/coordinator_records.h"
#include "server/config.h"

// The groups of one partition of __consumer_offsets (GroupCoordinatorShard, GroupMetadataManager,
// OffsetMetadataManager in Kafka): members, generations and committed offsets, as its records and requests
// make them. A shard of coordinator::Runtime, which sees to its log, its timers and its elections.
//
// What a group's members are up to (joining, syncing) is not undone with a failed write, in Kafka neither;
// offsets and the existence of groups are. A group's own records are replayed only from the log: their effect
// is the group's, and stands with its members (Kafka: replayRecords=false).
namespace sim::group {

using observe::RebalanceReason;
using server::BrokerConfig;
using server::send;

class GroupShard {
 public:
  using Config = BrokerConfig;
  using Record = CoordinatorRecord;
  using Changes = GroupChanges;
  using Deferred = DeferredWork;
  using Timer = GroupTimer;
  using Step = coordinator::Step<GroupShard>;

  GroupShard(const Config&, std::int32_t /*partition*/) {}

  // ---- For the runtime
  void replay(const Record& record, Changes* uncommitted);
  void replay_pending(const Record& record, ProducerId producer, Changes* uncommitted);
  void replay_marker(ProducerId producer, bool committed, Changes* uncommitted);
  void loaded(const Step& step);
  void unloaded(const Step& step);
  void commit(const Changes& changes);
  void committed(const Changes& changes, const Step& step);
  void revert(const Changes& failed, const std::vector<const Changes*>& standing, bool is_newest,
              ErrorCode error, const Step& step);
  void succeeded(Deferred& work, const Step& step);
  void failed(Deferred& work, ErrorCode error, const Step& step);
  void timer_passed(const Timer& timer, const Step& step);

  // ---- Requests; answered now or later
  void on(const JoinGroupRequest& request, const ReplyTo& to, const Step& step);
  void on(const SyncGroupRequest& request, const ReplyTo& to, const Step& step);
  void on(const HeartbeatRequest& request, const ReplyTo& to, const Step& step);
  void on(const LeaveGroupRequest& request, const ReplyTo& to, const Step& step);
  void on(const ConsumerGroupHeartbeatRequest& request, const ReplyTo& to, const Step& step);
  void on(const OffsetCommitRequest& request, const ReplyTo& to, const Step& step);
  void on(const OffsetFetchRequest& request, const ReplyTo& to, const Step& step);
  // Verified already; the step writes in the name of the request's producer.
  void on(const TxnOffsetCommitRequest& request, const ReplyTo& to, const Step& step);

  // The wall clock was set: offsets are not as old as they were.
  void clock_stepped(const Step& step) { plan_scan(step); }

  // What topics there are from now on. Groups of KIP-848 look at them at their members' next heartbeats.
  void topics_changed(const std::shared_ptr<const TopicCatalog>& catalog);

  // Null if there is none.
  const ClassicGroup* find(const std::string& name) const;

 private:
  // A record the group must write, as a rule none.
  using GroupRecord = std::optional<GroupMetadataRecord>;

  // ---- Groups (shard.cc)
  ClassicGroup* find(const std::string& name);
  ClassicGroup* resolve(GroupRef ref);
  ClassicGroup& make_group(const std::string& name);
  ClassicGroup& create_group(const std::string& name, const Step& step);
  void erase_group(ClassicGroup& group);
  static void cancel_deadlines(ClassicGroup& group, const Step& step);
  void transition(ClassicGroup& group, GroupState state, const Step& step);
  static void arm_session(ClassicGroup& group, GroupMember& member, std::int64_t timeout_ms,
                          const Step& step);
  void refuse(DeferredWork& work, ErrorCode error, node::Effects& out);
  void replay(const OffsetCommitRecord& record, Changes* uncommitted);
  void replay(const GroupMetadataRecord& record);
  void replay(const ConsumerGroupRecord& record, Changes* uncommitted);
  void take_back(const Changes& failed, const std::vector<const Changes*>& standing, const Step& step);

  // ---- Members (members.cc)
  static bool accepts(ClassicGroup& group, const std::string& member_id, std::int32_t max_size);
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
  static void remove_member(ClassicGroup& group, GroupMember& member, observe::DepartureReason reason,
                            const Step& step);
  static void tell_departure(const ClassicGroup& group, const std::string& member_id,
                             observe::DepartureReason reason, const Step& step);
  static void remove_pending(ClassicGroup& group, PendingMember& member, const Step& step);
  static void answer_join(GroupMember& member, JoinGroupResponse response, node::Effects& out);
  static void answer_sync(GroupMember& member, SyncGroupResponse response, node::Effects& out);
  static void answer_parked(ClassicGroup& group, ErrorCode error, node::Effects& out);

  // ---- Generations (rebalance.cc)
  // The reason, and the id of the member whose doing it is, are told; they decide nothing.
  GroupRecord rebalance_or_complete_join(ClassicGroup& group, RebalanceReason reason,
                                         const std::string& member, const Step& step);
  GroupRecord prepare_rebalance(ClassicGroup& group, RebalanceReason reason, const std::string& member_id,
                                const Step& step);
  GroupRecord maybe_complete_join(ClassicGroup& group, const Step& step);
  GroupRecord complete_join(ClassicGroup& group, const Step& step);
  GroupRecord next_generation(ClassicGroup& group, const Step& step);
  GroupRecord join_deadline_passed(ClassicGroup& group, const Step& step);
  GroupRecord sync_deadline_passed(ClassicGroup& group, const Step& step);
  GroupRecord session_passed(ClassicGroup& group, std::uint64_t serial, const Step& step);
  static void arm_join(ClassicGroup& group, Duration delay, const Step& step);
  static void sync_received(ClassicGroup& group, GroupMember& member, const Step& step);
  static void propagate_assignment(ClassicGroup& group, ErrorCode error, const Step& step);
  static void reset_assignment(ClassicGroup& group, ErrorCode error, const Step& step);
  void assignment_stored(const DeferredAssignment& work, const Step& step);
  void assignment_failed(const DeferredAssignment& work, ErrorCode error, const Step& step);

  // ---- Offsets of open transactions (pending_offsets.cc)
  bool is_pending(const ClassicGroup& group, TopicPartition tp) const;
  bool any_pending(const ClassicGroup& group) const;
  OffsetFetchResponse fetch_response(const OffsetFetchRequest& request, bool exposes_pending) const;
  void restore_pending(const PendingOffsetChange& change);
  void drop_pending(const PendingOffsetChange& change);

  // ---- Offsets (offset_requests.cc)
  void store_offset(ClassicGroup& group, TopicPartition tp, const StoredOffset& value, const Step& step);
  void arm_scan(LocalTime earliest, const Step& step);
  void plan_scan(const Step& step);
  void scan(const Step& step);
  bool expire_offsets(ClassicGroup& group, const Step& step);

  // ---- Groups of KIP-848 (consumer_heartbeat.cc)
  static ErrorCode check_consumer_group(const ClassicGroup* group, const std::string& member_id,
                                        bool may_create, const Config& config);
  static ErrorCode check_consumer_member(const ConsumerGroup& group,
                                         const ConsumerGroupHeartbeatRequest& request);
  ConsumerMember subscribe_consumer(ClassicGroup& group, const std::string& member_id,
                                    const std::string& instance_id, const Step& step);
  std::optional<RebalanceReason> update_consumer(ClassicGroup& group, const ConsumerMember& before,
                                                 const ConsumerMemberValue& about, const Step& step);
  void refresh_consumer_group(ClassicGroup& group, std::optional<RebalanceReason> reason,
                              const std::string& member_id, const Step& step);
  void update_target(ClassicGroup& group, const Step& step);
  void advance_consumer(ClassicGroup& group, const std::string& member_id,
                        const std::optional<std::vector<TopicPartition>>& owned, const Step& step);
  void refresh_regexes(ClassicGroup& group, const Step& step);
  void leave_consumer_group(const ConsumerGroupHeartbeatRequest& request, const ReplyTo& to,
                            const Step& step);
  void fence_consumers(ClassicGroup& group, const std::vector<std::string>& member_ids,
                       observe::DepartureReason departure, RebalanceReason reason, const Step& step);
  void consumer_timer_passed(ClassicGroup& group, GroupTimer timer, const Step& step);
  MemberDeadlines& consumer_deadlines(ClassicGroup& group, const std::string& member_id);
  void arm_consumer_session(ClassicGroup& group, const std::string& member_id, std::int64_t timeout_ms,
                            const Step& step);
  void arm_consumer_sessions(ClassicGroup& group, const Step& step);
  static void cancel_consumer_deadlines(ClassicGroup& group, const std::string& member_id, const Step& step);
  static void write_consumer(ClassicGroup& group, const std::string& key, ConsumerGroupRecord::Value value,
                             const Step& step);
  static void write_tombstone(ClassicGroup& group, ConsumerGroupRecord::Kind kind, const std::string& key,
                              const Step& step);
  static void write_current(ClassicGroup& group, const std::string& member_id, ConsumerCurrentValue value,
                            const Step& step);
  static void remove_consumer(ClassicGroup& group, const std::string& member_id, const Step& step);
  static void retell_members(const ClassicGroup& group, const Step& step);
  void tell_consumer_group(ClassicGroup& group, const Step& step);
  void note_subscribed_topics(ClassicGroup& group) const;

  // ---- Between the two kinds (migration.cc)
  void become_consumer_group(ClassicGroup& group, const Step& step);
  static bool may_become_classic(const ClassicGroup& group, const std::vector<std::string>& leaving,
                                 const Config& config);
  void become_classic_group(ClassicGroup& group, const std::vector<std::string>& leaving, const Step& step);
  static GroupChanges& append_consumer_tombstones(ClassicGroup& group, const Step& step);
  static void drop_empty_consumer_group(ClassicGroup& group, const Step& step);
  void join_consumer_group(ClassicGroup& group, const JoinGroupRequest& request, const ReplyTo& to,
                           const Step& step);
  void arm_classic_rejoin(ClassicGroup& group, const ConsumerMember& member, const Step& step);
  void sync_consumer_group(ClassicGroup& group, const SyncGroupRequest& request, const ReplyTo& to,
                           const Step& step);
  void heartbeat_consumer_group(ClassicGroup& group, const HeartbeatRequest& request, const ReplyTo& to,
                                const Step& step);
  void leave_consumer_group(ClassicGroup& group, const LeaveGroupRequest& request, const ReplyTo& to,
                            const Step& step);
  static ErrorCode check_consumer_commit(const ConsumerGroup& group, const OffsetCommitRequest& request);
  static ErrorCode check_consumer_fetch(const ConsumerGroup& group, const OffsetFetchRequest& request);

  std::vector<ClassicGroup> groups_;  // by slot
  std::vector<std::uint32_t> free_slots_;
  std::unordered_map<std::string, std::uint32_t> slots_;  // by name; for look-up only
  // What producers have committed in transactions that are not over, in order of writing
  // (pendingTransactionalOffsets).
  struct PendingOffset {
    ProducerId producer;
    GroupRef group;
    TopicPartition tp;
    StoredOffset value;
  };
  std::vector<PendingOffset> pending_offsets_;
  std::uint64_t next_record_number_ = 1;
  std::uint64_t next_uid_ = 1;
  std::uint64_t next_serial_ = 1;
  std::shared_ptr<const TopicCatalog> catalog_;  // null: nobody has needed it yet
  std::int64_t regex_version_ = 0;
  bool is_loaded_ = false;
  LocalTime
      loaded_at_{};  // scans for offsets that have expired are at multiples of the check interval after it
  LocalTime scan_due_{};  // if it is armed
  coordinator::DeadlineHandle offset_scan_;
};

}  // namespace sim::group
