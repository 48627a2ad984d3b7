#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"
#include "protocol/batch_builder.h"
#include "protocol/metadata_records.h"
#include "protocol/record_batch.h"

// Records that wait to be written together (BatchAccumulator): appended to the open batch, which closes when
// full; all are drained a linger after the first came, or at once when a batch is full.
//
// Left out: the limit of ten closed batches, at which Kafka's append throws.
namespace sim::raft {

class Accumulator {
 public:
  Accumulator() = default;
  Accumulator(Offset next, Duration linger, std::int32_t max_batch_bytes)
      : next_(next), linger_(linger), max_batch_bytes_(max_batch_bytes) {}

  bool empty() const { return closed_.empty() && open_.empty(); }
  Offset next_offset() const { return next_; }
  // When to drain; nullopt: nothing waits.
  std::optional<LocalTime> drain_at() const { return drain_at_; }

  Offset append(std::vector<MetadataRecord> records, LocalTime now) {
    std::int32_t bytes = 0;
    for (const MetadataRecord& record : records)
      bytes += record_size(record, static_cast<std::int64_t>(open_.size()));
    if (!open_.empty() && open_bytes_ + bytes > max_batch_bytes_) {
      close(now);
      drain_at_ = now;
    }
    if (!drain_at_) drain_at_ = now + linger_;
    const Offset first = next_;
    next_ += static_cast<Offset>(records.size());
    open_bytes_ += bytes;
    if (open_.empty()) {
      open_ = std::move(records);
    } else {
      for (MetadataRecord& record : records) open_.push_back(std::move(record));
    }
    return first;
  }

  // Control records keep their place among the others, and drain at once.
  void append_control(std::vector<ControlRecord> records, LocalTime now) {
    close(now);
    next_ += static_cast<Offset>(records.size());
    closed_.push_back(make_batch(std::move(records), millis(now.time_since_epoch())));
    drain_at_ = now;
  }

  std::vector<BatchDataPtr> drain(LocalTime now) {
    close(now);
    drain_at_.reset();
    return std::exchange(closed_, {});
  }

 private:
  void close(LocalTime now) {
    if (open_.empty()) return;
    closed_.push_back(make_batch(std::exchange(open_, {}), millis(now.time_since_epoch())));
    open_bytes_ = kBatchHeaderBytes;
  }

  std::vector<BatchDataPtr> closed_;
  std::vector<MetadataRecord> open_;
  std::int32_t open_bytes_ = kBatchHeaderBytes;
  Offset next_ = 0;
  Duration linger_{};
  std::int32_t max_batch_bytes_ = 0;
  std::optional<LocalTime> drain_at_;
};

}  // namespace sim::raft
