#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/time.h"
#include "protocol/batch_builder.h"
#include "protocol/ids.h"
#include "protocol/record_batch.h"

// A producer's batch on its way: open, queued, in flight, perhaps several times (Kafka's ProducerBatch).
namespace sim::client {

struct ProducerIdAndEpoch {
  ProducerId id = kNoProducerId;
  ProducerEpoch epoch = kNoProducerEpoch;

  bool valid() const { return id != kNoProducerId; }
  auto operator<=>(const ProducerIdAndEpoch&) const = default;
};

// Partitions a producer has met, numbered in that order, whatever their topic.
using QueueIndex = std::int32_t;

struct ProducerBatch {
  ProducerBatch(QueueIndex of, std::int32_t write_limit, std::int32_t compression_percent, LocalTime now)
      : queue(of), builder(write_limit, compression_percent), created(now), last_attempt(now) {}

  QueueIndex queue;
  BatchBuilder builder;  // until it is closed
  BatchDataPtr data{};   // from then on
  LocalTime created;
  LocalTime last_attempt;
  LocalTime retry_at{};  // end of the back-off
  std::int32_t attempts = 0;
  std::int32_t record_count = 0;
  std::int32_t reserved_bytes = 0;  // of buffer.memory; what a split made takes none
  bool closed_for_appends = false;
  bool on_wire = false;  // part of a request that is not answered
  bool done = false;     // the application knows its fate
  // Idempotence.
  ProducerIdAndEpoch producer{};
  std::int32_t base_sequence = -1;
  bool sequence_reset = false;  // since it was last closed
  bool transactional = false;
  // A retry does not wait for its back-off if the leader is another one since (KIP-951).
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::int32_t attempts_when_leader_changed = 0;

  bool in_retry() const { return attempts > 0; }
  bool has_sequence() const { return base_sequence >= 0; }
  std::int32_t last_sequence() const { return base_sequence + record_count - 1; }
  bool full() const { return closed_for_appends || builder.full(); }
  std::int32_t estimated_bytes() const {
    return data != nullptr ? data->size_bytes : builder.estimated_bytes();
  }

  void see_leader_epoch(LeaderEpoch latest) {
    if (latest == kNoLeaderEpoch || latest <= leader_epoch) return;
    attempts_when_leader_changed = attempts;
    leader_epoch = latest;
  }
  bool backing_off(LocalTime now) const {
    return attempts > 0 && now < retry_at && attempts != attempts_when_leader_changed;
  }

  void append(const Record& record) {
    builder.append(record);
    ++record_count;
  }
  // Makes `data` of it, with the sequence it has now.
  void close() {
    closed_for_appends = true;
    if (data == nullptr) {
      data = builder.build(producer.id, producer.epoch, base_sequence, transactional);
    } else if (sequence_reset) {
      auto renumbered = std::make_shared<BatchData>(*data);
      renumbered->producer_id = producer.id;
      renumbered->producer_epoch = producer.epoch;
      renumbered->base_sequence = base_sequence;
      data = std::move(renumbered);
    }
    sequence_reset = false;
  }
};

// Batches under numbers that stay theirs while they live; so a copy of it is a copy.
class BatchSlab {
 public:
  using Ref = std::uint32_t;

  ProducerBatch& operator[](Ref ref) { return batches_[ref]; }
  const ProducerBatch& operator[](Ref ref) const { return batches_[ref]; }

  Ref make(ProducerBatch batch) {
    ++live_;
    if (free_.empty()) {
      batches_.push_back(std::move(batch));
      return static_cast<Ref>(batches_.size() - 1);
    }
    const Ref ref = free_.back();
    free_.pop_back();
    batches_[ref] = std::move(batch);
    return ref;
  }
  void release(Ref ref) {
    SIM_CHECK(live_ > 0, "a batch is released once");
    --live_;
    batches_[ref].data.reset();
    free_.push_back(ref);
  }
  std::size_t live() const { return live_; }

 private:
  std::vector<ProducerBatch> batches_;
  std::vector<Ref> free_;  // last in, first out
  std::size_t live_ = 0;
};

using BatchRef = BatchSlab::Ref;

}  // namespace sim::client
