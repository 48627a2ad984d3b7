#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "partition/partition_table.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"
#include "server/context.h"
#include "server/reply_to.h"

// What each fetcher is known to want and to have been told (KIP-227: FetchSession, FetchSessionCache).
//
// Kafka walks all partitions of a session on every fetch. Here a session keeps a list of those that are to be
// looked at: changed by the request, moved since the last answer (log end for followers, high watermark and
// log start for all), in error, or with data left over. For the others the walk would find nothing, and say
// nothing. A partition knows its watchers, so what moves marks just them.
//
// A fetch without a session, or one that finds the cache full, gets an entry of its own that is not in the
// cache and goes with its answer; so every fetch, and every fetch that waits, is of some session. A session
// holds at most one waiting fetch (DelayedFetch).
//
// Differs from Kafka: a session is entered when its first request arrives, not when that is answered; there
// is one cache, not eight shards.
namespace sim::replica {

using partition::kNotLocal;
using partition::LocalIndex;
using partition::Partition;
using partition::PartitionTable;
using server::Context;
using server::kLongAgo;
using server::ReplyTo;

struct FetchedPartition {
  TopicPartition tp;
  LocalIndex local = kNotLocal;
  // As asked
  Offset fetch_offset = 0;
  Offset follower_log_start = kNoOffset;
  LeaderEpoch current_leader_epoch = kNoLeaderEpoch;
  LeaderEpoch last_fetched_epoch = kNoLeaderEpoch;
  std::int32_t max_bytes = 0;
  // As told
  Offset high_watermark = kNoOffset;
  Offset log_start = kNoOffset;

  std::uint64_t order = 0;         // place in the session: who was given data goes to the end
  std::int64_t waiting_bytes = 0;  // counted towards min_bytes of the waiting fetch
  bool listed = false;             // in the session's `to_look_at`
  bool troubled = false;           // last answered with an error, or told to truncate
  bool used = false;
};

struct WaitingFetch {
  ReplyTo reply_to;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = 0;
  std::int64_t bytes = 0;  // of all its partitions, as far as counted
};

struct FetchSession {
  std::int32_t id = 0;
  std::int32_t next_epoch = 1;
  NodeId replica = kNoNode;     // -1 = consumer
  std::string rack;             // of a consumer, if that makes a difference
  bool cached = false;          // false: goes with its answer
  bool read_committed = false;  // as its last request asked
  bool full = true;             // the fetch being answered lists everything
  LocalTime created{}, last_used{};
  std::vector<FetchedPartition> partitions;
  std::vector<std::int32_t> free;
  std::vector<std::int32_t> to_look_at;
  std::int32_t size = 0;
  std::int32_t unresolved = 0;  // of `size`: not here, or not known here
  std::uint64_t next_order = 0;
  std::optional<WaitingFetch> waiting;
  bool in_use = false;

  bool from_follower() const { return replica != kNoNode; }
  FetchedPartition& at(std::int32_t index) { return partitions[static_cast<std::size_t>(index)]; }
};

struct FetchWatcher {
  std::int32_t session = 0;
  std::int32_t partition = 0;  // index in the session
};

class FetchSessions {
 public:
  using Slot = std::int32_t;

  explicit FetchSessions(std::int32_t cache_slots) : cache_slots_(cache_slots) {}

  struct Opened {
    ErrorCode error = ErrorCode::none;
    Slot slot = -1;
  };
  // Finds or makes the request's session and enters its partitions.
  Opened open(const FetchRequest& request, PartitionTable& table, const Context& context);
  FetchSession& at(Slot slot) { return sessions_[static_cast<std::size_t>(slot)]; }
  // The answer is on its way; a session that was only for it goes.
  void answered(Slot slot, PartitionTable& table);
  // It was told nothing; a session that was to begin with that answer goes too.
  void answered_in_vain(Slot slot, PartitionTable& table);

  const std::vector<FetchWatcher>& watchers(LocalIndex local) const;
  // To be looked at with the session's next answer.
  void list(Slot slot, std::int32_t partition);
  void list_everything();
  // A partition is no longer here: those who watched it will learn so.
  void forget(LocalIndex local);
  // A partition that was asked for in vain may be here by now.
  void look_up(Slot slot, std::int32_t partition, const PartitionTable& table);

  std::size_t cached() const { return by_id_.size(); }

 private:
  std::optional<Slot> find(std::int32_t id) const;
  Slot make(const FetchRequest& request, PartitionTable& table, const Context& context);
  std::int32_t new_id(Rng& rng) const;
  bool try_evict(bool privileged, std::int32_t size, LocalTime now, PartitionTable& table);
  void uncache(Slot slot, PartitionTable& table);
  void release(Slot slot, PartitionTable& table);
  void enter(Slot slot, bool fresh, const FetchRequest::Partition& wanted, const PartitionTable& table);
  void leave(Slot slot, TopicPartition tp, PartitionTable& table);
  // A follower's fetches that there was no need to look at count for its progress all the same.
  void settle(const FetchSession& session, const FetchedPartition& partition, PartitionTable& table) const;
  std::int32_t index_of(Slot slot, TopicPartition tp, LocalIndex local) const;
  void watch(Slot slot, std::int32_t partition);
  void unwatch(Slot slot, std::int32_t partition);

  std::int32_t cache_slots_;
  std::vector<FetchSession> sessions_;
  std::vector<Slot> free_;
  std::unordered_map<std::int32_t, Slot> by_id_;     // for look-up only
  std::vector<std::vector<FetchWatcher>> watchers_;  // by local index
};

}  // namespace sim::replica
