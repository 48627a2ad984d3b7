#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "client/config.h"
#include "protocol/ids.h"
#include "protocol/messages.h"

// What a consumer has been assigned, and for each partition where it stands (SubscriptionState in Kafka).
//
// Of a partition's states only FETCHING allows fetching and committing of its position:
//
//   INITIALIZING      no position yet: the committed offset is asked for, else the reset policy applies
//   FETCHING          the position is the next offset to read
//   AWAIT_RESET       auto.offset.reset is being looked up; no position
//   AWAIT_VALIDATION  the leader changed: its log may have been truncated below the position (KIP-320)
//
//   INITIALIZING -> FETCHING | AWAIT_RESET | AWAIT_VALIDATION     FETCHING -> any but INITIALIZING
//   AWAIT_RESET -> FETCHING                                       AWAIT_VALIDATION -> FETCHING | AWAIT_RESET
//
// Partitions stand in a round: who was served goes to the end, so that the first in a fetch request are those
// that have waited longest. Only subscription by topics is modelled; no assign(), no patterns, and pause() is
// of all partitions.
namespace sim::client {

struct LeaderAndEpoch {
  NodeId leader = kNoNode;  // none: not known, or stale
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  bool operator==(const LeaderAndEpoch&) const = default;
};

struct FetchPosition {
  Offset offset = 0;
  LeaderEpoch offset_epoch = kNoLeaderEpoch;  // of the record before
  LeaderAndEpoch current_leader;
  bool operator==(const FetchPosition&) const = default;
};

enum class FetchState : std::uint8_t { initializing, fetching, await_reset, await_validation };

// What OffsetForLeaderEpoch revealed about a position (KIP-320).
enum class Validation : std::uint8_t {
  ignored,  // no longer what was asked about
  valid,
  reset_requested,   // the epoch is unknown to the leader: the reset policy decides
  truncated,         // moved back to where the logs diverge
  truncation_error,  // the same, without a reset policy: LogTruncationException
};

class SubscriptionState {
 public:
  struct Partition {
    TopicPartition tp;
    FetchState state = FetchState::initializing;
    bool pending_revocation = false;  // its offsets are being committed before it goes: nothing more is read
    bool paused = false;              // by the application: nothing of it is fetched or returned
    FetchPosition position;           // in FETCHING and AWAIT_VALIDATION
    Offset high_watermark = kNoOffset;
    Offset last_stable_offset = kNoOffset;
    Offset log_start_offset = kNoOffset;
    AutoOffsetReset reset_strategy = AutoOffsetReset::none;  // in AWAIT_RESET
    LocalTime next_retry = LocalTime::min();
    NodeId preferred_read_replica = kNoNode;  // KIP-392
    LocalTime preferred_until = LocalTime::min();

    bool has_valid_position() const { return state == FetchState::fetching; }
    bool fetchable() const { return state == FetchState::fetching && !pending_revocation && !paused; }

   private:
    friend class SubscriptionState;
    std::int32_t before = -1, after = -1;  // in the round
  };

  explicit SubscriptionState(AutoOffsetReset reset_policy) : reset_policy_(reset_policy) {}

  // ---- Assignment

  // Partitions kept keep their state; new ones begin at INITIALIZING.
  void assign(std::vector<TopicPartition> partitions);
  const std::vector<Partition>& partitions() const { return partitions_; }  // sorted
  std::vector<TopicPartition> assigned() const;
  bool is_assigned(TopicPartition tp) const { return find(tp) != nullptr; }
  const Partition* find(TopicPartition tp) const;
  // Whoever was served steps back: f(partition) in the order of the round.
  template <class F>
  void for_each_in_round(F f) const {
    for (std::int32_t i = first_; i >= 0; i = partitions_[static_cast<std::size_t>(i)].after)
      f(partitions_[static_cast<std::size_t>(i)]);
  }
  void move_to_end(TopicPartition tp);
  void mark_pending_revocation();  // of all
  void set_paused(bool paused);    // all; what is assigned later is not paused
  bool is_paused(TopicPartition tp) const {
    const Partition* partition = find(tp);
    return partition != nullptr && partition->paused;
  }
  void mark_pending_revocation(const std::vector<TopicPartition>& partitions);

  // ---- Positions

  bool has_all_fetch_positions() const { return positions_missing_ == 0; }
  // OffsetAndMetadata of every partition with a valid position (allConsumed).
  std::vector<OffsetCommitRequest::Partition> all_consumed() const;
  // REQUIRES: the partition has a valid position
  void advance(TopicPartition tp, Offset offset, LeaderEpoch offset_epoch);
  // A position whose leader may know better: goes to AWAIT_VALIDATION if both epochs are known.
  void seek_unvalidated(TopicPartition tp, FetchPosition position);

  AutoOffsetReset reset_policy() const { return reset_policy_; }
  void request_reset(TopicPartition tp);  // by the policy. REQUIRES: there is one
  // Without a policy: the partitions that would need one (NoOffsetForPartitionException).
  std::vector<TopicPartition> reset_initializing_positions();
  // An answer to a reset: applies if it is still what the partition waits for. True if it does.
  bool maybe_seek_to_reset(TopicPartition tp, AutoOffsetReset asked_for, Offset offset,
                           LeaderAndEpoch leader);

  void maybe_validate_position(TopicPartition tp, LeaderAndEpoch leader);
  Validation maybe_complete_validation(TopicPartition tp, const FetchPosition& asked_about, Offset end_offset,
                                       LeaderEpoch leader_epoch);

  void set_next_retry(TopicPartition tp, LocalTime at);

  // ---- What fetches tell

  void update_offsets(TopicPartition tp, Offset high_watermark, Offset log_start_offset,
                      Offset last_stable_offset);
  void update_preferred_read_replica(TopicPartition tp, NodeId replica, LocalTime until);
  bool clear_preferred_read_replica(TopicPartition tp);  // true if there was one

 private:
  Partition* mutable_find(TopicPartition tp);
  Partition& at(TopicPartition tp);
  void enter(Partition& partition, FetchState state);
  void validate(Partition& partition, const FetchPosition& position);
  void append_to_round(std::int32_t index);
  void remove_from_round(std::int32_t index);

  AutoOffsetReset reset_policy_;
  std::vector<Partition> partitions_;
  std::int32_t first_ = -1, last_ = -1;  // of the round
  std::int32_t positions_missing_ = 0;
};

}  // namespace sim::client
