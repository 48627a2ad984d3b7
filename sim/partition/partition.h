#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "log/compaction.h"
#include "log/partition_log.h"
#include "metadata/metadata_image.h"
#include "partition/isr.h"
#include "partition/producer_state.h"
#include "protocol/messages.h"
#include "server/context.h"

// One partition on one broker: its log, and what this broker is to it (Partition, Replica in Kafka).
//
// Follower --become_leader--> Leader    (a higher leader epoch names this broker)
// Leader --become_follower--> Follower  (the metadata names another leader, or none)
// Follower progress, ISR and the epoch's start live only in Leader; a change of role destroys them.
//
// Epochs decide: what the metadata says with an older partition epoch than known is ignored, and a request
// with another leader epoch is refused. `isr` is what the controller has committed; the high watermark waits
// for the maximal ISR, which adds a replica whose joining is pending and keeps one whose leaving is
// (KIP-497). Each rule of the ISR is a younger one than Kafka: BrokerConfig::history switches it back.
//
// It decides and keeps state; who is told, woken or answered is its owner's affair, so methods that move
// the high watermark or the ISR say so by their return value.
namespace sim::partition {

class Partition {
 public:
  struct FollowerRole {};
  struct LeaderRole {
    Offset epoch_start = 0;
    std::vector<FollowerProgress> followers;
    IsrState isr;
  };

  Partition(TopicPartition tp, const log::LogImage& image);

  TopicPartition tp() const { return tp_; }
  const log::PartitionLog& log() const { return log_; }
  void flushed_to(Offset end) { log_.flushed_to(end); }
  Offset log_end_offset() const { return log_.log_end_offset(); }
  Offset log_start_offset() const { return log_.log_start_offset(); }
  Offset high_watermark() const { return high_watermark_; }
  // The first offset that is not decided: where the first transaction begins that is not over, or else the
  // high watermark (UnifiedLog.lastStableOffset).
  Offset last_stable_offset() const {
    const Offset first_unstable = producers_.first_unstable_offset();
    if (first_unstable == kNoOffset || defect_ == PlantedDefect::stable_offset_ignores_open)
      return high_watermark_;
    return std::min(std::max(first_unstable, log_start_offset()), high_watermark_);
  }
  bool is_leader() const { return std::holds_alternative<LeaderRole>(role_); }
  NodeId leader() const { return leader_; }
  LeaderEpoch leader_epoch() const { return leader_epoch_; }
  PartitionEpoch partition_epoch() const { return partition_epoch_; }
  const TopicConfig& config() const { return config_; }
  bool is_internal() const { return internal_; }
  const ProducerStates& producers() const { return producers_; }

  // ---- Roles, as the metadata says
  struct Transition {
    bool new_leader_epoch = false;
    bool was_leader = false;
    bool high_watermark_advanced = false;
  };
  // nullopt: the metadata is older than what is known, and ignored.
  std::optional<Transition> become_leader(const metadata::PartitionRegistration& registration,
                                          const metadata::TopicImage& topic, const Context& context);
  std::optional<Transition> become_follower(const metadata::PartitionRegistration& registration,
                                            const metadata::TopicImage& topic, const Context& context);

  void set_config(const TopicConfig& config) {
    config_ = config;
    const std::int64_t segment_ms =
        config.cleanup_compact ? log::compacted_segment_ms(config.segment_ms, config.max_compaction_lag_ms)
                               : config.segment_ms;
    log_.set_segment_limits({config.segment_bytes, segment_ms});
  }
  // Where a new segment has begun since this was last asked: what lies below is to be flushed in the
  // background.
  std::optional<Offset> take_rolled_segment() { return std::exchange(rolled_segment_, std::nullopt); }

  // FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH or none; -1 asks for no check.
  ErrorCode check_leader_epoch(LeaderEpoch current) const;
  // The same, and NOT_LEADER_OR_FOLLOWER where only a leader will do.
  ErrorCode check_access(LeaderEpoch current, bool leader_only) const;

