#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "log/sealed_chunk.h"
#include "protocol/record_batch.h"

// Batches in order of offset, ends joined: the contents of a log.
//
// Appending at the end, cutting at either end, and finding the batch that holds an offset. Only the newest
// few hundred batches are kept as objects; older ones are sealed (SealedChunk), unsealed when they are read
// and shared between copies of the list. So a long log takes little memory, and a copy of it little time.
namespace sim::log {

class BatchList {
 public:
  bool empty() const { return newest_.empty() && sealed_.empty(); }
  std::size_t size() const { return newest_.size() + sealed_batches_; }
  // REQUIRES: !empty()
  Offset end_offset() const {
    return newest_.empty() ? sealed_.back()->end_offset() : newest_.back().end_offset();
  }
  Offset start_offset() const {
    return sealed_.empty() ? newest_.front().base_offset : sealed_.front()->start_offset();
  }
  std::int64_t size_bytes() const { return size_bytes_; }
  std::size_t sealed_batches() const { return sealed_batches_; }
  std::size_t sealed_memory_bytes() const;

  // REQUIRES: empty() or batch.base_offset >= end_offset() (compaction leaves gaps)
  void append(Batch batch);
  // Drops batches until every offset left is below `end`; a batch that straddles it goes whole, as a
  // batch is the unit of truncation.
  void truncate_to(Offset end);
  // Drops batches that lie wholly below `start`.
  void drop_before(Offset start);
  // Batches that end at or below `end` are replaced by others. REQUIRES: those end at or below it, too, and
  // no batch lies astride it
  void replace_before(Offset end, const std::vector<Batch>& with);

  // Batches from the one that holds or follows `from`, ending below `end`, up to `max_bytes`, but at least
  // one if `at_least_one`.
  std::vector<Batch> read(Offset from, Offset end, std::int64_t max_bytes, bool at_least_one) const;
  // The bytes that read() would return without a limit; counting stops once they reach `at_most`.
  std::int64_t bytes_between(Offset from, Offset end, std::int64_t at_most) const;

  // The first offset whose record has a timestamp at or after this; nullopt: none.
  std::optional<Offset> offset_for_timestamp(std::int64_t timestamp_ms) const;

 private:
  using Sealed = std::vector<SealedChunkPtr>;
  // The chunk or the batch that holds or follows `offset`.
  Sealed::const_iterator find_sealed(Offset offset) const;
  std::deque<Batch>::const_iterator find_newest(Offset offset) const;

  void seal_oldest();
  void add_sealed(SealedChunkPtr chunk, Sealed::const_iterator where);
  void remove_sealed(Sealed::const_iterator first, Sealed::const_iterator last);

  Sealed sealed_;
  std::deque<Batch> newest_;
  std::size_t sealed_batches_ = 0;
  std::int64_t size_bytes_ = 0;
};

}  // namespace sim::log
