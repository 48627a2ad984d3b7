#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "client/client_metadata.h"
#include "client/config.h"
#include "client/partitioner.h"
#include "client/producer_batch.h"
#include "client/producer_sequences.h"

// Where a producer's records wait to be sent: one queue of batches per partition, within buffer.memory
// (Kafka's RecordAccumulator and BufferPool).
//
// A record goes into the newest batch of its partition if it has room by the sizes of format v2, else into a
// new one, which reserves batch.size bytes, or what its first record needs, until its fate is known. A server
// is ready to be sent to once the first batch of one of its partitions is: complete, or followed by another,
// or older than linger.ms, or at the end of its retry back-off, or if an append waits for memory or the
// producer is being closed.
//
// Idempotence is the caller's: where it matters, `sequences` is null without it.
namespace sim::client {

class RecordAccumulator {
 public:
  using TopicNumber = std::size_t;

  explicit RecordAccumulator(const ProducerConfig& config);

  TopicNumber add_topic(MetadataClient::TopicIndex metadata_index);
  MetadataClient::TopicIndex metadata_index(TopicNumber topic) const { return topics_[topic].metadata_index; }
  // Partitions and leaders as they are known now.
  void update_leaders(const MetadataClient& metadata);

  // ---- Records in

  struct Appended {
    bool accepted = false;  // false: no memory
    TopicPartition tp;
    QueueIndex queue = 0;
    LocalTime sendable_at = LocalTime::max();  // what the append changed: when the sender should look
  };
  // `partition` -1: the sticky partitioner's choice. REQUIRES: the topic's partitions are known
  Appended append(TopicNumber topic, const Record& record, std::int32_t partition, LocalTime now, Rng& rng);
  bool has_memory_for(const Record& record) const { return reservation(record) <= available_memory_; }
  // Appends wait for memory: whatever is there is to be sent.
  void set_exhausted(bool exhausted) { exhausted_ = exhausted; }
  // Nothing more comes: whatever is there is to be sent.
  void close() { closed_ = true; }
  // A transaction is being committed or aborted: whatever is there is to be sent.
  void set_completing(bool completing) { completing_ = completing; }

  // ---- Batches out

  struct Ready {
    std::vector<ProcessId> servers;            // in the order of their first ready partition
    std::vector<TopicNumber> unknown_leaders;  // topics with batches whose leader is not known
    LocalTime next_check = LocalTime::max();   // when more may be ready, by itself
  };
  void check_ready(LocalTime now, Ready& out);
  // At most one batch of each partition the server leads, as many as fit into max.request.size; closed and in
  // flight from now on. Begins where the last drain of this server stopped.
  void drain(ProcessId server, LocalTime now, ProducerSequences* sequences, std::vector<BatchRef>& out);
  // The server could (or could not) take what was ready for it: partitioner.availability.timeout.ms.
  void note_availability(ProcessId server, bool available, LocalTime now);
  void mute(const ProducerBatch& batch) { queues_[at(batch.queue)].muted = true; }
  void unmute(QueueIndex queue) { queues_[at(queue)].muted = false; }

  // Batches older than delivery.timeout.ms, taken from their queues or from what is in flight. Costs nothing
  // before next_expiry_at().
  void expire(LocalTime now, std::vector<BatchRef>& out);
  LocalTime next_expiry_at() const { return next_expiry_at_; }
  LocalTime expires_at(const ProducerBatch& batch) const { return batch.created + delivery_timeout_; }
  // Everything, in queues and in flight.
  std::vector<BatchRef> take_all();
  // Those in queues that have no sequence number yet.
  std::vector<BatchRef> take_undrained();

  // ---- What became of them

  void reenqueue(BatchRef ref, LocalTime now, Duration backoff, const ProducerSequences* sequences);
  // Cuts it into batches of batch.size and queues these in its place.
  void split_and_reenqueue(BatchRef ref, ProducerSequences* sequences);
  void no_longer_in_flight(BatchRef ref);
  void free_memory(BatchRef ref);

  BatchSlab& batches() { return batches_; }
  const BatchSlab& batches() const { return batches_; }
  TopicPartition tp(const ProducerBatch& batch) const { return queues_[at(batch.queue)].tp; }
  std::int64_t available_memory() const { return available_memory_; }
  std::int32_t partitions(TopicNumber topic) const { return topics_[topic].partitions; }
  bool has_undrained() const { return queued_batches_ > 0; }
  // Batches whose fate is not known.
  bool has_incomplete() const;

 private:
  struct Queue {
    TopicPartition tp;
    TopicNumber topic = 0;
    ProcessId leader = kNoProcess;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    bool muted = false;
    bool used = false;                // a record ever went here
    std::vector<BatchRef> batches;    // oldest first
    std::vector<BatchRef> in_flight;  // sent and not answered, in the order of sending
  };
  struct Topic {
    MetadataClient::TopicIndex metadata_index;
    std::int32_t compression_percent = 100;
    std::int32_t partitions = 0;     // as the metadata had it last
    std::vector<QueueIndex> queues;  // by partition; those of a topic that is gone may have been more
    std::vector<std::int32_t> with_leader;
    std::size_t used_queues = 0;
    StickyPartitioner partitioner;

    StickyPartitioner::Choices choices() const { return {partitions, with_leader}; }
  };
  struct Server {
    std::vector<QueueIndex> led;
    std::size_t drain_index = 0;
    LocalTime last_ready{};  // NodeLatencyStats
    LocalTime last_drained{};
  };

  static std::size_t at(QueueIndex index) { return static_cast<std::size_t>(index); }
  std::int32_t reservation(const Record& record) const {
    return std::max(batch_bytes_, batch_size_upper_bound(record.key_bytes, record.value_bytes));
  }
  bool newest_full(const Queue& queue) const {
    return queue.batches.empty() || batches_[queue.batches.back()].full();
  }
  bool may_switch(Topic& topic, const Queue& queue, Rng& rng) const;
  void update_queues(Topic& topic, TopicNumber number, const MetadataClient::Topic& known);
  BatchRef new_batch(Queue& queue, QueueIndex index, std::int32_t reserved_bytes, LocalTime now);
  void check_ready(Queue& queue, LocalTime now, Ready& out);
  void update_load(Topic& topic);
  bool is_available(ProcessId server) const;
  void insert(Queue& queue, BatchRef ref, const ProducerSequences* sequences);
  BatchRef take_first(Queue& queue);
  void expire_first(std::vector<BatchRef>& refs, bool queued, LocalTime now, std::vector<BatchRef>& out);

  std::int32_t batch_bytes_;
  std::int32_t max_request_bytes_;
  Duration linger_;
  Duration delivery_timeout_;
  Duration availability_timeout_;
  bool adaptive_;
  std::optional<Duration> sticky_linger_;

  std::vector<Topic> topics_;
  std::vector<Queue> queues_;  // by QueueIndex
  std::map<ProcessId, Server> servers_;
  BatchSlab batches_;
  std::int64_t available_memory_;
  std::int64_t queued_batches_ = 0;
  LocalTime next_expiry_at_ = LocalTime::max();  // not later than the first
  bool exhausted_ = false;
  bool closed_ = false;
  bool completing_ = false;
};

}  // namespace sim::client