  // ---- Appending as leader. What was assigned is appended when its write was performed.
  struct AppendCheck {
    ErrorCode error = ErrorCode::none;
    std::optional<Offset> duplicate_of;  // nothing is to be appended: it was, at this base offset
  };
  AppendCheck check_append(const BatchData& batch, std::int16_t acks, std::int64_t now_ms,
                           const ProducerStates::Append& append = {}) const;
  // Before the first batch of a transaction: NOT_LEADER_OR_FOLLOWER, INVALID_PRODUCER_EPOCH, or what the
  // coordinator is to be asked for (Partition.maybeStartTransactionVerification).
  ProducerStates::Verification start_verification(ProducerId producer, ProducerEpoch epoch,
                                                  std::int32_t sequence, bool adds_partition,
                                                  std::int64_t now_ms);
  // True if any producer is left (producer.id.expiration.ms).
  bool remove_expired_producers(std::int64_t now_ms, std::int64_t expiration_ms) {
    return producers_.remove_expired(now_ms, expiration_ms);
  }
  Batch assign(BatchDataPtr data);

  // ---- Appending as follower
  void assign_as_is(const Batch& batch);

  // The write of an assigned batch was performed; `as_leader`: it was we who gave it its offset, whatever we
  // are now. True if the high watermark advanced.
  bool append(Batch batch, bool as_leader, const Context& context);
  // An append that added nothing, because the log has it already, looks at the high watermark all the same
  // (Partition.appendRecordsToLeader). True if it advanced.
  bool appended_nothing(const Context& context) {
    return is_leader() && maybe_advance_high_watermark(context);
  }
  // What is told of it.
  static observe::Fact appended(TopicPartition tp, const Batch& batch, bool as_leader, NodeId broker);
  // Batches that were assigned and not yet appended.
  bool has_unwritten() const { return log_.next_offset() != log_.log_end_offset(); }
  // Counts truncations: a batch assigned before one may no longer have a place.
  std::uint32_t truncations() const { return truncations_; }

  // ---- Reading
  struct ReadRequest {
    Offset offset = 0;
    LeaderEpoch last_fetched_epoch = kNoLeaderEpoch;
    bool from_follower = false;
    std::int64_t max_bytes = 0;
    bool at_least_one = false;
    bool read_committed = false;
  };
  struct Read {
    ErrorCode error = ErrorCode::none;
    FetchResponse::EpochEnd diverging_epoch;
    std::vector<Batch> batches;
    std::vector<FetchResponse::AbortedTransaction> aborted_transactions{};  // of these batches, if asked for
    bool diverges() const { return diverging_epoch.end_offset != kNoOffset; }
  };
  Read read(const ReadRequest& request) const;
  // What a reader may see: all of the log for a replica, below the high watermark for a consumer, below the
  // last stable offset for a read_committed one (FetchIsolation).
  Offset readable_end(bool from_follower, bool read_committed = false) const {
    const bool all = from_follower || defect_ == PlantedDefect::serves_beyond_high_watermark;
    if (all) return log_end_offset();
    return read_committed ? last_stable_offset() : high_watermark_;
  }
  // KIP-595: none, OFFSET_OUT_OF_RANGE, or (set in `end`) where the reader's log leaves ours.
  ErrorCode check_divergence(Offset offset, LeaderEpoch last_fetched_epoch,
                             FetchResponse::EpochEnd& end) const;

  ListOffsetsResponse::Partition list_offset(const ListOffsetsRequest::Partition& request, bool from_replica,
                                             bool read_committed = false) const;

  // ---- Followers and ISR, as leader
  const FollowerProgress* follower(NodeId broker) const;
  struct FollowerFetch {
    ErrorCode error = ErrorCode::none;
    bool high_watermark_advanced = false;
    std::optional<IsrChange> isr_change;
  };
  // A follower holds everything below `offset`. REQUIRES: is_leader(), follower(broker) != null
  FollowerFetch follower_fetched(NodeId broker, BrokerEpoch broker_epoch, Offset offset, Offset log_start,
                                 const Context& context);
  // A follower that is in the ISR and at our end fetched again at `when`, with nothing new to say.
  void follower_fetched_nothing_new(NodeId broker, LocalTime when);
  // True if each fetch of this follower must be looked at, for it may bring it into the ISR.
  bool awaits_join(NodeId broker) const;

