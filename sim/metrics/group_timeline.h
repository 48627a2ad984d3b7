#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "observe/names.h"
#include "observe/observation.h"
#include "observe/partition_map.h"

// What became of consumer groups: rebalances and why they began, members that left or were expelled and why,
// and who owned which partition; a list in the order of time.
//
// The coordinator tells of the group, members tell of what they own. A partition is without an owner from
// when the last member that owned it has given it up or has stopped, until another has received it; before a
// group's first assignment nothing is missed. A member that was expelled and does not know it yet still owns
// what it has: so two may own one partition, as in life.
namespace sim::metrics {

class GroupTimeline {
 public:
  struct Event {
    enum class Kind : std::uint8_t {
      rebalance_began,
      state_changed,  // of the group, on its coordinator
      departed,       // a member left or was expelled
      assigned,       // to a member; `partitions` is all that it owns
      revoked,        // from a member, by itself
      lost,           // by a member that had been expelled
      stopped,        // the process of a member that owned something
      offsets_reset,  // by an operator
    };
    std::int64_t at = 0;
    Kind kind = Kind::rebalance_began;
    ProcessId process = kNoProcess;  // that told it
    std::string group;
    Generation generation = kNoGeneration;  // not of departures, revocations and ends
    observe::GroupState state = observe::GroupState::empty;
    observe::RebalanceReason rebalance_reason = observe::RebalanceReason::member_joined;
    observe::DepartureReason departure_reason = observe::DepartureReason::closed;
    std::int32_t members = -1;                 // of the group, when its state changes
    std::string member_id;                     // of those the coordinator tells of; may be empty
    std::vector<TopicPartition> partitions{};  // assigned, revoked, lost
  };
  // Nobody of the group owned the partition.
  struct Gap {
    observe::ServiceId service;
    TopicPartition tp;
    std::int64_t from = 0;
    std::int64_t to = -1;  // -1: it still lasts
  };

  explicit GroupTimeline(const observe::Names& names) : groups_(names.groups) {}

  void on(const observe::RebalanceBegan& fact, const observe::Observation& seen);
  void on(const observe::GroupStateChanged& fact, const observe::Observation& seen);
  void on(const observe::MemberDeparted& fact, const observe::Observation& seen);
  void on(const observe::AssignmentReceived& fact, const observe::Observation& seen);
  void on(const observe::PartitionsRevoked& fact, const observe::Observation& seen);
  void on(const observe::ProcessStopped& fact, const observe::Observation& seen);
  void on(const observe::TopicDeleted& fact);
  void on(const observe::OffsetsReset& fact, const observe::Observation& seen);

  const std::vector<Event>& events() const { return events_; }
  const std::vector<Gap>& gaps() const { return gaps_; }
  // The members of the service that own the partition now.
  const std::vector<std::int32_t>& owners(observe::ServiceId service, TopicPartition tp) const;

 private:
  static constexpr std::size_t kNoGap = static_cast<std::size_t>(-1);
  struct Owned {  // of a partition by a service
    std::vector<std::int32_t> owners;
    std::size_t gap = kNoGap;  // the one that is open
  };
  struct Member {
    observe::ServiceId service{-1};
    std::int32_t number = -1;
    std::vector<TopicPartition> owns;  // sorted
  };

  Event& add(Event::Kind kind, std::string group, const observe::Observation& seen);
  const std::string& group_of(observe::ServiceId service) const;
  void take(const Member& member, TopicPartition tp, std::int64_t at);
  void release(const Member& member, TopicPartition tp, std::int64_t at);
  Owned& owned(observe::ServiceId service, TopicPartition tp);

  std::vector<std::string> groups_;                      // by service
  std::vector<observe::PartitionMap<Owned>> ownership_;  // by service
  std::vector<Member> members_;                          // by process
  std::vector<Event> events_;
  std::vector<Gap> gaps_;
};

}  // namespace sim::metrics
