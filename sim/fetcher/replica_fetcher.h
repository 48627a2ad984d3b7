#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "log/log_write.h"
#include "node/network_client.h"
#include "partition/placed_batch.h"
#include "protocol/messages.h"
#include "server/context.h"

// Follows the partitions that one broker leads: a fetcher thread of Kafka (AbstractFetcherThread,
// ReplicaFetcherThread, and FetchSessionHandler for its side of the session).
//
// It is a blocking loop: fetch, let what came be written, fetch again. So it is in one stage at a time:
//   resting     nothing to fetch; waits for a partition or the end of a back-off
//   connecting  wants to fetch, or to ask for offsets, and has no connection
//   fetching    a fetch is in flight
//   truncating  asks the leader where the epochs of partitions end that it may not fetch before it has cut
//               their logs (not with Truncation::fetch; see history.h)
//   asking      OFFSET_OUT_OF_RANGE: asks the leader where its log ends, then perhaps where it starts
//   writing     what came is on its way to the disk
// A partition in error stays away for replica.fetch.backoff.ms; a lost connection keeps all of them away.
//
// It appends nothing itself: it gives batches their place and hands them over in Work.
namespace sim::fetcher {

using partition::kNotLocal;
using partition::LocalIndex;
using partition::Partition;
using partition::PartitionTable;
using partition::PlacedBatch;
using server::BrokerConfig;
using server::Context;

class ReplicaFetcher {
 public:
  struct RaisedStart {  // of a log, after its leader's
    LocalIndex local = kNotLocal;
    Offset from = 0;
  };
  // What the replica manager is to carry out after a call. If there is anything to write, it writes it at
  // once and calls written() when that was performed.
  struct Work {
    std::vector<PlacedBatch> batches;
    std::vector<log::LogWrite> writes;  // of the batches, and truncations
    std::vector<LocalIndex> truncated;  // their readers may find themselves beyond the end
    std::vector<LocalIndex> high_watermark_changed;
    std::vector<RaisedStart> raised;
  };

  // `index`: of those that fetch from this source; `place`: of all fetchers of its broker.
  ReplicaFetcher(ProcessId self, NodeId source, ProcessId endpoint, std::int32_t index,
                 const BrokerConfig& config, std::size_t place);

  NodeId source() const { return source_; }
  std::int32_t index() const { return index_; }
  bool is_empty() const { return partitions_.size() == free_.size(); }

  // Follows the partition in its present leader epoch, from the end of its log; resume() when all are added.
  void add(LocalIndex local, const PartitionTable& table, const History& history);
  void resume(PartitionTable& table, const Context& context, Work& work);
  void remove(LocalIndex local, TopicPartition tp);
  // With no partition left, the thread ends and its connection is closed.
  void close_if_idle(const Context& context);

  // follower.replication.throttled.rate is exceeded: throttled replicas that are not in sync stay away.
  void set_throttled(bool throttled) { throttled_ = throttled; }

  // Of an input for Part::fetchers: it is for this one.
  bool is_meant(const node::Input& input) const;
  void step(node::Input& input, PartitionTable& table, const Context& context, Work& work);
  void written(PartitionTable& table, const Context& context, Work& work);

 private:
  enum class Stage : std::uint8_t { resting, connecting, fetching, asking, truncating, writing };
  struct Position {  // PartitionFetchState
    TopicPartition tp;
    LocalIndex local = kNotLocal;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    Offset offset = 0;
    LeaderEpoch last_fetched_epoch = kNoLeaderEpoch;
    bool delayed = false;
    bool truncating = false;  // not to be fetched yet; `offset` is where to cut if the leader knows no better
    LocalTime delayed_until{};
    Offset leader_high_watermark = kNoOffset;  // as last heard: who has reached it is in sync to a throttle
    bool used = false;
    // As the session has it
    bool in_session = false;
    bool touched = false;  // may differ from what the session has
    Offset sent_offset = 0;
    Offset sent_log_start = 0;
    LeaderEpoch sent_leader_epoch = kNoLeaderEpoch;
    LeaderEpoch sent_last_epoch = kNoLeaderEpoch;
  };
  struct Learned {  // from an answer, to take effect with its data
    LocalIndex local = kNotLocal;
    TopicPartition tp;
    Offset high_watermark = kNoOffset;
    Offset log_start = kNoOffset;
  };
  struct OutOfRange {
    LocalIndex local = kNotLocal;
    TopicPartition tp;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    Offset leader_end = kNoOffset;  // once it is known
  };

  static bool is_ready(const Position& position) { return !position.delayed && !position.truncating; }
  Position* find(LocalIndex local, TopicPartition tp);
  void touch(Position& position);
  void delay(Position& position, const Context& context);
  void delay_all(const Context& context);

  // The loop: whatever comes next, unless something is under way.
  void proceed(PartitionTable& table, const Context& context, Work& work);
  void rest(const Context& context);
  void end_delays(const Context& context);
  void hold_back(const PartitionTable& table, const Context& context);

  void handle(node::NetworkClient::Event& event, PartitionTable& table, const Context& context, Work& work);
  void on_fetched(FetchResponse& response, PartitionTable& table, const Context& context, Work& work);
  void take(FetchResponse::Partition& answer, Position& position, Partition& partition,
            const Context& context, Work& work);
  void truncate(Offset end, Position& position, Partition& partition, const Context& context, Work& work);
  void on_error(const FetchResponse::Partition& answer, Position& position, const Context& context);
  void ask(const Context& context);
  void on_offset(const ListOffsetsResponse& response, PartitionTable& table, const Context& context,
                 Work& work);
  void apply_learned(PartitionTable& table, Work& work);

  // ---- fetcher_session.cc
  // Of the leader's epoch, what a request says: as far as the time of `history` knew of it.
  static LeaderEpoch told_leader_epoch(LeaderEpoch leader_epoch, const History& history);
  FetchRequest build(PartitionTable& table, const Context& context);
  bool has_something_to_send() const;
  FetchRequest::Partition describe(Position& position, const PartitionTable& table, const History& history);
  void reset_session(std::int32_t id);
  bool accept_session(const FetchResponse& response);

  // ---- replica_truncation.cc: before Truncation::fetch
  bool may_truncate() const;
  void ask_epoch_ends(const Context& context);
  void on_epoch_ends(const OffsetForLeaderEpochResponse& response, PartitionTable& table,
                     const Context& context, Work& work);
  void truncated(Position& position);

  NodeId source_;
  ProcessId endpoint_;
  std::int32_t index_;
  node::TimerId backoff_timer_;
  node::NetworkClient client_;
  node::NetworkClient::Events events_;  // empty between steps
  Stage stage_ = Stage::resting;
  std::vector<Position> partitions_;
  std::vector<std::int32_t> free_;
  std::vector<std::int32_t> by_local_;  // index in partitions_, -1 = none
  std::vector<std::int32_t> touched_;
  std::vector<std::int32_t> delayed_;
  std::vector<TopicPartition> to_forget_;  // left while in the session
  std::int32_t ready_ = 0;                 // may be fetched: followed, not delayed, not truncating
  std::int32_t session_id_ = 0;
  std::int32_t session_epoch_ = 0;  // 0: the next request is full
  bool request_was_full_ = true;
  bool throttled_ = false;
  std::vector<Learned> learned_;
  std::vector<OutOfRange> out_of_range_;
  std::vector<std::int32_t> truncating_;
  struct AskedEpoch {
    LocalIndex local = kNotLocal;
    TopicPartition tp;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
  };
  std::vector<AskedEpoch> asked_epochs_;  // in the request under way
};

}  // namespace sim::fetcher
