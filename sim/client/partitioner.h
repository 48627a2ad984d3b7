#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "base/time.h"

// The partition of records without a key: Kafka's built-in "sticky" partitioner (KIP-480, KIP-794).
//
// It keeps to one partition until batch.size bytes went there and the batch there is complete (at twice as
// many bytes even if it is not), and then draws the next one: each partition with a leader being as likely,
// or, in adaptive mode when the queues differ, the more likely the shorter its queue is. Keyed records go by
// hash_of_key() (client/key_hash.h).
//
// With a linger time it is librdkafka's instead: a partition has its turn for so long, whatever went there,
// and each record draws anew if that is 0. (librdkafka draws among all partitions, and a second time if the
// first has no leader; here it is among those with one.)
namespace sim::client {

class StickyPartitioner {
 public:
  struct Choices {
    std::int32_t partitions = 0;  // of the topic
    const std::vector<std::int32_t>& with_leader;
  };
  struct Load {
    std::int32_t partition = 0;
    std::int32_t queued_batches = 0;
  };

  // REQUIRES: batch_bytes > 0
  explicit StickyPartitioner(std::int32_t batch_bytes, std::optional<Duration> linger = std::nullopt)
      : batch_bytes_(batch_bytes), linger_(linger) {}

  // A record comes that has no key: a turn that is over by time ends.
  void begin_record(LocalTime now) {
    if (!linger_ || now < turn_ends_) return;
    current_ = -1;
    turn_ends_ = now + *linger_;
  }

  // REQUIRES: choices.partitions > 0
  std::int32_t current(const Choices& choices, Rng& rng);
  // So many bytes went to the current partition. True: it is another one from now on.
  bool appended(std::int32_t bytes, bool batch_complete, const Choices& choices, Rng& rng);

  bool in_use() const { return current_ >= 0; }
  // What the next draws are weighted by: the partitions that may be chosen, of `partitions` in all.
  void update_load(const std::vector<Load>& loads, std::int32_t partitions);
  void forget_load() { cumulative_.clear(); }
  // Sums of the weights so far; empty: every partition is as likely.
  const std::vector<std::int32_t>& cumulative_weights() const { return cumulative_; }
  // REQUIRES: 0 <= point < cumulative_weights().back()
  std::int32_t partition_at(std::int32_t point) const;

 private:
  std::int32_t draw(const Choices& choices, Rng& rng) const;

  std::int32_t batch_bytes_;
  std::optional<Duration> linger_;
  LocalTime turn_ends_ = LocalTime::min();
  std::int32_t current_ = -1;
  std::int64_t produced_bytes_ = 0;
  std::vector<std::int32_t> cumulative_;  // weights; empty = all alike
  std::vector<std::int32_t> partitions_;  // theirs
};

}  // namespace sim::client