  std::optional<IsrChange> shrink_isr(const Context& context);
  // A member of the ISR is behind our end.
  bool has_lagging_isr() const;

  struct IsrAnswer {
    bool high_watermark_advanced = false;
    bool retry = false;  // the very same: what it says of its members is what was true when it was decided on
  };
  IsrAnswer isr_answered(std::uint64_t change, const AlterPartitionResponse::Partition& answer,
                         const Context& context);
  // The change never went out (OPERATION_NOT_ATTEMPTED).
  void isr_not_attempted(std::uint64_t change, const Context& context);

  const std::vector<NodeId>& isr() const;  // committed; empty on followers
  std::size_t maximal_isr_size() const;
  std::size_t effective_min_isr() const;
  bool is_under_min_isr() const { return isr().size() < effective_min_isr(); }

  // Whether an acks=all append up to `end` is replicated as promised: nullopt = not yet.
  std::optional<ErrorCode> replicated(Offset end) const;

  // ---- As follower
  // The leader's high watermark, as far as we have the data. True if ours changed.
  bool follow_high_watermark(Offset leader_high_watermark);
  void raise_log_start(Offset start);
  // See PartitionLog.
  void replace_segments(Offset end, const std::vector<Batch>& batches, const std::vector<Offset>& bases) {
    log_.replace_segments(end, batches, bases);
  }
  // Where to cut our log, given where the leader says that ours leaves its own.
  Offset truncation_point(FetchResponse::EpochEnd leader_end) const;
  // As the leader, to whoever asks by Truncation::epoch: where the first epoch above that one starts, or -1
  // for an epoch before all that are known, and above all (LeaderEpochFileCache.endOffsetFor of Kafka 0.11).
  Offset end_offset_before_search(LeaderEpoch leader_epoch) const;
  // True if something was cut, to be cut on disk too.
  bool truncate_to(Offset end, const Context& context);
  void truncate_fully_and_start_at(Offset start, const Context& context);

 private:
  LeaderRole& leading() { return std::get<LeaderRole>(role_); }
  const LeaderRole& leading() const { return std::get<LeaderRole>(role_); }
  FollowerProgress* find_follower(NodeId broker);
  const CommittedIsr& committed() const;
  void set_isr(IsrState state, const Context& context);
  void take_assignment(const metadata::PartitionRegistration& registration, const metadata::TopicImage& topic,
                       const Context& context);
  void report_isr_if_changed(PartitionEpoch before, const Context& context) const;
  bool is_frozen(const Context& context) const;
  bool maybe_advance_high_watermark(const Context& context);
  void set_high_watermark(Offset high_watermark, const Context& context);
  Offset fastest_follower() const;
  bool is_isr_eligible(const FollowerProgress& follower, const Context& context) const;
  std::optional<IsrChange> expand_isr(const FollowerProgress& follower, const Context& context);
  IsrChange propose(const std::vector<NodeId>& isr, const Context& context);

  TopicPartition tp_;
  log::PartitionLog log_;
  ProducerStates producers_;
  Offset high_watermark_ = 0;
  std::variant<FollowerRole, LeaderRole> role_;
  NodeId leader_ = kNoNode;
  LeaderEpoch leader_epoch_ = kNoLeaderEpoch;
  PartitionEpoch partition_epoch_{0};
  std::size_t replicas_ = 1;
  TopicConfig config_;
  std::optional<Offset> rolled_segment_;
  bool internal_ = false;
  PlantedDefect defect_ = PlantedDefect::none;
  AppendRules append_rules_;
  std::uint32_t truncations_ = 0;
  std::uint64_t next_change_ = 1;
};

}  // namespace sim::partition
