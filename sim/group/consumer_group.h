#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/deadlines.h"
#include "group/topic_catalog.h"
#include "observe/fact.h"
#include "protocol/coordinator_records.h"
#include "protocol/messages.h"
#include "server/planted_defect.h"

// One group of the protocol of KIP-848 (ConsumerGroup, ConsumerGroupMember, CurrentAssignmentBuilder in
// Kafka). Three epochs follow each other: the group's, raised by whatever calls for another assignment; that
// of the target assignment, computed from it by the coordinator; and each member's own, which reaches the
// target's once the member has given up what it is not to own any more. No member waits for the others but
// for partitions that they still own.
//
//   empty        nobody is in it              assigning    the target assignment is of an older epoch
//   reconciling  some member is not there yet stable       all members are
//
// All of this is made by records, and by nothing else. Timers are the shard's.
namespace sim::group {

using server::PlantedDefect;

struct ConsumerMember {
  std::string id;
  ConsumerMemberValue about;
  ConsumerCurrentValue current;  // epoch 0: has just been made

  bool uses_classic_protocol() const { return about.classic.has_value(); }
  bool is_reconciled_to(Generation target_epoch) const {
    return current.state == MemberAssignmentState::stable && current.member_epoch == target_epoch;
  }
};

// What the records say. Where Kafka walks a hash map of members, the oldest member comes first.
class ConsumerGroupState {
 public:
  // A tombstone of the group's epoch is the shard's affair.
  void apply(const ConsumerGroupRecord& record);

  Generation epoch() const { return epoch_; }
  std::uint64_t metadata_hash() const { return metadata_hash_; }
  Generation target_epoch() const { return target_epoch_; }
  const std::vector<ConsumerMember>& members() const { return members_; }
  const ConsumerMember* find(std::string_view member_id) const;
  const ConsumerMember* find_static(std::string_view instance_id) const;
  // What the member is to own; empty: nothing, or it is not known.
  const std::vector<TopicPartition>& target(const std::string& member_id) const;
  bool has_target(const std::string& member_id) const { return targets_.contains(member_id); }
  // Somebody owns it, or has not said yet that he gave it up.
  bool is_owned(TopicPartition tp) const { return partition_epochs_.contains(tp); }

  observe::GroupState state() const;
  std::int32_t classic_members() const;

  const std::map<std::string, ConsumerRegexValue>& regexes() const { return regexes_; }
  // How many members subscribe by it.
  std::int32_t subscribers_of(std::string_view regex) const;
  std::vector<std::string> subscribed_regexes() const;
  // By name and by resolved regular expressions; sorted.
  std::vector<std::string> subscribed_topics() const;
  std::vector<std::string> subscribed_topics(const ConsumerMember& member) const;
  bool is_homogeneous() const;

  // The assignor that most members ask for; empty: nobody asks for one.
  std::string preferred_assignor() const;
  // Some assignor that every member with the classic protocol, and a newcomer with these, supports.
  bool supports_classic(const std::string& protocol_type,
                        const std::vector<JoinGroupRequest::Protocol>& protocols) const;
  // A partition of its target that it does not have yet is still somebody's.
  bool waits_for_partition(const ConsumerMember& member) const;

 private:
  ConsumerMember& member_for(const std::string& id);
  void release(const ConsumerMember& member);

  Generation epoch_{0};
  std::uint64_t metadata_hash_ = 0;
  Generation target_epoch_{0};
  std::vector<ConsumerMember> members_;
  std::map<std::string, std::vector<TopicPartition>> targets_;
  std::map<TopicPartition, Generation> partition_epochs_;  // of the member that owns it
  std::map<std::string, ConsumerRegexValue> regexes_;
};

// What a member's assignment becomes, given its target; `owned`: what it says it owns, absent: it does not
// say. REQUIRES: !member.is_reconciled_to(group.target_epoch())
ConsumerCurrentValue reconcile(const ConsumerGroupState& group, const ConsumerMember& member,
                               const std::vector<TopicPartition>& target,
                               const std::optional<std::vector<TopicPartition>>& owned,
                               PlantedDefect defect = PlantedDefect::none);

// FENCED_MEMBER_EPOCH unless the member is where it says it is, or the answer that moved it on may have been
// lost (throwIfConsumerGroupMemberEpochIsInvalid).
ErrorCode check_member_epoch(const ConsumerMember& member, Generation received,
                             const std::optional<std::vector<TopicPartition>>& owned);

// What is not in the log: the member's timers.
struct MemberDeadlines {
  std::uint64_t serial = 0;
  coordinator::DeadlineHandle session;
  coordinator::DeadlineHandle revocation;  // the rebalance timeout, while it has partitions to give up
  Generation revocation_epoch{0};          // its epoch then
  coordinator::DeadlineHandle join, sync;  // of a member with the classic protocol
};

struct ConsumerGroup {
  ConsumerGroupState written;    // as of the last record written
  ConsumerGroupState committed;  // as of the last that is committed
  std::map<std::string, MemberDeadlines> deadlines{};
  bool refresh_requested = true;  // the topics may have changed since they were last looked at
  // What was told last.
  observe::GroupState told_state = observe::GroupState::dead;
  Generation told_epoch = kNoGeneration;
  bool new_topics = false;  // some were created since the regular expressions were looked up
};

}  // namespace sim::group
