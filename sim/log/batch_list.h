#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "protocol/record_batch.h"

// Batches in order of offset, ends joined: the contents of a log.
//
// Appending at the end, cutting at either end, and finding the batch that holds an offset.
namespace sim::log {

class BatchList {
 public:
  bool empty() const { return batches_.empty(); }
  std::size_t size() const { return batches_.size(); }
  Offset end_offset() const { return batches_.back().end_offset(); }      // REQUIRES: !empty()
  Offset start_offset() const { return batches_.front().base_offset; }    // REQUIRES: !empty()
  std::int64_t size_bytes() const { return size_bytes_; }

  // REQUIRES: empty() or batch.base_offset >= end_offset() (compaction leaves gaps)
  void append(Batch batch);
  // Drops batches until every offset left is below `end`; a batch that straddles it goes whole, as a
  // batch is the unit of truncation.
  void truncate_to(Offset end);
  // Drops batches that lie wholly below `start`.
  void drop_before(Offset start);

  // Batches from the one that holds or follows `from`, ending below `end`, up to `max_bytes`, but at least
  // one if `at_least_one`.
  std::vector<Batch> read(Offset from, Offset end, std::int64_t max_bytes, bool at_least_one) const;
  // The bytes that read() would return without a limit; counting stops once they reach `at_most`.
  std::int64_t bytes_between(Offset from, Offset end, std::int64_t at_most) const;

  // The first offset whose record has a timestamp at or after this; nullopt: none.
  std::optional<Offset> offset_for_timestamp(std::int64_t timestamp_ms) const;

 private:
  using Iterator = std::deque<Batch>::const_iterator;
  // The batch that holds or follows `offset`.
  Iterator find(Offset offset) const;

  std::deque<Batch> batches_;
  std::int64_t size_bytes_ = 0;
};

}  // namespace sim::log
